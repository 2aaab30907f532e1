"""Who receives an allegation about whom: a table that trustees approve, and what follows from it for one case. Pure.

A case about several people goes by the most senior of them. What the table gives is only ever a suggestion: whoever is
a subject, led by one or tied to one is dropped by `routing`, which then goes a tier up, and at the top to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from trustportal.access import ROLE_LABELS, SCHOOL_ROLES, Role
from trustportal.errors import RuleBroken
from trustportal.workflows.domain.definition import Route, Rule, RuleKind
from trustportal.workflows.domain.routing import LEADS_AT_SCHOOL, LEADS_AT_TRUST, Roster, barred

#: The definition that goes by this table.
ALLEGATION = "allegation"


class Line(StrEnum):
    """Whom a case is about, the most senior first."""

    BOARD_CHAIR = "board_chair"
    TRUSTEE = "trustee"
    CEO = "ceo"
    CENTRAL = "central"
    EXECUTIVE_HEAD = "executive_head"
    HEAD_OF_SCHOOL = "head_of_school"
    HEAD = "head"
    GOVERNOR = "governor"
    DSL = "dsl"
    WORKER = "worker"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class LineText:
    """A line in words, and the posts that it is about."""

    title: str
    about: frozenset[Role] = frozenset()
    hint: str = ""


LINES: Mapping[Line, LineText] = {
    Line.BOARD_CHAIR: LineText("The chair of the trust board", frozenset({Role.CHAIR_OF_TRUST_BOARD})),
    Line.TRUSTEE: LineText(
        "A trustee",
        frozenset({Role.TRUSTEE, Role.VICE_CHAIR_OF_TRUST_BOARD}),
        "Also a head who sits on the trust board",
    ),
    Line.CEO: LineText("The chief executive", frozenset({Role.CEO})),
    Line.CENTRAL: LineText(
        "Somebody of the central team",
        frozenset({Role.NETWORK_MANAGER, Role.HR_LEAD, Role.DPO, Role.CLERK, Role.CENTRAL_STAFF}),
        "The trust network manager too, who looks after this portal",
    ),
    Line.EXECUTIVE_HEAD: LineText(
        "The head of several schools",
        hint="A local chair may be too close to somebody above their own school",
    ),
    Line.HEAD_OF_SCHOOL: LineText(
        "A head of school under a legal headteacher",
        hint="Only where a school names its legal headteacher below, who is asked first",
    ),
    Line.HEAD: LineText("The headteacher", frozenset({Role.HEADTEACHER})),
    Line.GOVERNOR: LineText(
        "A governor", frozenset({Role.CHAIR_OF_GOVERNORS, Role.VICE_CHAIR_OF_GOVERNORS, Role.GOVERNOR})
    ),
    Line.DSL: LineText("The designated safeguarding lead", frozenset({Role.DSL})),
    Line.WORKER: LineText(
        "Anybody else who works for a school", hint="Staff, supply teachers, volunteers and contractors"
    ),
    Line.UNSAFE: LineText(
        "Whoever reports says: I do not know who is safe",
        hint="Never anybody of a school; the LADO is shown first",
    ),
}
_CHAIR_OF_BOARD = (Role.CHAIR_OF_TRUST_BOARD, Role.VICE_CHAIR_OF_TRUST_BOARD)
_OF_THE_SCHOOL = (Role.CHAIR_OF_GOVERNORS, Role.VICE_CHAIR_OF_GOVERNORS)
DEFAULTS: Mapping[Line, tuple[Role, ...]] = {
    Line.BOARD_CHAIR: (Role.VICE_CHAIR_OF_TRUST_BOARD,),
    Line.TRUSTEE: _CHAIR_OF_BOARD,
    Line.CEO: _CHAIR_OF_BOARD,
    Line.CENTRAL: (Role.CEO, *_CHAIR_OF_BOARD),
    Line.EXECUTIVE_HEAD: _CHAIR_OF_BOARD,
    Line.HEAD_OF_SCHOOL: (*_OF_THE_SCHOOL, *_CHAIR_OF_BOARD),
    Line.HEAD: (*_OF_THE_SCHOOL, *_CHAIR_OF_BOARD),
    Line.GOVERNOR: _CHAIR_OF_BOARD,
    Line.DSL: (Role.HEADTEACHER, Role.CEO),
    Line.WORKER: (Role.HEADTEACHER, Role.CEO),
    Line.UNSAFE: _CHAIR_OF_BOARD,
}
#: Who can stand in the table at all. A network manager looks after the portal, a clerk gets alarms: neither receives.
RECIPIENTS: tuple[Role, ...] = (
    Role.HEADTEACHER,
    Role.DEPUTY_HEADTEACHER,
    Role.CHAIR_OF_GOVERNORS,
    Role.VICE_CHAIR_OF_GOVERNORS,
    Role.CEO,
    Role.HR_LEAD,
    Role.CHAIR_OF_TRUST_BOARD,
    Role.VICE_CHAIR_OF_TRUST_BOARD,
)
#: How many can stand in one line.
MOST = 4


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ring at a local authority, and its own rule where that is tighter than one working day."""

    authority: str
    name: str = ""
    phone: str = ""
    email: str = ""
    #: Children's social care, for a child at risk now.
    social_care: str = ""
    #: "within 24 hours, weekends too"
    local_rule: str = ""


@dataclass(frozen=True, slots=True)
class SchoolsLine:
    """What is particular to a school: its local authority, and who holds the legal headteacher's post."""

    authority: str = ""
    legal_head: UUID | None = None


@dataclass(frozen=True)
class Table:
    """Who receives what. `lines` that are missing are as they come with the portal."""

    lines: Mapping[Line, tuple[Role, ...]] = field(default_factory=lambda: dict(DEFAULTS))
    contacts: tuple[Contact, ...] = ()
    schools: Mapping[UUID, SchoolsLine] = field(default_factory=dict)

    def to(self, line: Line) -> tuple[Role, ...]:
        """Who receives it, in order."""
        return self.lines.get(line, DEFAULTS[line])

    def contact(self, school: UUID | None) -> Contact | None:
        """Whom to ring for a school; the only one there is, where the school names none."""
        named = self.schools.get(school, SchoolsLine()).authority if school else ""
        found = next((one for one in self.contacts if one.authority == named), None)
        return found or (self.contacts[0] if len(self.contacts) == 1 else None)

    def stored(self) -> dict[str, Any]:
        """As it lies in the database."""
        return {
            "lines": {str(line): [str(role) for role in to] for line, to in self.lines.items()},
            "contacts": [
                {
                    "authority": one.authority,
                    "name": one.name,
                    "phone": one.phone,
                    "email": one.email,
                    "social_care": one.social_care,
                    "local_rule": one.local_rule,
                }
                for one in self.contacts
            ],
            "schools": {
                str(school): {"authority": one.authority, "legal_head": str(one.legal_head or "")}
                for school, one in self.schools.items()
            },
        }

    @classmethod
    def read(cls, content: Mapping[str, Any] | None) -> Table:
        """A stored table; None: as it comes with the portal."""
        if content is None:
            return cls()
        return cls(
            {
                **DEFAULTS,
                **{
                    Line(line): tuple(Role(one) for one in to)
                    for line, to in content.get("lines", {}).items()
                },
            },
            tuple(Contact(**one) for one in content.get("contacts", ())),
            {
                UUID(school): SchoolsLine(
                    one.get("authority", ""), UUID(one["legal_head"]) if one.get("legal_head") else None
                )
                for school, one in content.get("schools", {}).items()
            },
        )


def _led(roles: Iterable[Role]) -> frozenset[Role]:
    """The posts that holders of some posts lead."""
    found: set[Role] = set()
    for role in roles:
        found |= LEADS_AT_SCHOOL.get(role, frozenset()) | LEADS_AT_TRUST.get(role, frozenset())
    return frozenset(found)


def check(table: Table) -> None:
    """Raise `RuleBroken` for a table that could never fail closed: a line that names whom it is about, or those whom
    they lead, or a line about a head or above that stays below them."""
    for line, text in LINES.items():
        to, title = table.to(line), f"“{text.title}”"
        if not to:
            raise RuleBroken(f"{title}: name somebody.", line)
        if len(set(to)) < len(to):
            raise RuleBroken(f"{title}: name each post once.", line)
        for role in to:
            if role not in RECIPIENTS:
                raise RuleBroken(
                    f"{title}: the {ROLE_LABELS[role].lower()} cannot receive an allegation.", line
                )
        about = text.about
        if line in {Line.HEAD, Line.HEAD_OF_SCHOOL, Line.EXECUTIVE_HEAD}:
            about = frozenset({Role.HEADTEACHER})
        if line is Line.UNSAFE:
            about = SCHOOL_ROLES
        wrong = sorted((about | _led(about)) & set(to))
        if line is Line.TRUSTEE:
            wrong = sorted(set(wrong) - {Role.VICE_CHAIR_OF_TRUST_BOARD})
        if wrong:
            raise RuleBroken(
                f"{title}: this cannot go to the {ROLE_LABELS[wrong[0]].lower()}. It would reach the person whom it is"
                " about, or somebody who works under them.",
                line,
            )
    names = [one.authority for one in table.contacts]
    if len(set(names)) < len(names):
        raise RuleBroken("Each local authority stands here once.", "contacts")
    for one in table.contacts:
        if not (one.phone or one.email):
            raise RuleBroken(f"{one.authority}: give a telephone number or an address.", "contacts")
    for school in table.schools.values():
        if school.authority and school.authority not in names:
            raise RuleBroken("A school names a local authority that is not in the list.", "contacts")


# -- one case ----------------------------------------------------------------------------------------------------


def line_of(
    table: Table, roster: Roster, subjects: Iterable[UUID], school: UUID | None, involved: str = "no"
) -> Line:
    """By which line a case goes: the most senior of everybody whom it is about. `involved`: what the reporter said of
    the head (`head`), or that they do not know who is safe (`unsafe`)."""
    if involved == "unsafe":
        return Line.UNSAFE
    found = {_line_about(table, roster, subject, school) for subject in subjects}
    if involved == "head":
        found.add(Line.HEAD)
    order = list(Line)
    return min(found or {Line.WORKER}, key=order.index)


def _line_about(table: Table, roster: Roster, subject: UUID, school: UUID | None) -> Line:
    held = roster.roles_of(subject, school)
    everywhere = [post for post in roster.posts if post.person == subject]
    for line in (Line.BOARD_CHAIR, Line.TRUSTEE, Line.CEO, Line.CENTRAL):
        if held & LINES[line].about:
            return line
    if Role.HEADTEACHER in held:
        if len({post.school for post in everywhere if post.role is Role.HEADTEACHER}) > 1:
            return Line.EXECUTIVE_HEAD
        legal = table.schools.get(school, SchoolsLine()).legal_head if school else None
        return Line.HEAD_OF_SCHOOL if legal not in {None, subject} else Line.HEAD
    for line in (Line.GOVERNOR, Line.DSL):
        if held & LINES[line].about:
            return line
    return Line.WORKER


def rules_for(
    table: Table, roster: Roster, subjects: Iterable[UUID], school: UUID | None, involved: str = "no"
) -> tuple[Rule, ...]:
    """The rules for the case manager of one case, in order."""
    line = line_of(table, roster, subjects, school, involved)
    rules = [Rule(RuleKind.ROLE, role=role) for role in table.to(line)]
    legal = table.schools.get(school, SchoolsLine()).legal_head if school else None
    if legal is not None:
        person = Rule(RuleKind.PERSON, person=legal)
        if line is Line.HEAD_OF_SCHOOL:
            rules.insert(0, person)
        elif line in {Line.WORKER, Line.DSL}:
            at = next((n for n, rule in enumerate(rules) if rule.role is Role.HEADTEACHER), 0)
            rules.insert(at, person)
    return tuple(rules)


def vacant(table: Table, roster: Roster, schools: Iterable[tuple[UUID, str]]) -> list[str]:
    """Where an allegation would reach nobody, or only somebody above the school, as posts are filled today: words for
    whoever decides about the table."""
    found = []
    above = {Role.CHAIR_OF_TRUST_BOARD, Role.VICE_CHAIR_OF_TRUST_BOARD}
    if not any(roster.holders(role, None) for role in above):
        found.append(
            "The trust has neither a chair nor a vice-chair of the trust board: nobody is at the top."
        )
    for school, name in schools:
        heads = roster.holders(Role.HEADTEACHER, school)
        for head in heads[:1]:
            out = barred(roster, [head])
            rules = rules_for(table, roster, [head], school)
            if not any(set(_held_by(rule, roster, school)) - out for rule in rules):
                found.append(f"{name}: nobody can receive an allegation about the head.")
    return found


def about_head(table: Table, roster: Roster, school: UUID) -> frozenset[UUID]:
    """Who can receive an allegation about a school's head, as posts are filled today. Empty where there is no head, or
    where nobody is left for one of its heads: neither they themselves count, nor whom they lead or are tied to, nor
    who is away for long.
    """
    found: set[UUID] = set()
    heads = roster.holders(Role.HEADTEACHER, school)
    for head in heads:
        out = barred(roster, [head]) | roster.absent
        left = {
            person
            for rule in rules_for(table, roster, [head], school)
            for person in _held_by(rule, roster, school)
        } - out
        if not left:
            return frozenset()
        found |= left
    return frozenset(found)


def _held_by(rule: Rule, roster: Roster, school: UUID) -> tuple[UUID, ...]:
    if rule.kind is RuleKind.PERSON:
        return (rule.person,) if rule.person in roster.people() else ()
    assert rule.role is not None
    return roster.holders(rule.role, school if rule.role in SCHOOL_ROLES else None)


def differs(before: Table, after: Table) -> list[str]:
    """What another table changes, in words for whoever approves it."""
    found = []
    for line, text in LINES.items():
        if before.to(line) != after.to(line):
            found.append(f"{text.title}: {in_words(after.to(line))} (before: {in_words(before.to(line))})")
    if before.contacts != after.contacts:
        found.append("The contacts at local authorities")
    if before.schools != after.schools:
        found.append("What is particular to a school")
    return found


def in_words(to: Iterable[Role]) -> str:
    """ "the headteacher, else the chief executive"."""
    return ", else ".join(f"the {ROLE_LABELS[one][:1].lower()}{ROLE_LABELS[one][1:]}" for one in to)


def with_line(table: Table, line: Line, to: Iterable[Role]) -> Table:
    """The table with another line."""
    return replace(table, lines={**table.lines, line: tuple(to)})


def as_routes(table: Table) -> tuple[Route, ...]:
    """The table as a definition's own, to check it with the people of today: what depends on a school is left out."""
    found = [
        Route(tuple(sorted(text.about)), tuple(Rule(RuleKind.ROLE, role=role) for role in table.to(line)))
        for line, text in LINES.items()
        if text.about
    ]
    return (*found, Route((), tuple(Rule(RuleKind.ROLE, role=role) for role in table.to(Line.WORKER))))
