"""Any two texts of a policy beside each other: versions of the trust's, editions of a place, or two places' editions.

Part of the queries' room. Two texts of one place are compared as they are printed. Two places' texts are compared
with their slots named instead of filled, so that a school's own name in every clause is no difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from trustportal.policies import queries, reading
from trustportal.policies.domain import changes, placeholders, references
from trustportal.policies.domain.answers import Added, Override
from trustportal.policies.domain.diff import ClauseChange, Line, compare, lines_of_edition
from trustportal.policies.domain.resolve import resolve
from trustportal.policies.models import Edition, Policy, TemplateVersion


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two texts: a published version, or an approved edition of a place."""

    #: "The trust's version 3", "Ashgrove Primary School, edition 3.2".
    name: str
    label: str
    version: TemplateVersion | None = None
    edition: Edition | None = None

    @property
    def id(self) -> UUID:
        found = self.version or self.edition
        assert found is not None
        return found.id

    @property
    def content_hash(self) -> str:
        found = self.version or self.edition
        assert found is not None
        return found.content_hash or ""

    def same_place(self, other: Side) -> bool:
        """Whether both are the trust's text, or editions of one place."""
        if self.edition is None or other.edition is None:
            return self.edition is other.edition
        return self.edition.school_id == other.edition.school_id


def side_of_version(version: TemplateVersion) -> Side:
    """A version of the trust's text."""
    return Side(f"The trust’s version {version.number}", str(version.number), version=version)


def side_of_edition(edition: Edition, place: str) -> Side:
    """An edition of a place."""
    label = reading.edition_label(edition)
    return Side(f"{place}, edition {label}", label, edition=edition)


def key_of(old: Side, new: Side) -> str:
    """Which two texts these are; none of them ever changes."""
    return hashlib.sha256(f"{old.id} {new.id}".encode()).hexdigest()


def compare_sides(policy: Policy, old: Side, new: Side) -> tuple[ClauseChange, ...]:
    """Every clause of both, as `diff.compare` gives them."""
    if old.version is not None and new.version is not None:
        return reading.compare_versions(policy, old.version, new.version, whole=True)
    if old.same_place(new):
        assert old.edition is not None
        assert new.edition is not None
        return compare(
            lines_of_edition(reading.clauses_of(old.edition)),
            lines_of_edition(reading.clauses_of(new.edition)),
        )
    return compare(_neutral(policy, old), _neutral(policy, new))


def _neutral(policy: Policy, side: Side) -> tuple[Line, ...]:
    """A text with its slots named: {{school.name}} stands as [school name]."""
    version = side.version
    answers: tuple[Mapping[str, Override], Sequence[Added]] = ({}, ())
    if side.edition is not None:
        version = queries.get_version(side.edition.template_version_id)
        answers = reading.answers_in(side.edition)
    assert version is not None
    tree = reading.tree_of_version(version)
    headings = {one.key: one.heading for one in tree if one.heading}

    def named(words: str) -> str:
        """Slots by name, and references by heading, so that renumbering is no difference."""
        words = references.REFERENCE.sub(
            lambda found: f"“{headings[found[1]]}”" if found[1] in headings else found[0], words
        )
        return placeholders.PLACEHOLDER.sub(lambda found: f"[{_name(found[1])}]", words)

    resolved = resolve(
        tuple(replace(one, heading=named(one.heading), text=named(one.text)) for one in tree),
        reading.numbering_of(policy, version),
        {
            key: replace(
                one,
                heading=one.heading and named(one.heading),
                text=one.text and named(one.text),
            )
            for key, one in answers[0].items()
        },
        [replace(one, heading=named(one.heading), text=named(one.text)) for one in answers[1]],
        {},
        header=reading.header_of(version),
        place="",
    )
    return lines_of_edition(resolved.clauses)


def _name(slot: str) -> str:
    return slot.removeprefix("role.").replace(".", " ").replace("_", " ")


def marks_between(old: Side, new: Side) -> dict[str, changes.Mark]:
    """How the trust marked each change, where one version was made from the other."""
    if new.version is not None and old.version is not None and new.version.based_on_id == old.version.id:
        return changes.marks_from_json(new.version.marks)
    return {}
