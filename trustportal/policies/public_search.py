"""Searching public policies: which clauses of some editions contain all the words. Part of the queries' room."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from trustportal.db import current_scope, db

#: So many clauses of one policy are shown.
MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A clause that contains the words, with what stands around the first of them."""

    edition_id: UUID
    key: str
    label: str
    heading: str
    around: str


_FIND = text(
    """
    SELECT e.id, c.value ->> 'key' AS key, c.value ->> 'label' AS label, t.heading, t.text
      FROM edition e
      CROSS JOIN LATERAL jsonb_array_elements(e.tree) WITH ORDINALITY AS c(value, place)
      JOIN clause_text t ON t.trust_id = e.trust_id AND t.hash = c.value ->> 'words'
     WHERE e.trust_id = :trust AND e.id = ANY(CAST(:editions AS uuid[])) AND c.value ->> 'origin' <> 'left_out'
       AND (SELECT bool_and(t.heading || ' ' || t.text ILIKE p) FROM unnest(CAST(:patterns AS text[])) AS p)
     ORDER BY e.id, c.place
     LIMIT 200
    """
)


def search(edition_ids: Collection[UUID], asked: str) -> Sequence[Hit]:
    """The clauses of some editions that contain every word of `asked`, in reading order; one query."""
    words = asked.split()
    scope = current_scope()
    if not words or not edition_ids or scope is None:
        return []
    escaped = [re.sub(r"([%_\\])", r"\\\1", word) for word in words]
    rows = db.session.execute(
        _FIND,
        {
            "trust": scope.trust_id,
            "editions": [str(one) for one in edition_ids],
            "patterns": [f"%{word}%" for word in escaped],
        },
        execution_options={"unscoped_because": "filtered by the scope's trust, and by the database besides"},
    )
    return [
        Hit(row.id, row.key, row.label or "", row.heading, around(f"{row.text}", words[0])) for row in rows
    ]


def around(words: str, first: str, *, length: int = 160) -> str:
    """What stands around the first place of a word, in about `length` letters, without Markdown's signs."""
    plain = " ".join(re.sub(r"[*_`#>|]|\[([^]]*)\]\([^)]*\)", r"\1", words).split())
    at = max(plain.lower().find(first.lower()), 0)
    start = max(at - length // 3, 0)
    if start:
        start = plain.find(" ", start) + 1 or start
    cut = plain[start : start + length]
    if start + length < len(plain):
        cut = cut.rsplit(" ", 1)[0] + " …"
    return ("… " if start else "") + cut
