"""Versions and editions as the domain sees them: rows turned into trees, resolved, compared. Reads only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from trustportal.policies import queries, texts
from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain.answers import Added, Answer, Override, answers_from_json
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.diff import (
    ClauseChange,
    compare,
    compare_editions,
    lines_of_tree,
)
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.lifecycle import edition_label as label_of
from trustportal.policies.domain.lifecycle import next_review
from trustportal.policies.domain.resolve import EditionClause, Resolved, resolve
from trustportal.policies.models import AddedClause, DraftClause, Edition, Policy, TemplateVersion
from trustportal.policies.models import Override as OverrideRow
from trustportal.tenants import queries as tenants


def tree_of(rows: Sequence[DraftClause]) -> Tree:
    """The tree that a draft's rows make."""
    return tuple(
        Clause(
            row.key,
            row.parent_key,
            Kind(row.kind),
            row.heading,
            row.text,
            Mode(row.mode),
            row.needs_agreement,
        )
        for row in rows
    )


def tree_of_version(version: TemplateVersion) -> Tree:
    """The trust's text in a version, frozen or draft."""
    if version.state == "published":
        return texts.thaw_published(version.id, lambda: version.tree or ())
    if version.state in {"draft", "discarded"} or version.tree is None:
        return tree_of(queries.draft_clauses(version.id))
    return texts.thaw_tree(version.tree)


def numbering_of(policy: Policy, version: TemplateVersion) -> NumberingStyle:
    """How a version's clauses are numbered: a draft may have another style than what is in force."""
    return NumberingStyle(version.header.get("numbering") or policy.numbering)


class Dated(Protocol):
    """What has a header and its dates: a version, an edition, or the head of one."""

    @property
    def header(self) -> dict[str, Any]: ...
    @property
    def approved_at(self) -> datetime | None: ...
    @property
    def effective_on(self) -> date | None: ...


class Numbered(Protocol):
    """What has the number of an edition."""

    @property
    def major(self) -> int: ...
    @property
    def minor(self) -> int | None: ...


def header_of(version: Dated) -> PolicyHeader:
    """The header, with its dates where they are known."""
    header = PolicyHeader.from_json(version.header)
    approved = version.approved_at.date() if version.approved_at else None
    review = next_review(version.effective_on, header.review_months) if version.effective_on else None
    return replace(header, approved_on=approved, effective_on=version.effective_on, next_review_on=review)


def clauses_of(edition: Edition, *, beside: Sequence[texts.Frozen] = ()) -> tuple[EditionClause, ...]:
    """What an edition says, clause by clause. `beside`: clauses at hand, which need not be read."""
    return texts.thaw_edition(edition.tree, beside)


def edition_label(edition: Numbered) -> str:
    """ "3.2"; an edition that waits for approval is "3.x"."""
    return label_of(edition.major, edition.minor) if edition.minor is not None else f"{edition.major}.x"


def answers_of(
    overrides: Sequence[OverrideRow], added: Sequence[AddedClause]
) -> tuple[dict[str, Override], tuple[Added, ...]]:
    """A school's working rows as the domain's answers."""
    return (
        {
            row.clause_key: Override(
                row.clause_key,
                Answer(row.answer),
                row.heading,
                row.text,
                row.reason,
                row.base_heading,
                row.base_text,
                Weight(row.weight),
            )
            for row in overrides
        },
        tuple(
            Added(row.key, row.after_key, row.heading, row.text, row.reason, Weight(row.weight))
            for row in added
        ),
    )


def working_answers(policy_id: UUID, school_id: UUID | None) -> tuple[dict[str, Override], tuple[Added, ...]]:
    """A place's working answers."""
    return answers_of(queries.list_overrides(policy_id, school_id), queries.list_added(policy_id, school_id))


def answers_in(edition: Edition | None) -> tuple[dict[str, Override], tuple[Added, ...]]:
    """The answers that an edition was made with; none where there is no edition."""
    return answers_from_json(edition.answers) if edition is not None else ({}, ())


def place_name(school_id: UUID | None) -> str:
    """How a place is printed: the school's name, or the trust's."""
    return tenants.place_name(school_id)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a place's policy would say with given answers and its values of today."""

    resolved: Resolved
    header: PolicyHeader
    values: Mapping[str, str]
    place: str


def preview(
    policy: Policy,
    version: TemplateVersion,
    school_id: UUID | None,
    answers: tuple[Mapping[str, Override], Sequence[Added]],
) -> Preview:
    """Resolve a version with a place's answers and values."""
    values = tenants.values_for_place(school_id)
    place = values["school.name"]  # which is the trust's name where the trust is the place
    header = PolicyHeader.from_json(version.header)
    resolved = resolve(
        tree_of_version(version),
        numbering_of(policy, version),
        answers[0],
        answers[1],
        values,
        header=header,
        place=place,
    )
    return Preview(resolved, header, values, place)


def changes_between(old: Edition | None, new: Edition) -> tuple[ClauseChange, ...]:
    """What changed from one edition to another, clause by clause; everything is added where there is no old one."""
    return compare_clauses(clauses_of(old) if old else (), clauses_of(new))


def compare_clauses(old: Sequence[EditionClause], new: Sequence[EditionClause]) -> tuple[ClauseChange, ...]:
    """The changed clauses only."""
    return compare_editions(old, new, only_changed=True)


def compare_versions(
    policy: Policy, old: TemplateVersion | None, new: TemplateVersion, *, whole: bool = False
) -> tuple[ClauseChange, ...]:
    """What changed from one version of the trust's text to another."""
    style = numbering_of(policy, new)
    before, after = tree_of_version(old) if old else (), tree_of_version(new)
    values = tenants.values_for_place(None)
    headings = _names((*before, *after))
    return compare(
        lines_of_tree(_for_people(before, values, headings), style),
        lines_of_tree(_for_people(after, values, headings), style),
        only_changed=not whole,
    )


def for_people(tree: Tree, school_id: UUID | None) -> Tree:
    """The trust's text as a place's people read it before it is theirs: slots filled, references by name."""
    return _for_people(tree, tenants.values_for_place(school_id), _names(tree))


def _names(tree: Sequence[Clause]) -> dict[str, str]:
    """What a reference calls each clause: its heading, or its first words."""
    return {one.key: one.heading or " ".join(one.text.split()[:6]) + " …" for one in tree}


def _for_people(tree: Tree, values: Mapping[str, str], headings: Mapping[str, str]) -> Tree:
    """A tree for reading: slots with the trust's words, references by heading, so that renumbering is no change."""

    def name(found: re.Match[str]) -> str:
        heading = headings.get(found[1], "")
        return f"“{heading}”" if heading else found[0]

    return tuple(
        replace(
            clause,
            heading=placeholders.fill(clause.heading, values)[0],
            text=references.REFERENCE.sub(name, placeholders.fill(clause.text, values)[0]),
        )
        for clause in tree
    )


def is_material_since(old: Edition, new: Edition) -> bool:
    """Whether a person who signed `old` signs again: any edition since then, up to `new`, is material."""
    if old.id == new.id:
        return False
    between = queries.list_editions_between(new.policy_id, new.school_id, old, new)
    return any(edition.material for edition in between)


def as_of(
    policy_id: UUID, school_id: UUID | None, on: date
) -> tuple[Edition, tuple[EditionClause, ...]] | None:
    """What a place's policy said on a day, clause by clause with its origin."""
    edition = queries.find_edition_in_force(policy_id, school_id, on)
    return (edition, clauses_of(edition)) if edition else None


def marks_of(version: TemplateVersion) -> dict[str, dict[str, Any]]:
    """How the trust marked each changed clause of a version."""
    return dict(version.marks)
