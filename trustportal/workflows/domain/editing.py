"""Changing a definition in plain steps: another deadline, a step more, an approver more, other words. Pure.

Each takes a definition and gives another; nothing is checked here but that what is named is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from trustportal.access import ROLE_LABELS, TRUST_ROLES, Role
from trustportal.errors import NotFound, RuleBroken
from trustportal.workflows.domain.definition import (
    Action,
    ActionKind,
    Deadline,
    Definition,
    Rule,
    RuleKind,
    Seat,
    State,
)

MOST_DAYS = 365
#: How many working days a reminder can come before a deadline, or an escalation after it.
MOST_WAIT = 60


def _state(definition: Definition, key: str) -> State:
    try:
        return definition.state(key)
    except KeyError:
        raise NotFound() from None


def _with(definition: Definition, changed: State) -> Definition:
    return replace(
        definition, states=tuple(changed if one.key == changed.key else one for one in definition.states)
    )


def days(number: int | None, field: str) -> int:
    """A deadline's length. Raises `RuleBroken` for one that is none."""
    if number is None or not 1 <= number <= MOST_DAYS:
        raise RuleBroken(f"Enter a number of working days between 1 and {MOST_DAYS}.", field)
    return number


def set_deadline(
    definition: Definition,
    state: str,
    *,
    within: int | None,
    stops_in_holidays: bool,
    remind_before: int | None = None,
    on_the_day: bool | None = None,
    escalate_after: int | None = None,
    escalate_to: Role | None = None,
) -> Definition:
    """Another deadline for a step, and whether school holidays stop it; who is reminded when, and when and to whom a
    late step goes upwards. What is None stays as it was.
    """
    found = _state(definition, state)
    if found.closed:
        raise NotFound()
    before = found.deadline or Deadline(1)
    length = days(within, "within")
    remind = before.remind_before if remind_before is None else remind_before
    if not 0 <= remind <= MOST_WAIT:
        raise RuleBroken(f"Enter a number of working days between 0 and {MOST_WAIT}.", "remind_before")
    wait = before.escalate_after if escalate_after is None else escalate_after
    if not 0 <= wait <= MOST_WAIT:
        raise RuleBroken(f"Enter a number of working days between 0 and {MOST_WAIT}.", "escalate_after")
    deadline = replace(
        before,
        within=length,
        stops_in_holidays=stops_in_holidays,
        remind_before=remind,
        on_the_day=before.on_the_day if on_the_day is None else on_the_day,
        escalate_after=wait,
        escalate=before.escalate if escalate_to is None else _rules_for(escalate_to),
    )
    return _with(definition, replace(found, deadline=deadline))


def _key(words: str, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:40] or "step"
    key, number = plain, 2
    while key in taken:
        key, number = f"{plain}_{number}", number + 1
    return key


def _title(words: str, field: str) -> str:
    title = " ".join(words.split())
    if not title:
        raise RuleBroken("Give it a name, in a few words.", field)
    if len(title) > 80:
        raise RuleBroken("The name can have up to 80 characters.", field)
    return title


_ABOVE = (Role.HEADTEACHER, Role.CEO, Role.CHAIR_OF_TRUST_BOARD)
_BOARD = frozenset({Role.CHAIR_OF_GOVERNORS, Role.GOVERNOR})


def _rules_for(role: Role) -> tuple[Rule, ...]:
    """The holder of a post, and whoever stands above it when that post is vacant or is the starter's own."""
    if role in TRUST_ROLES or role is Role.HEADTEACHER or role in _BOARD:
        above = [one for one in _ABOVE[1:] if one is not role]
    else:
        above = list(_ABOVE)
    return tuple(Rule(role=one) for one in (role, *above))


def add_approver(definition: Definition, state: str, *, role: Role | None, title: str = "") -> Definition:
    """One more who has to agree in a step: everybody there goes forward before the case does."""
    found = _state(definition, state)
    if found.closed or found.forward is None:
        raise RuleBroken("This step has nothing to agree to: add a step instead.", "role")
    if role is None:
        raise RuleBroken("Choose who has to agree too.", "role")
    if any(rule.role is role for seat in found.seats for rule in seat.rules[:1]):
        raise RuleBroken(f"The {ROLE_LABELS[role].lower()} has to agree here already.", "role")
    words = _title(title or ROLE_LABELS[role], "title")
    seat = Seat(
        key=_key(words, {one.key for one in found.seats}),
        title=words,
        rules=_rules_for(role),
        apart_from=("starter",),
    )
    return _with(definition, replace(found, seats=(*found.seats, seat)))


def remove_approver(definition: Definition, state: str, seat: str) -> Definition:
    """One fewer; the last one of a step stays."""
    found = _state(definition, state)
    if found.seat(seat) is None:
        raise NotFound()
    if len(found.seats) == 1:
        raise RuleBroken("A step needs somebody: take the whole step out instead.")
    return _with(definition, replace(found, seats=tuple(one for one in found.seats if one.key != seat)))


def add_step(
    definition: Definition,
    after: str,
    *,
    title: str,
    role: Role | None,
    statement: str,
    within: int | None,
) -> Definition:
    """A step more on the way forward: after it, the case goes where it went before."""
    if not after:
        raise RuleBroken("Choose after which step it comes.", "after")
    before = _state(definition, after)
    forward = before.forward
    if before.closed or forward is None:
        raise RuleBroken("A step can only come after one from which cases go forward.", "after")
    words = _title(title, "title")
    if role is None:
        raise RuleBroken("Choose who does this step.", "role")
    if len(statement.strip()) > 400:
        raise RuleBroken("The statement can have up to 400 characters.", "statement")
    length = days(within, "within")
    key = _key(words, {one.key for one in definition.states})
    back = next((one for one in before.actions if one.kind is ActionKind.BACK), None)
    escalate = before.deadline.escalate if before.deadline else ()
    step = State(
        key=key,
        title=words,
        seats=(Seat(key="seat", title=ROLE_LABELS[role], rules=_rules_for(role), apart_from=("starter",)),),
        actions=(
            Action(
                key="agree",
                label="Agree",
                to=forward.to,
                statement=statement.strip(),
                effects=forward.effects,
                guards=forward.guards,
                letters=forward.letters,
                forks=forward.forks,
                meeting=forward.meeting,
                said="agreed",
            ),
            *((replace(back, key="send_back"),) if back else ()),
            *(
                replace(one, key=f"end_{number}")
                for number, one in enumerate(before.actions)
                if one.kind is ActionKind.END and not one.by_starter
            ),
            *(one for one in before.actions if one.by_starter),
        ),
        deadline=Deadline(length, escalate=escalate),
        starter_edits=before.starter_edits,
    )
    on = replace(forward, to=key, effects=(), guards=(), letters=(), forks=(), meeting=None)
    changed = replace(before, actions=tuple(on if one.key == forward.key else one for one in before.actions))
    states = []
    for one in definition.states:
        states += [changed, step] if one.key == after else [one]
    return replace(definition, states=tuple(states))


def remove_step(definition: Definition, state: str) -> Definition:
    """A step fewer: whatever led to it leads where it went forward."""
    found = _state(definition, state)
    if found.closed or found.forward is None:
        raise RuleBroken("This step cannot be taken out.")
    if found.key == definition.first.key:
        raise RuleBroken("The first step cannot be taken out.")
    forward, states = found.forward, []
    for one in definition.states:
        if one.key == state:
            continue
        actions = tuple(_past(action, state, forward) for action in one.actions)
        deadline = one.deadline
        if deadline is not None and deadline.lapse_to == state:
            deadline = replace(deadline, lapse_to=forward.to)
        states.append(replace(one, actions=actions, deadline=deadline))
    asked = {action.key for one in states for action in one.actions}
    fields = tuple(one for one in definition.fields if not one.asked_by or one.asked_by in asked)
    left = {one.key for one in fields}
    targets = tuple(
        replace(one, met_by=tuple(key for key in one.met_by if key in asked))
        for one in definition.targets
        if not one.since or one.since in asked
    )
    states = [
        replace(
            one,
            actions=tuple(
                replace(action, fields=tuple(key for key in action.fields if key in left))
                for action in one.actions
            ),
        )
        for one in states
    ]
    return replace(
        definition,
        states=tuple(states),
        fields=fields,
        targets=targets,
        resubmit_to="" if definition.resubmit_to == state else definition.resubmit_to,
    )


def _past(action: Action, state: str, forward: Action) -> Action:
    """An action that no longer leads to a state, but where that one led."""
    forks = tuple(replace(one, to=forward.to) if one.to == state else one for one in action.forks)
    if action.to != state:
        return replace(action, forks=forks)
    return replace(
        action,
        to=forward.to,
        forks=forks or forward.forks,
        effects=action.effects or forward.effects,
        guards=action.guards or forward.guards,
        letters=action.letters or forward.letters,
        meeting=action.meeting or forward.meeting,
    )


def set_limit(definition: Definition, state: str, action: str, *, at_most: int | None) -> Definition:
    """How often an action can be taken in one case, wherever it stands: between once and twelve times."""
    found = _state(definition, state).action(action)
    if found is None or not found.at_most:
        raise NotFound()
    if at_most is None or not 1 <= at_most <= 12:
        raise RuleBroken("Enter a number between 1 and 12.", "at_most")
    return replace(
        definition,
        states=tuple(
            replace(
                one,
                actions=tuple(
                    replace(each, at_most=at_most) if each.key == action and each.at_most else each
                    for each in one.actions
                ),
            )
            for one in definition.states
        ),
    )


def set_target(definition: Definition, target: str, *, within: int | None) -> Definition:
    """Another length for something to aim at, in the unit that it counts."""
    found = next((one for one in definition.targets if one.key == target), None)
    if found is None:
        raise NotFound()
    if within is None or not 1 <= within <= MOST_DAYS:
        raise RuleBroken(f"Enter a number between 1 and {MOST_DAYS}.", "within")
    changed = replace(found, within=within)
    return replace(
        definition, targets=tuple(changed if one.key == target else one for one in definition.targets)
    )


def set_letter(definition: Definition, letter: str, body: str) -> Definition:
    """Other words for a letter."""
    found = definition.letter(letter)
    if found is None:
        raise NotFound()
    if not body.strip():
        raise RuleBroken("A letter needs words.", "body")
    if len(body) > 10_000:
        raise RuleBroken("A letter can have up to 10,000 characters.", "body")
    changed = replace(found, body=body.strip())
    return replace(
        definition, letters=tuple(changed if one.key == letter else one for one in definition.letters)
    )


def rename(definition: Definition, *, title: str, summary: str) -> Definition:
    """What a workflow is called, and what it is for."""
    return replace(definition, title=_title(title, "title"), summary=" ".join(summary.split())[:400])


@dataclass(frozen=True, slots=True)
class SchoolsOwn:
    """What a school set for itself: days by state, people by `state.seat`, letters by key."""

    deadlines: Mapping[str, int]
    people: Mapping[str, tuple[UUID, ...]]
    letters: Mapping[str, str]

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> SchoolsOwn:
        """From what is stored."""
        stored = stored or {}
        return cls(
            {key: int(value) for key, value in (stored.get("deadlines") or {}).items()},
            {key: tuple(UUID(one) for one in value) for key, value in (stored.get("people") or {}).items()},
            dict(stored.get("letters") or {}),
        )

    def stored(self) -> dict[str, Any]:
        """To what is stored."""
        return {
            "deadlines": dict(self.deadlines),
            "people": {key: [str(one) for one in value] for key, value in self.people.items()},
            "letters": dict(self.letters),
        }


def at_school(definition: Definition, own: SchoolsOwn) -> Definition:
    """The definition as a school runs it; only what the trust lets schools set is taken, and only what still exists."""
    made = definition
    if definition.school_may.deadlines:
        for key, within in own.deadlines.items():
            state = next((one for one in made.states if one.key == key and one.deadline), None)
            if state and state.deadline and 1 <= within <= MOST_DAYS:
                made = _with(made, replace(state, deadline=replace(state.deadline, within=within)))
    if definition.school_may.letters:
        for key, body in own.letters.items():
            if made.letter(key) is not None and body.strip():
                made = set_letter(made, key, body)
    if definition.school_may.people:
        states = []
        for state in made.states:
            seats = tuple(
                replace(seat, rules=(*named_rules(own, state.key, seat.key), *seat.rules))
                for seat in state.seats
            )
            states.append(replace(state, seats=seats))
        made = replace(made, states=tuple(states))
    return made


def named_rules(own: SchoolsOwn, state: str, seat: str) -> tuple[Rule, ...]:
    """Rules for the people whom a school named for a seat."""
    return tuple(Rule(RuleKind.PERSON, person=one) for one in own.people.get(f"{state}.{seat}", ()))
