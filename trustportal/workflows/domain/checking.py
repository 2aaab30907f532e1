"""Whether a definition can be used: what is wrong in it by itself, and with the people who serve today. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from trustportal.access import ROLE_LABELS, Role
from trustportal.workflows.domain.definition import (
    STARTER,
    ActionKind,
    Definition,
    FieldKind,
    Rule,
    RuleKind,
    Seat,
    State,
)
from trustportal.workflows.domain.routing import Circumstances, Roster, barred, next_above, route


class Weight(StrEnum):
    """Whether a finding keeps a definition from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where, in words."""

    weight: Weight
    words: str
    state: str = ""
    school: UUID | None = None
    #: The same without the place and the step, where many of them can say it.
    everywhere: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one or several findings say, and in how many steps at how many schools, where it is several."""

    weight: Weight
    words: str
    steps: int = 0
    schools: int = 0


def gathered(findings: Iterable[Finding]) -> list[Gathered]:
    """Findings for reading, in their order: what is the same in many steps and schools is said once."""
    groups: dict[tuple[Weight, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.weight, one.everywhere or one.words), []).append(one)
    return [
        Gathered(weight, words, len({one.state for one in group}), len({one.school for one in group}))
        if len(group) > 1
        else Gathered(weight, group[0].words)
        for (weight, words), group in groups.items()
    ]


def is_usable(findings: Iterable[Finding]) -> bool:
    """Whether nothing in the findings keeps a definition from being used."""
    return not any(one.weight is Weight.ERROR for one in findings)


def check_shape(definition: Definition) -> list[Finding]:
    """What is wrong in the definition by itself: states that nobody reaches or leaves, seats, deadlines, subjects."""
    return [
        *_reached(definition),
        *_left(definition),
        *_seated(definition),
        *_subjects(definition),
        *_slots(definition),
    ]


def _error(words: str, state: State | None = None) -> Finding:
    return Finding(Weight.ERROR, words, state.key if state else "")


def _reached(definition: Definition) -> Iterator[Finding]:
    seen, waiting = {definition.first.key}, [definition.first]
    if definition.resubmit_to:
        waiting.append(definition.state(definition.resubmit_to))
        seen.add(definition.resubmit_to)
    while waiting:
        for to in leads_to(waiting.pop()):
            if to not in seen:
                seen.add(to)
                waiting.append(definition.state(to))
    for state in definition.states:
        if state.key not in seen:
            yield _error(f"Nothing leads to “{state.title}”.", state)


def leads_to(state: State) -> tuple[str, ...]:
    """Every state that can follow a state, by an action or by itself."""
    by_itself = (state.deadline.lapse_to,) if state.deadline and state.deadline.lapse_to else ()
    return (*(to for action in state.actions for to in action.targets), *by_itself)


def _left(definition: Definition) -> Iterator[Finding]:
    ends = {state.key for state in definition.states if state.closed}
    if not ends:
        yield _error("No state ends a case: it would stay open for ever.")
        return
    grown = True
    while grown:
        found = {s.key for s in definition.states if ends & set(leads_to(s))} - ends
        grown = bool(found)
        ends |= found
    for state in definition.states:
        if state.key not in ends:
            words = "cannot be left" if not state.actions else "leads round in a circle that never ends"
            yield _error(f"“{state.title}” {words}.", state)
        elif not state.closed and not any(not action.by_starter for action in state.actions):
            yield _error(
                f"In “{state.title}” only the starter can do something: nobody else can end it.", state
            )


def _seated(definition: Definition) -> Iterator[Finding]:
    for state in definition.states:
        if state.closed:
            if state.seats or state.actions or state.deadline:
                yield _error(f"“{state.title}” is an end: it has no seats, actions or deadline.", state)
            continue
        if not state.seats:
            yield _error(f"“{state.title}” has nobody to act in it.", state)
        if state.deadline is None:
            yield _error(f"“{state.title}” has no deadline: a case could lie there unseen.", state)
        elif state.deadline.within < (0 if state.deadline.from_field else 1):
            yield _error(f"The deadline of “{state.title}” has to be at least one day.", state)
        elif not state.deadline.escalate:
            yield Finding(
                Weight.WARNING, f"Nobody is told when “{state.title}” takes longer than it should.", state.key
            )
        if state.forward is None and len(state.seats) > 1:
            yield _error(f"“{state.title}” has several seats and no action that all of them take.", state)
        for seat in state.seats:
            if not seat.rules:
                yield _error(f"“{seat.title}” in “{state.title}” says nowhere who it is.", state)
        if all(one.kind is ActionKind.BACK for one in state.actions):
            yield _error(f"“{state.title}” only leads back.", state)


def _subjects(definition: Definition) -> Iterator[Finding]:
    """No route names the people whom a case is about: it could only ever be passed over, or be meant wrongly."""
    named: list[tuple[str, tuple[Rule, ...], State | None]] = [
        *((f"“{seat.title}”", seat.rules, state) for state, seat in definition.seats()),
        ("who sees a case", definition.watchers, None),
        ("the way upwards", definition.upwards, None),
        *(("the routing table", line.to, None) for line in definition.routes),
        *(
            (f"the escalation of “{state.title}”", state.deadline.escalate, state)
            for state in definition.states
            if state.deadline
        ),
    ]
    for what, rules, state in named:
        for rule in rules:
            if rule.kind is RuleKind.FIELD and rule.field in definition.subject_fields:
                yield _error(f"The people whom a case is about would receive it through {what}.", state)
    for letter in definition.letters:
        if letter.to in definition.subject_fields and definition.safeguarding:
            yield _error(f"The letter “{letter.title}” would go to the person whom the case is about.")
    if definition.safeguarding and not definition.subject_fields:
        yield _error("A case about somebody's conduct has to ask whom it is about.")
    if definition.safeguarding and not definition.upwards:
        yield _error("Nobody is named upwards for a case that nobody at the school may receive.")
    for key in definition.subject_fields:
        field = definition.field(key)
        if field is not None and field.kind not in {FieldKind.PERSON, FieldKind.PEOPLE}:
            yield _error(f"“{field.label}” names whom a case is about: it has to ask for a person.")


#: What a letter may name, besides {{field.…}}.
SLOTS = frozenset(
    {"school", "trust", "reference", "title", "to", "today", "starter", "comment", "sender", "due"}
)


def slots_in(text: str) -> list[str]:
    """The slots of a text, in order."""
    found, rest = [], text
    while "{{" in rest:
        _, _, rest = rest.partition("{{")
        name, closing, rest = rest.partition("}}")
        if closing:
            found.append(name.strip().removesuffix("?"))
    return found


def _slots(definition: Definition) -> Iterator[Finding]:
    for letter in definition.letters:
        for slot in slots_in(letter.body):
            known = slot in SLOTS or (
                slot.startswith("field.") and definition.field(slot.removeprefix("field."))
            )
            named = definition.field(slot.removeprefix("field."))
            if known and named is not None and named.private and definition.is_outside(letter):
                yield _error(
                    f"The letter “{letter.title}” would tell somebody outside what “{named.label}” says."
                )
            if not known:
                yield _error(f"The letter “{letter.title}” names “{slot}”, which nothing fills.")
        if letter.to != STARTER and definition.field(letter.to) is None:
            yield _error(f"The letter “{letter.title}” goes to “{letter.to}”, which is no field.")


# -- with people ------------------------------------------------------------------------------------------------


def _starters(definition: Definition, roster: Roster, school: UUID) -> list[UUID]:
    found = [
        post.person
        for post in roster.posts
        if post.school == school and (not definition.who_may_start or post.role in definition.who_may_start)
    ]
    # Colleagues with the same roles meet the same steps: one of each kind is enough.
    kinds = {roster.roles_of(person, school): person for person in reversed(list(dict.fromkeys(found)))}
    return list(kinds.values())


def imagined(definition: Definition, roster: Roster, school: UUID, starter: UUID | None) -> dict[str, str]:
    """Answers as somebody could give them: in each field for a person a colleague who fits, if possible no head."""
    heads = set(roster.holders(Role.HEADTEACHER, school))
    values: dict[str, str] = {}
    for field in definition.form:
        if field.kind is FieldKind.PERSON and field.key not in definition.subject_fields:
            fitting = [
                post.person
                for post in roster.posts
                if post.school == school
                and post.person != starter
                and str(post.person) not in values.values()
            ]
            fitting.sort(key=lambda person: person in heads)
            if fitting:
                values[field.key] = str(fitting[0])
    return values


def fields_that_matter(definition: Definition) -> frozenset[str]:
    """The fields whose answers decide who gets a case."""
    found = set(definition.subject_fields)
    for _state, seat in definition.seats():
        found |= {rule.field for rule in seat.rules if rule.kind is RuleKind.FIELD} | set(seat.apart_from)
    return frozenset(found)


def check_people(
    definition: Definition, roster: Roster, schools: Iterable[tuple[UUID, str]]
) -> list[Finding]:
    """With the people of today, at every school, whoever starts a case and whomever it is about: has every step
    somebody, and does none of them reach a subject? `schools`: id and name.
    """
    found: dict[tuple[str, UUID | None, str], Finding] = {}

    def note(finding: Finding) -> None:
        found.setdefault((finding.state, finding.school, finding.words), finding)

    for school, name in schools:
        starters: list[UUID | None] = [*_starters(definition, roster, school)] or [None]
        for starter in starters:
            _walk(definition, roster, school, name, starter, note)
        if definition.subject_fields:
            for subject in {post.person for post in roster.posts if post.school in {school, None}}:
                _about(definition, roster, school, name, subject, note)
    return list(found.values())


def _walk(definition, roster, school, name, starter, note) -> None:  # type: ignore[no-untyped-def]
    values = imagined(definition, roster, school, starter)
    _late(definition, roster, school, name, starter, values, note)
    for state, seat in definition.seats():
        routed = route(definition, seat, roster, Circumstances(school, starter, values))
        if not routed.found:
            only = _only_when(seat, starter, definition, roster, school, values)
            note(
                Finding(
                    Weight.ERROR,
                    f"{name}: nobody can be “{seat.title}” in “{state.title}”{only}. It looks for {named(seat.rules)}.",
                    state.key,
                    school,
                )
            )


def _late(definition, roster, school, name, starter, values, note) -> None:  # type: ignore[no-untyped-def]
    """Whether a late step has somebody to go to, besides those who have it."""
    case = Circumstances(school, starter, values)
    for state in definition.states:
        if state.deadline is None or not state.deadline.escalate:
            continue
        sit = {person for seat in state.seats for person in route(definition, seat, roster, case).people}
        if sit and not next_above(definition, state, roster, case, passed=frozenset(sit)).found:
            note(
                Finding(
                    Weight.WARNING,
                    f"{name}: when “{state.title}” is late, there is nobody else to whom it could go.",
                    state.key,
                    school,
                )
            )


def _only_when(
    seat: Seat,
    starter: UUID | None,
    definition: Definition,
    roster: Roster,
    school: UUID,
    values: dict[str, str],
) -> str:
    """In words, whom a case has to come from for a seat to stay empty; "" when it is empty whoever starts it."""
    if starter is None or not route(definition, seat, roster, Circumstances(school, None, values)).found:
        return ""
    held = [ROLE_LABELS[role].lower() for role in sorted(roster.roles_of(starter, school))]
    return f" when the {' and '.join(held)} starts it" if held else ""


def _about(definition, roster, school, name, subject, note) -> None:  # type: ignore[no-untyped-def]
    out = barred(roster, [subject])
    for state, seat in definition.seats():
        case = Circumstances(school, None, imagined(definition, roster, school, None), frozenset({subject}))
        routed = route(definition, seat, roster, case)
        if set(routed.people) & out:
            note(
                Finding(Weight.ERROR, f"{name}: a case can reach the person it is about.", state.key, school)
            )
        if not routed.found:
            held = " and ".join(
                ROLE_LABELS[role].lower() for role in sorted(roster.roles_of(subject, school))
            )
            weight = Weight.WARNING if definition.safeguarding else Weight.ERROR
            then = (
                " The LADO is shown instead, and the governance professional gets an alarm."
                if definition.safeguarding
                else ""
            )
            note(
                Finding(
                    weight,
                    f"{name}: nobody can be “{seat.title}” in “{state.title}” in a case about the {held}.{then}",
                    state.key,
                    school,
                    f"Nobody can be “{seat.title}” in a case about the {held}.{then}",
                )
            )


def named(rules: Iterable[Rule]) -> str:
    """Rules in words: the headteacher, else the chief executive."""
    words = []
    for rule in rules:
        if rule.kind is RuleKind.ROLE and rule.role:
            words.append(f"the {ROLE_LABELS[rule.role][:1].lower()}{ROLE_LABELS[rule.role][1:]}")
        elif rule.kind is RuleKind.FIELD:
            words.append("whoever the form names")
        elif rule.kind is RuleKind.STARTER:
            words.append("whoever started it")
        elif rule.kind is RuleKind.PERSON:
            words.append("a named person")
        else:
            words.append("whoever the table of recipients names")
    return ", else ".join(words) or "nobody"
