"""The policies that are in force where somebody serves, and a search in their words: always, not only when asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.acceptance.queries.facts import Place
from trustportal.markdown import strip_marks
from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.policies.domain.resolve import EditionClause, Origin
from trustportal.tenants import queries as tenants

#: So many clauses of one policy are shown for a search; the policy's own page has the rest.
MOST_HITS = 5
_AROUND = 90


@dataclass(frozen=True, slots=True)
class Hit:
    """A clause that has the words: its number, where it lies on the page, and the words around."""

    key: str
    number: str
    heading: str
    before: str
    found: str
    after: str


@dataclass(frozen=True, slots=True)
class PolicyFound:
    """One policy at one place. `school_slug` None: the trust's own."""

    title: str
    slug: str
    place: str
    school_slug: str | None
    edition_label: str
    hits: Sequence[Hit]
    more: int


def search(places: Collection[Place], words: str, on: date) -> list[PolicyFound]:
    """The policies in force at some places, by place and title; with words, only those that have them all in a clause
    or in their title. A fixed number of queries.
    """
    wanted = [one.lower() for one in words.split()][:8]
    titles = {policy.id: policy for policy in policies.list_policies()}
    names: dict[UUID | None, tuple[str, str | None]] = {None: (tenants.get_trust().name, None)}
    names |= {one.id: (one.name, one.slug) for one in tenants.list_schools()}
    found = []
    for edition in policies.editions_in_force(on, school_ids=places, whole=bool(wanted)):
        policy = titles[edition.policy_id]
        hits = _hits(reading.clauses_of(edition), wanted) if wanted else []
        if wanted and not hits and not all(one in policy.title.lower() for one in wanted):
            continue
        place, slug = names[edition.school_id]
        found.append(
            PolicyFound(
                policy.title,
                policy.slug,
                place,
                slug,
                reading.edition_label(edition),
                hits[:MOST_HITS],
                max(0, len(hits) - MOST_HITS),
            )
        )
    return sorted(found, key=lambda one: (one.place, one.title))


def _hits(clauses: Sequence[EditionClause], wanted: Sequence[str]) -> list[Hit]:
    found = []
    for clause in clauses:
        if clause.origin is Origin.LEFT_OUT:
            continue
        text = strip_marks(f"{clause.heading}. {clause.text}" if clause.heading else clause.text)
        lower = text.lower()
        if not all(one in lower for one in wanted):
            continue
        at = min(lower.index(one) for one in wanted)
        first = next(one for one in wanted if lower.startswith(one, at))
        words = re.sub(r"\s+", " ", text)
        at = words.lower().find(first)
        begin, end = max(0, at - _AROUND), at + len(first) + _AROUND
        found.append(
            Hit(
                clause.key,
                clause.number,
                clause.heading,
                ("…" if begin else "") + words[begin:at],
                words[at : at + len(first)],
                words[at + len(first) : end] + ("…" if end < len(words) else ""),
            )
        )
    return found
