"""A workflow as data: its form, its states with who acts in each, deadlines, letters, who may see a case. Pure.

A definition is immutable. A state is left when an action is taken in it; the action that goes forward is taken by
every seat of the state, any other by one of them. Seats name rules, in order: the first that finds somebody who may
act gets the task.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from trustportal.access import Role

#: What stands for whoever started a case, where a definition names somebody.
STARTER = "starter"


class FieldKind(StrEnum):
    """What a field takes. People and accounts of the register are ids, days ISO days, choices the options' values."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    CHOICES = "choices"
    PERSON = "person"
    PEOPLE = "people"
    DAY = "day"
    TICK = "tick"
    ACCOUNT = "account"
    ACCOUNTS = "accounts"
    #: Clauses of the policies that are in force at the school, as `<edition>~<clause's key>`.
    CLAUSES = "clauses"
    #: A time of day, "14:30".
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice. `hint` explains it beside the answer."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when a field's answer is, or contains, one of these values."""

    field: str
    any_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A question of the form. `asked_by`: the key of the action that asks it; "" for the form itself."""

    key: str
    label: str
    kind: FieldKind
    hint: str = ""
    section: str = ""
    required: bool = True
    required_if: Condition | None = None
    options: tuple[Option, ...] = ()
    #: Lists: how many different ones at least.
    least: int = 0
    #: People: nobody who stands in these fields (`starter` is whoever starts the case).
    not_same_as: tuple[str, ...] = ()
    #: Lists of people: identical to this list is allowed, and worth a second thought.
    warn_same_as: str = ""
    #: Days: after the day in this field, or after "today".
    after: str = ""
    longest: int = 4000
    asked_by: str = ""
    #: Never printed in a letter to somebody outside.
    private: bool = False
    #: Its names, divided by commas or lines, never stand in a letter to somebody outside, whoever writes them there.
    unnamed: bool = False
    #: Not kept among the case's answers: only whoever gives it, and the effect of the action, read it.
    apart: bool = False
    #: Kept only where its condition holds: what was typed there otherwise means nothing.
    only: bool = False
    #: Said at the top of the case once it is answered; {answer} stands for the answer.
    banner: str = ""


class RuleKind(StrEnum):
    """How a rule finds people."""

    STARTER = "starter"
    FIELD = "field"
    ROLE = "role"
    PERSON = "person"
    ROUTE = "route"


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to find who acts. `everyone`: all who hold the role share the task; otherwise one of them gets it.

    `route` stands for the definition's routing table, which looks at the roles of the case's subjects.
    """

    kind: RuleKind = RuleKind.ROLE
    role: Role | None = None
    field: str = ""
    person: UUID | None = None
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the routing table: a subject who holds one of these roles goes to these rules. Without roles: any."""

    roles: tuple[Role, ...]
    to: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who has to act in a state. `apart_from`: never the starter, nobody in these fields, and nobody who
    signed in these states (`state:…`)."""

    key: str
    title: str
    rules: tuple[Rule, ...]
    apart_from: tuple[str, ...] = ()


class Unit(StrEnum):
    """What a deadline counts."""

    WORKING_DAYS = "working_days"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when a state has to be left. `stops_in_holidays`: days of school holidays are not counted.

    `remind_before`: so many working days before, everybody who has not acted is reminded; `on_the_day`: on the day too.
    `escalate`: who is told when it has passed: the first that is neither a subject, nor barred, nor has it already.
    `escalate_after`: so many working days later, and after as many again whoever comes next; 0: at once, and once.
    """

    within: int
    unit: Unit = Unit.WORKING_DAYS
    stops_in_holidays: bool = False
    remind_before: int = 1
    on_the_day: bool = False
    escalate: tuple[Rule, ...] = ()
    escalate_after: int = 0
    #: Counted from the day in this field instead of the day on which the state was entered.
    from_field: str = ""
    #: Where the case goes by itself when the day has passed; "": it stays.
    lapse_to: str = ""


class TargetUnit(StrEnum):
    """What a target counts."""

    WORKING_DAYS = "working_days"
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to aim at by a day, and no rule. `since`: the action from which it is counted; "" for the beginning.

    `met_by`: the actions with which it is reached.
    """

    key: str
    label: str
    within: int
    unit: TargetUnit = TargetUnit.DAYS
    since: str = ""
    met_by: tuple[str, ...] = ()


class ActionKind(StrEnum):
    """`forward` waits for every seat; the others take effect at once."""

    FORWARD = "forward"
    BACK = "back"
    END = "end"
    OTHER = "other"
    #: Only notes its answers: the case stays where it is, and nobody's task is done by it.
    NOTE = "note"


class Comment(StrEnum):
    """Whether an action asks for words."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Effect(StrEnum):
    """What an action causes beyond the case."""

    REGISTER = "register"
    CHANGE_REGISTER = "change_register"
    #: Why advice is sought lies apart from the case; what has to be told is told.
    HOLD = "hold"


class Guard(StrEnum):
    """What must hold when an action is taken."""

    PEOPLE_SERVE = "people_serve"
    DAYS_AHEAD = "days_ahead"
    #: No letter of the action names somebody whom the form says must not be named.
    UNNAMED = "unnamed"
    #: In a second meeting about the same, the chair of governors takes part.
    CHAIR_ATTENDS = "chair_attends"
    #: The day of the meeting has come.
    MEETING_DAY_CAME = "meeting_day_came"


@dataclass(frozen=True, slots=True)
class Fork:
    """Another way that an action takes when the answers say so; with letters of its own."""

    to: str
    when: Condition
    letters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meeting:
    """The calendar file of an action. `key`: which meeting; a later file about the same one replaces the earlier.

    `day`, `time`, `minutes` and `place` name fields. `cancels`: the meeting does not take place.
    """

    key: str
    day: str
    time: str
    minutes: str
    place: str
    title: str
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done in a state. `statement`: what is signed by it, "" for no signature."""

    key: str
    label: str
    to: str
    kind: ActionKind = ActionKind.FORWARD
    statement: str = ""
    comment: Comment = Comment.OPTIONAL
    comment_label: str = "Anything to add?"
    by_starter: bool = False
    effects: tuple[Effect, ...] = ()
    guards: tuple[Guard, ...] = ()
    letters: tuple[str, ...] = ()
    #: What the timeline says: "approved the request".
    said: str = ""
    #: The first whose condition holds is taken instead of `to`.
    forks: tuple[Fork, ...] = ()
    #: Questions that it asks again, besides those that name it.
    fields: tuple[str, ...] = ()
    #: How often it can be taken in one case; 0: as often as one likes.
    at_most: int = 0
    meeting: Meeting | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state that it can lead to."""
        return () if self.kind is ActionKind.NOTE else (*(fork.to for fork in self.forks), self.to)

    @property
    def all_letters(self) -> tuple[str, ...]:
        """Every letter that it can write."""
        return (*self.letters, *(key for fork in self.forks for key in fork.letters))


@dataclass(frozen=True, slots=True)
class State:
    """Where a case can be. A closed one has no seats, actions or deadline."""

    key: str
    title: str
    seats: tuple[Seat, ...] = ()
    actions: tuple[Action, ...] = ()
    deadline: Deadline | None = None
    closed: bool = False
    guidance: str = ""
    #: Whether the starter may change the form here; that voids what was signed, and begins again at `resubmit_to`.
    starter_edits: bool = False

    def action(self, key: str) -> Action | None:
        """One of its actions."""
        return next((one for one in self.actions if one.key == key), None)

    def seat(self, key: str) -> Seat | None:
        """One of its seats."""
        return next((one for one in self.seats if one.key == key), None)

    @property
    def forward(self) -> Action | None:
        """The action that every seat takes."""
        return next((one for one in self.actions if one.kind is ActionKind.FORWARD), None)


@dataclass(frozen=True, slots=True)
class Letter:
    """Words to somebody, made when an action says so. Slots like {{school}} are filled from the case."""

    key: str
    title: str
    body: str
    #: A field for a person; or one for a text: then it is for somebody outside, and sent by the school itself.
    to: str = STARTER
    #: A field with the name of a second person whom it is for, where one is given.
    and_to: str = ""
    #: A field with the postal address.
    address: str = ""


@dataclass(frozen=True, slots=True)
class Twin:
    """When a form concerns two people who must not share a letter, it becomes two cases: in the second, the fields on
    the right stand in the place of those on the left; neither keeps anything of the other.
    """

    when: Condition
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SchoolMay:
    """What a school may set for itself."""

    deadlines: bool = False
    people: bool = False
    letters: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow."""

    key: str
    title: str
    summary: str
    start_label: str
    states: tuple[State, ...]
    fields: tuple[Field, ...] = ()
    who_may_start: tuple[Role, ...] = ()
    letters: tuple[Letter, ...] = ()
    #: Who sees a case besides those who act in it.
    watchers: tuple[Rule, ...] = ()
    #: Fields that name the people whom a case is about: they never receive or see it.
    subject_fields: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    #: Who gets a task when the seat's own rules find nobody, in order.
    upwards: tuple[Rule, ...] = ()
    #: About the safety of a child: what is left over goes to the LADO, mail says nothing, titles are not shown.
    safeguarding: bool = False
    #: Where a case goes when its starter changes the form; "" for the first state.
    resubmit_to: str = ""
    school_may: SchoolMay = SchoolMay()
    keep_years: int = 6
    keep_reason: str = ""
    title_field: str = ""
    group: str = "Requests"
    #: Whether whoever starts a case goes on seeing it. One who acts in it does anyway.
    starter_sees: bool = True
    twin: Twin | None = None
    targets: tuple[Target, ...] = ()

    def state(self, key: str) -> State:
        """A state by its key. Raises KeyError."""
        for one in self.states:
            if one.key == key:
                return one
        raise KeyError(key)

    @property
    def first(self) -> State:
        """Where a case begins."""
        return self.states[0]

    @property
    def form(self) -> tuple[Field, ...]:
        """The questions that are asked at the start."""
        return tuple(one for one in self.fields if not one.asked_by)

    def asked_by(self, action: str) -> tuple[Field, ...]:
        """The questions that an action asks."""
        return tuple(one for one in self.fields if one.asked_by == action)

    def asked_in(self, action: Action) -> tuple[Field, ...]:
        """The questions that an action asks, those that were answered before included."""
        return tuple(one for one in self.fields if one.asked_by == action.key or one.key in action.fields)

    def is_outside(self, letter: Letter) -> bool:
        """Whether a letter is for somebody who does not use the portal."""
        named = self.field(letter.to)
        return named is not None and named.kind is FieldKind.TEXT

    def field(self, key: str) -> Field | None:
        """A question by its key."""
        return next((one for one in self.fields if one.key == key), None)

    def letter(self, key: str) -> Letter | None:
        """A letter by its key."""
        return next((one for one in self.letters if one.key == key), None)

    def seats(self) -> Iterator[tuple[State, Seat]]:
        """Every seat with its state."""
        for state in self.states:
            for seat in state.seats:
                yield state, seat

    def forward_path(self) -> tuple[State, ...]:
        """The states of a case in which everybody goes forward, the closed one included."""
        path, state = [self.first], self.first
        while not state.closed and state.forward is not None:
            state = self.state(state.forward.to)
            if state in path:
                break
            path.append(state)
        return tuple(path)


Values = dict[str, Any]
