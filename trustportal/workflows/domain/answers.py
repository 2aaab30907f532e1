"""Whether a form is filled in as its definition asks: required, conditional, distinct, in the right order. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from trustportal.errors import RuleBroken
from trustportal.workflows.domain.definition import (
    STARTER,
    Condition,
    Definition,
    Field,
    FieldKind,
    Values,
)
from trustportal.workflows.domain.routing import people_in

LISTS = {FieldKind.CHOICES, FieldKind.PEOPLE, FieldKind.ACCOUNTS, FieldKind.CLAUSES}
#: A time of day as it is kept.
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one field, in words for whoever fills it in."""

    field: str
    words: str


def holds(condition: Condition | None, values: Mapping[str, Any]) -> bool:
    """Whether a condition is met by the answers."""
    if condition is None:
        return False
    given = values.get(condition.field)
    found = set(given) if isinstance(given, (list, tuple)) else {str(given or "")}
    return bool(found & set(condition.any_of))


def is_asked(field: Field, values: Mapping[str, Any]) -> bool:
    """Whether a field has to be answered, as the other answers stand."""
    return field.required or holds(field.required_if, values)


def tidy(fields: Iterable[Field], given: Mapping[str, Any]) -> Values:
    """The answers to these fields only, trimmed, lists without gaps. Nothing else that was sent is kept."""
    found: Values = {}
    for field in fields:
        value = given.get(field.key)
        if field.kind in LISTS:
            listed = value if isinstance(value, (list, tuple)) else ([value] if value else [])
            found[field.key] = [str(one).strip() for one in listed if str(one).strip()]
        elif field.kind is FieldKind.TICK:
            found[field.key] = bool(value)
        elif field.kind is FieldKind.DAY:
            found[field.key] = value.isoformat() if isinstance(value, date) else str(value or "")
        elif field.kind is FieldKind.TIME:
            found[field.key] = as_time(value) or str(value or "").strip()
        else:
            found[field.key] = str(value or "").strip()
    return found


def as_time(value: Any) -> str:
    """A time of day as HH:MM; "" for anything else."""
    read = _TIME.fullmatch(str(value or "").strip())
    if read is None or int(read[1]) > 23 or int(read[2]) > 59:
        return ""
    return f"{int(read[1]):02}:{read[2]}"


def divided(definition: Definition, values: Values) -> list[Values]:
    """A form that concerns two people who must not share a letter, as one for each; any other as it is. Neither keeps
    anything of the other person.
    """
    twin = definition.twin
    if twin is None or not holds(twin.when, values):
        return [values]
    theirs = {right: "" for _, right in twin.fields}
    return [
        {**values, **theirs},
        {**values, **{left: values.get(right, "") for left, right in twin.fields}, **theirs},
    ]


def faults(
    definition: Definition,
    fields: Iterable[Field],
    values: Mapping[str, Any],
    *,
    starter: UUID | None,
    may_be_named: Collection[UUID],
    today: date,
) -> list[Fault]:
    """Everything that is wrong with some answers, field by field. `may_be_named`: the ids of the people, and
    accounts, that can stand in a field.

    `values`: all answers of the case, since conditions and distinctness look at other fields too.
    """
    found: list[Fault] = []
    for field in fields:
        words = _fault(definition, field, values, starter, may_be_named, today)
        if words:
            found.append(Fault(field.key, words))
    return found


def check(
    definition: Definition,
    fields: Iterable[Field],
    values: Mapping[str, Any],
    *,
    starter: UUID | None,
    may_be_named: Collection[UUID],
    today: date,
) -> None:
    """Raise `RuleBroken` for the first fault."""
    found = faults(definition, fields, values, starter=starter, may_be_named=may_be_named, today=today)
    if found:
        raise RuleBroken(found[0].words, found[0].field)


def _fault(
    definition: Definition,
    field: Field,
    values: Mapping[str, Any],
    starter: UUID | None,
    may_be_named: Collection[UUID],
    today: date,
) -> str:
    value = values.get(field.key)
    if not value:
        return _missing(field) if is_asked(field, values) else ""
    if field.kind in {FieldKind.TEXT, FieldKind.LONG_TEXT}:
        most = min(field.longest, 200) if field.kind is FieldKind.TEXT else field.longest
        return f"This can have up to {most} characters." if len(str(value)) > most else ""
    if field.kind in {FieldKind.CHOICE, FieldKind.CHOICES}:
        offered = {option.value for option in field.options}
        chosen = set(value) if isinstance(value, (list, tuple)) else {str(value)}
        return "" if chosen <= offered else "Choose from the answers given."
    if field.kind in {FieldKind.ACCOUNT, FieldKind.ACCOUNTS}:
        return "" if people_in(value) <= set(may_be_named) else "Choose an account from the register."
    if field.kind is FieldKind.CLAUSES:
        editions = {UUID(one.partition("~")[0]) if _is_clause(one) else None for one in value}
        return "" if editions <= set(may_be_named) else "Choose clauses of a policy that is in force."
    if field.kind is FieldKind.TIME:
        return "" if as_time(value) else "Enter a time, like 14:30."
    if field.kind in {FieldKind.PERSON, FieldKind.PEOPLE}:
        return _people_fault(definition, field, values, starter, may_be_named)
    if field.kind is FieldKind.DAY:
        return _day_fault(definition, field, values, today)
    return ""


def _is_clause(value: str) -> bool:
    return re.fullmatch(r"[0-9a-f-]{36}~.+", value) is not None


def _missing(field: Field) -> str:
    if field.kind is FieldKind.ACCOUNTS:
        return "Choose at least one account."
    if field.kind is FieldKind.CLAUSES:
        return "Choose at least one clause."
    if field.kind is FieldKind.TIME:
        return "Enter a time, like 14:30."
    if field.kind is FieldKind.PEOPLE:
        return f"Name at least {field.least or 1} different people."
    if field.kind in {FieldKind.CHOICE, FieldKind.CHOICES}:
        return "Choose an answer."
    if field.kind is FieldKind.PERSON:
        return "Choose a person."
    if field.kind is FieldKind.ACCOUNT:
        return "Choose an account."
    if field.kind is FieldKind.DAY:
        return "Enter a day."
    if field.kind is FieldKind.TICK:
        return "Tick the box to go on."
    return "Fill this in."


def _people_fault(
    definition: Definition,
    field: Field,
    values: Mapping[str, Any],
    starter: UUID | None,
    may_be_named: Collection[UUID],
) -> str:
    value = values[field.key]
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    named = people_in(listed)
    if not named <= set(may_be_named) or len(named) < len(set(listed)):
        return "Choose people who serve here today."
    if len(set(listed)) < len(listed):
        return "The same person stands here twice: name different people."
    if len(named) < field.least:
        return f"Name at least {field.least} different people."
    for other in field.not_same_as:
        taken = ({starter} if starter else set()) if other == STARTER else people_in(values.get(other))
        if named & taken:
            label = "whoever fills in this form" if other == STARTER else _label(definition, other)
            return f"This has to be somebody else than {label}."
    return ""


def _label(definition: Definition, key: str) -> str:
    field = definition.field(key)
    return f"“{field.label}”" if field else "another field"


def _day_fault(definition: Definition, field: Field, values: Mapping[str, Any], today: date) -> str:
    day = as_day(values.get(field.key))
    if day is None:
        return "Enter a real day, like 27 9 2026."
    if field.after == "today":
        return "" if day > today else "This day has to lie ahead."
    if field.after:
        other = as_day(values.get(field.after))
        if other is not None and day <= other:
            return f"This has to be after {_label(definition, field.after)}."
    return ""


def as_day(value: Any) -> date | None:
    """An ISO day; None for anything else."""
    try:
        return date.fromisoformat(str(value or ""))
    except ValueError:
        return None


def warnings(definition: Definition, values: Mapping[str, Any]) -> list[Fault]:
    """What is allowed and worth a second thought."""
    found = []
    for field in definition.fields:
        other = definition.field(field.warn_same_as) if field.warn_same_as else None
        if other is None:
            continue
        mine, theirs = people_in(values.get(field.key)), people_in(values.get(other.key))
        if mine and mine == theirs:
            found.append(
                Fault(
                    field.key,
                    f"“{field.label}” and “{other.label}” are the same people: nobody checks what they do.",
                )
            )
    return found
