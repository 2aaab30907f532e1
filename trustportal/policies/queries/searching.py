"""Searching the words of all clauses, of the trust's versions and of every edition that the scope sees, then and now.

`find_clauses` (a function of the database) finds by index which words match and which editions say them, as ids.
What the ids stand for is read here under row-level security, so that a school's people find their own school's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import case, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONPATH, TEXT, distinct_on

from trustportal.db import db
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.domain.search import CLOSE, OPEN, Part, snippet
from trustportal.policies.models import ClauseText, Edition, Policy, TemplateVersion
from trustportal.policies.queries.places import still_stands

#: So many different wordings are looked at: the best matches. Whoever gets them all should ask more closely.
MOST_WORDINGS = 200
#: So many wordings of a clause, the best ones, are shown with the place where the words stand.
WITH_SNIPPET = 3
_HEADLINE = (
    f"StartSel={OPEN}, StopSel={CLOSE}, MaxWords=34, MinWords=16, MaxFragments=2, FragmentDelimiter=' … '"
)
_MARKS = re.compile(r"\*\*|__|`|^\s*[-*]\s+|\]\([^)]*\)|(?<!\w)[*_]|[*_](?!\w)|[\[\]|]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Says:
    """An edition that says some words. `school_id` None: the trust itself."""

    edition_id: UUID
    school_id: UUID | None
    label: str
    in_force: bool


@dataclass(slots=True)
class Wording:
    """One wording of a clause, with who says it. `words`: its hash. `snippet`: with found words between OPEN and CLOSE,
    "" beyond the best `WITH_SNIPPET` of the clause.
    """

    words: str
    rank: int
    heading: str = ""
    snippet: str = ""
    versions: list[int] = field(default_factory=list)
    editions: list[Says] = field(default_factory=list)

    @property
    def in_force(self) -> list[Says]:
        return [one for one in self.editions if one.in_force]

    @property
    def earlier(self) -> list[Says]:
        """The newest edition of each place that said it once, and says it no longer."""
        now = {one.school_id for one in self.in_force}
        found = {one.school_id: one for one in self.editions if not one.in_force}
        return [one for school_id, one in found.items() if school_id not in now]


@dataclass(slots=True)
class FoundClause:
    """A clause in which something was found, the best wording first."""

    policy: Policy
    key: str
    wordings: list[Wording] = field(default_factory=list)

    @property
    def is_in_force(self) -> bool:
        return any(one.in_force for one in self.wordings)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found. `cut`: there may be more than was looked at."""

    clauses: list[FoundClause]
    cut: bool


def search(
    parts: Sequence[Part], *, on: date, policy_id: UUID | None = None, with_versions: bool = True
) -> Found:
    """Find what says all the parts: as words of their own first, then as pieces of words.

    In force is what holds on the day `on`.
    """
    rows = db.session.execute(
        text(
            "SELECT words, of_trust, clause_key, edition_ids, inside"
            " FROM find_clauses(CAST(:queries AS text[]), CAST(:inside AS text[]), :most)"
        ),
        {
            "queries": [one.query for one in parts],
            "inside": [one.pattern for one in parts],
            "most": MOST_WORDINGS,
        },
        execution_options={"unscoped_because": "it looks into the scope's trust only, and returns ids"},
    ).all()
    order = {row.words: at for at, row in enumerate(row for row in rows if row.clause_key is None)}
    if not order:
        return Found([], cut=False)
    editions = _editions({one for row in rows for one in row.edition_ids}, on, policy_id)
    inside = {row.words for row in rows if row.clause_key is None and row.inside}
    policies = {one.id: one for one in db.session.scalars(select(Policy))}
    #: Of a clause its wordings: one that a school prints as the trust wrote it is the trust's, whatever was filled in.
    found: dict[tuple[UUID, str], dict[str, Wording]] = {}

    def wording(policy: UUID, key: str, variant: str, words: str) -> Wording:
        clause = found.setdefault((policy, key), {})
        if variant not in clause:
            clause[variant] = Wording(words, order[words])
        return clause[variant]

    for row in sorted((row for row in rows if row.clause_key), key=lambda row: order[row.words]):
        for edition_id in row.edition_ids:
            if edition_id in editions:
                policy, says = editions[edition_id]
                wording(policy, row.clause_key, row.of_trust or row.words, row.words).editions.append(says)
    if with_versions:
        for policy, number, key, words in _versions(order, policy_id):
            wording(policy, key, words, words).versions.append(number)
    clauses = [
        FoundClause(
            policies[policy], key, sorted(wordings.values(), key=lambda one: (not one.in_force, one.rank))
        )
        for (policy, key), wordings in found.items()
    ]
    clauses.sort(
        key=lambda one: (
            one.policy.title,
            not one.is_in_force,
            min(wording.rank for wording in one.wordings),
            one.key,
        )
    )
    _put_words(clauses, inside, parts)
    return Found(clauses, cut=len(order) >= MOST_WORDINGS)


def _editions(ids: Collection[UUID], on: date, policy_id: UUID | None) -> dict[UUID, tuple[UUID, Says]]:
    """The editions among `ids` that the scope sees, oldest first."""
    statement = select(Edition.id, Edition.school_id, Edition.policy_id, Edition.major, Edition.minor).where(
        Edition.id.in_(ids)
    )
    if policy_id is not None:
        statement = statement.where(Edition.policy_id == policy_id)
    rows = db.session.execute(statement.order_by(Edition.major, Edition.minor)).all()
    place = func.coalesce(Edition.school_id, Edition.trust_id)
    in_force = set(
        db.session.scalars(
            select(Edition.id)
            .ext(distinct_on(Edition.policy_id, place))
            .where(
                Edition.policy_id.in_({row.policy_id for row in rows}),
                Edition.state == "approved",
                Edition.effective_on <= on,
                still_stands(on),
            )
            .order_by(Edition.policy_id, place, Edition.major.desc(), Edition.minor.desc())
        )
    )
    return {
        row.id: (
            row.policy_id,
            Says(row.id, row.school_id, edition_label(row.major, row.minor), row.id in in_force),
        )
        for row in rows
    }


def _put_words(clauses: Sequence[FoundClause], inside: Collection[str], parts: Sequence[Part]) -> None:
    """Say of each wording its heading, and of the best ones where the words were found. `inside`: those that say a part
    inside a word.
    """
    every = [wording for one in clauses for wording in one.wordings]
    best = [wording for one in clauses for wording in one.wordings[:WITH_SNIPPET]]
    shown = {wording.words for wording in best}
    said = case((ClauseText.text == "", ClauseText.heading), else_=ClauseText.text)
    query = " & ".join(one.query for one in parts)
    # Marking what was found reads the whole text again: only what is shown is worth it.
    headline = case(
        (ClauseText.hash.not_in(shown), ""),
        (ClauseText.hash.in_(inside), said),
        else_=func.ts_headline("english", said, func.to_tsquery("english", query), _HEADLINE),
    )
    rows = db.session.execute(
        select(ClauseText.hash, headline, ClauseText.heading).where(
            ClauseText.hash.in_({wording.words for wording in every})
        )
    ).all()
    pieces = [one.piece for one in parts if one.piece]
    snippets = {}
    for row in rows:
        if row[0] in shown:
            plain = " ".join(_MARKS.sub(" ", row[1]).split())
            snippets[row[0]] = snippet(plain, pieces) if row[0] in inside else plain
    headings = {row[0]: row[2] for row in rows}
    for wording in every:
        wording.heading = headings[wording.words]
    for wording in best:
        wording.snippet = snippets[wording.words]


def _versions(hashes: Collection[str], policy_id: UUID | None) -> list[tuple[UUID, int, str, str]]:
    """Where the trust's published versions say the words: (policy, number, clause key, hash)."""
    said = func.jsonb_path_query_array(TemplateVersion.tree, cast(literal('$[*]."words"'), JSONPATH))
    statement = select(TemplateVersion.policy_id, TemplateVersion.number, TemplateVersion.tree).where(
        TemplateVersion.state == "published", said.op("?|")(cast(list(hashes), ARRAY(TEXT)))
    )
    if policy_id is not None:
        statement = statement.where(TemplateVersion.policy_id == policy_id)
    return [
        (row.policy_id, row.number or 0, clause["key"], clause["words"])
        for row in db.session.execute(statement.order_by(TemplateVersion.number))
        for clause in row.tree or ()
        if clause["words"] in hashes
    ]
