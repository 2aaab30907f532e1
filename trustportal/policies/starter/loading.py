"""Reading the starter template and the demonstration trust: YAML in, checked facts out. Nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from importlib import resources
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trustportal import notation
from trustportal.access import SCHOOL_ROLES, Role
from trustportal.errors import RuleBroken
from trustportal.policies.domain import placeholders, references
from trustportal.policies.domain import tree as trees
from trustportal.policies.domain.answers import Added, Answer, Override
from trustportal.policies.domain.clauses import (
    Clause,
    Kind,
    Mode,
    NumberingStyle,
    Tree,
    Weight,
    by_key,
    check_tree,
)
from trustportal.policies.domain.header import PolicyHeader

__all__ = [
    "Demonstration",
    "PlaceholderDefinition",
    "SchoolAnswers",
    "SecondVersion",
    "SlotKind",
    "StarterFault",
    "StarterTemplate",
    "load_demonstration",
    "load_template",
    "read_builtin",
]


class StarterFault(ValueError):
    """A starter file that cannot be used. The message says where it is wrong, and how."""


class _Facts(BaseModel):
    """A mapping of a starter file: a misspelt field is an error, and nothing is guessed from another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


_Shape = TypeVar("_Shape", bound=_Facts)


class SlotKind(StrEnum):
    """Whether a slot prints a post, as the school calls it, or any other words."""

    ROLE = "role"
    TEXT = "text"


class PlaceholderDefinition(_Facts):
    """A slot that the template uses, with what the person who fills it is told."""

    name: str
    label: str
    hint: str
    example: str
    kind: SlotKind


class _Header(_Facts):
    title: str
    reference: str
    audience: str
    person_responsible: str
    approving_body: str
    review_months: int
    related: tuple[str, ...]
    statutory: bool
    public: bool
    safeguarding: bool = False


class _ClauseFacts(_Facts):
    key: str
    kind: Kind
    heading: str = ""
    text: str = ""
    mode: Mode = Mode.LOCKED
    needs_agreement: bool = False
    clauses: tuple[_ClauseFacts, ...] = ()

    def flat(self, parent: str | None) -> list[Clause]:
        own = Clause(
            self.key, parent, self.kind, self.heading, self.text.strip(), self.mode, self.needs_agreement
        )
        return [own, *(one for child in self.clauses for one in child.flat(self.key))]


class _TemplateFile(_Facts):
    header: _Header
    numbering: NumberingStyle
    placeholders: tuple[PlaceholderDefinition, ...]
    clauses: tuple[_ClauseFacts, ...]


@dataclass(frozen=True, slots=True)
class StarterTemplate:
    """A template to start from. The header lacks the organisation, which is the trust that takes it."""

    header: PolicyHeader
    numbering: NumberingStyle
    placeholders: tuple[PlaceholderDefinition, ...]
    tree: Tree

    def header_for(self, organisation: str) -> PolicyHeader:
        """The header with the name of the trust that takes the template."""
        return replace(self.header, organisation=organisation)


class PlaceFacts(_Facts):
    """What fills the slots at one place. `role_labels`: {"headteacher": "Principal"}; `values`: slot name -> words."""

    name: str
    role_labels: Mapping[str, str]
    values: Mapping[str, str]


class SchoolFacts(PlaceFacts):
    short_name: str
    slug: str
    phase: str
    joined_on: date = Field(alias="from")


class TrustFacts(_Facts):
    """The trust, and its central team as a place."""

    name: str
    short_name: str
    slug: str
    colour: str
    founded_on: date = Field(alias="from")
    place: PlaceFacts


class MembershipFacts(_Facts):
    """A role at a school (by its slug) or, without one, at the trust; from a day to a day."""

    role: Role
    school: str | None = None
    from_on: date = Field(alias="from")
    to_on: date | None = Field(default=None, alias="to")
    acting: bool = False

    @model_validator(mode="after")
    def _is_held_at_a_place(self) -> Self:
        if (self.role in SCHOOL_ROLES) != (self.school is not None):
            where = "a school" if self.role in SCHOOL_ROLES else "the trust"
            raise ValueError(f"the role {self.role} is held at {where}")
        if self.to_on is not None and self.to_on < self.from_on:
            raise ValueError("a membership ends after it begins")
        return self


class PersonFacts(_Facts):
    """Somebody of the trust. `line_manager` is an e-mail address; `shown` people are offered on the sign-in page."""

    name: str
    email: str | None = None
    job: str
    shown: bool = False
    description: str = ""
    line_manager: str | None = None
    memberships: tuple[MembershipFacts, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_shown(self) -> Self:
        if self.shown and not (self.email and self.description):
            raise ValueError(f"{self.name} is shown, and so needs an e-mail address and a description")
        return self


class _OverrideFacts(_Facts):
    clause: str
    answer: Literal["replace", "leave_out"]
    heading: str | None = None
    text: str | None = None
    reason: str = Field(min_length=1)
    weight: Weight


class _AddedFacts(_Facts):
    key: str
    after: str
    heading: str = ""
    text: str
    reason: str = Field(min_length=1)
    weight: Weight


class SchoolAnswers(_Facts):
    """What one school (by its slug) decided about the template."""

    school: str
    override_facts: tuple[_OverrideFacts, ...] = Field(alias="overrides")
    added_facts: tuple[_AddedFacts, ...] = Field(alias="added")

    def overrides(self, tree: Tree) -> dict[str, Override]:
        """Clause key -> override, made against the words of `tree`. `StarterFault` when it lacks a clause."""
        clauses = by_key(tree)
        found: dict[str, Override] = {}
        for one in self.override_facts:
            if one.clause not in clauses:
                raise StarterFault(
                    f"{self.school} answers the clause “{one.clause}”, which the template does not have."
                )
            base = clauses[one.clause]
            found[one.clause] = Override(
                clause_key=one.clause,
                answer=Answer(one.answer),
                heading=one.heading,
                text=one.text,
                reason=one.reason,
                base_heading=base.heading,
                base_text=base.text,
                weight=one.weight,
            )
        return found

    def added(self) -> tuple[Added, ...]:
        """The clauses that the school adds, in their order."""
        return tuple(
            Added(
                key=one.key,
                after=one.after,
                heading=one.heading,
                text=one.text,
                reason=one.reason,
                weight=one.weight,
            )
            for one in self.added_facts
        )


class ChangeFacts(_Facts):
    """One change to the trust's text. `replace` changes only what is given; `add` puts a sibling after `after`."""

    change: Literal["replace", "add", "remove"]
    key: str
    weight: Weight
    reason: str = Field(min_length=1)
    after: str | None = None
    kind: Kind = Kind.CLAUSE
    mode: Mode = Mode.LOCKED
    heading: str | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.change == "add" and not (self.after and self.text):
            raise ValueError(f"the new clause “{self.key}” needs `after` and `text`")
        if self.change == "replace" and self.heading is None and self.text is None:
            raise ValueError(f"the change of “{self.key}” changes nothing")
        return self


class SecondVersion(_Facts):
    """What the trust changes in its next version."""

    reason: str
    changes: tuple[ChangeFacts, ...]

    def apply(self, tree: Tree) -> Tree:
        """The tree of the next version. `RuleBroken` when it lacks a clause that is changed or removed."""
        for one in self.changes:
            if one.change == "remove":
                tree = trees.remove(tree, one.key)
            elif one.change == "replace":
                given = {"heading": one.heading, "text": one.text}
                tree = trees.change(
                    tree, one.key, **{name: it for name, it in given.items() if it is not None}
                )
            else:
                parent = next((clause.parent for clause in tree if clause.key == one.after), None)
                new = Clause(one.key, parent, one.kind, one.heading or "", one.text or "", one.mode)
                tree = trees.insert(tree, new, after=one.after)
        return tree

    def marks(self) -> dict[str, dict[str, str]]:
        """Clause key -> {"weight", "reason"}, as a template version keeps them."""
        return {one.key: {"weight": one.weight.value, "reason": one.reason} for one in self.changes}


class Demonstration(_Facts):
    """The demonstration trust: its schools, its people, what each school decided, what the trust changes next."""

    trust: TrustFacts
    schools: tuple[SchoolFacts, ...]
    people: tuple[PersonFacts, ...]
    answers: tuple[SchoolAnswers, ...]
    second_version: SecondVersion

    def values_at(self, slug: str | None) -> dict[str, str]:
        """Slot name -> words at a school, or (None) at the trust itself; names and role labels included."""
        place: PlaceFacts = self.trust.place
        if slug is not None:
            place = next(school for school in self.schools if school.slug == slug)
        roles = {f"role.{role}": label for role, label in place.role_labels.items()}
        return {"trust.name": self.trust.name, "school.name": place.name, **roles, **place.values}

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        slugs = [school.slug for school in self.schools]
        emails = [person.email for person in self.people if person.email]
        for what, names in (("school", slugs), ("e-mail address", emails)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"the {what} “{twice[0]}” stands here twice")
        for person in self.people:
            for at in person.memberships:
                if at.school is not None and at.school not in slugs:
                    raise ValueError(
                        f"{person.name} serves at “{at.school}”, which is not a school of this trust"
                    )
            if person.line_manager is not None and person.line_manager not in emails:
                raise ValueError(f"the line manager of {person.name} is nobody here: {person.line_manager}")
        for answers in self.answers:
            if answers.school not in slugs:
                raise ValueError(f"“{answers.school}” answers, and is not a school of this trust")
        return self


def load_template(text: str) -> StarterTemplate:
    """A starter template from YAML.

    `StarterFault` when it does not parse, when the tree is not well formed, when a reference leads nowhere, or when
    the slots that are used and those that are defined differ.
    """
    file = _validated(_TemplateFile, text)
    tree = tuple(clause for one in file.clauses for clause in one.flat(None))
    try:
        check_tree(tree, complete=True)
    except RuleBroken as fault:
        raise StarterFault(fault.message) from fault
    for key, about in references.dangling(tree):
        raise StarterFault(f"The clause “{key}” refers to “{about}”, which is not in the template.")
    _check_slots(tree, file.placeholders)
    return StarterTemplate(
        header=PolicyHeader(**file.header.model_dump()),
        numbering=file.numbering,
        placeholders=file.placeholders,
        tree=tree,
    )


def load_demonstration(text: str) -> Demonstration:
    """The demonstration trust from YAML. `StarterFault` when it does not parse or does not agree with itself."""
    return _validated(Demonstration, text)


def read_builtin(name: str) -> str:
    """The text of a file that is shipped here: "social_media" or "demonstration". `StarterFault` for any other."""
    file = resources.files(__package__) / f"{name}.yaml"
    if not re.fullmatch(r"[a-z_]+", name) or not file.is_file():
        raise StarterFault(f"There is no starter file “{name}”.")
    return file.read_text(encoding="utf-8")


def _validated(shape: type[_Shape], text: str) -> _Shape:
    try:
        read: Any = notation.from_yaml(text)
    except notation.YAMLError as fault:
        raise StarterFault(f"This is not YAML: {fault}") from fault
    try:
        return shape.model_validate(read)
    except ValidationError as fault:
        lines = (f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in fault.errors())
        raise StarterFault("\n".join(lines)) from fault


def _check_slots(tree: Tree, defined: Sequence[PlaceholderDefinition]) -> None:
    names = [slot.name for slot in defined]
    used: set[str] = set()
    for clause in tree:
        words = f"{clause.heading}\n{clause.text}"
        for slot in placeholders.malformed(words):
            raise StarterFault(f"The clause “{clause.key}” has the slot {slot}, which is not a name.")
        used.update(placeholders.find(words))
    if len(names) != len(set(names)):
        raise StarterFault("A placeholder is defined twice.")
    if used - set(names):
        raise StarterFault(
            f"The template uses placeholders that it does not define: {', '.join(sorted(used - set(names)))}."
        )
    if set(names) - used:
        raise StarterFault(
            f"The template defines placeholders that it does not use: {', '.join(sorted(set(names) - used))}."
        )
