"""Definitions from YAML or JSON, and back. What cannot be read is refused in words that name the place. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from trustportal import notation
from trustportal.errors import RuleBroken
from trustportal.workflows.domain import definition as model
from trustportal.workflows.domain.definition import Definition

SHIPPED = Path(__file__).resolve().parent.parent / "definitions"

#: Pieces that a definition is made of: a word that none of them knows is a mistake, not something to pass over.
_STRICT = ConfigDict(extra="forbid")


@cache
def _adapter() -> TypeAdapter[Definition]:
    for name in (
        "Option", "Condition", "Field", "Rule", "Route", "Seat", "Deadline", "Fork", "Meeting", "Action", "State",
        "Letter", "SchoolMay", "Target", "Twin", "Definition",
    ):  # fmt: skip
        getattr(model, name).__pydantic_config__ = _STRICT
    return TypeAdapter(Definition)


def from_data(data: Mapping[str, Any]) -> Definition:
    """A definition from what was stored or written. Raises `RuleBroken` that says where it cannot be read."""
    try:
        read = _adapter().validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = " › ".join(str(part) for part in first["loc"]) or "the definition"
        raise RuleBroken(f"This definition cannot be read at {where}: {first['msg']}.") from error
    _sound(read)
    return read


def from_yaml(text: str) -> Definition:
    """A definition from YAML."""
    try:
        data = notation.from_yaml(text)
    except notation.YAMLError as error:
        raise RuleBroken("This definition is no readable YAML.") from error
    if not isinstance(data, dict):
        raise RuleBroken("This definition is no readable YAML.")
    return from_data(data)


def to_data(definition: Definition) -> dict[str, Any]:
    """As it is stored: JSON, without what is usual anyway."""
    found: dict[str, Any] = _adapter().dump_python(definition, mode="json", exclude_defaults=True)
    return found


def fingerprint(definition: Definition) -> str:
    """SHA-256 of its canonical JSON."""
    text = json.dumps(to_data(definition), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def shipped() -> Mapping[str, Definition]:
    """The definitions that come with the portal, by key, in the order of their files."""
    found = [from_yaml(path.read_text("utf-8")) for path in sorted(SHIPPED.glob("*.yaml"))]
    return {one.key: one for one in found}


def _sound(definition: Definition) -> None:
    """What must hold before anything can be said about a definition: keys are unique, and what is named is there."""
    states = [state.key for state in definition.states]
    if not states:
        raise RuleBroken("A definition needs at least one state.")
    _unique("state", states)
    _unique("field", [field.key for field in definition.fields])
    _unique("letter", [letter.key for letter in definition.letters])
    fields = {field.key for field in definition.fields} | {model.STARTER}
    actions: set[str] = set()
    for state in definition.states:
        _unique(f"seat of “{state.title}”", [seat.key for seat in state.seats])
        _unique(f"action of “{state.title}”", [action.key for action in state.actions])
        if sum(action.kind is model.ActionKind.FORWARD for action in state.actions) > 1:
            raise RuleBroken(f"“{state.title}” has more than one way forward.")
        for action in state.actions:
            actions.add(action.key)
            for to in action.targets:
                if to not in states:
                    raise RuleBroken(
                        f"“{action.label}” in “{state.title}” leads to “{to}”, which is no state."
                    )
            _known([*action.fields, *(fork.when.field for fork in action.forks)], fields, f"“{action.label}”")
            if action.meeting is not None:
                held = action.meeting
                _known([held.day, held.time, held.minutes, held.place], fields, f"“{action.label}”")
            for key in action.all_letters:
                if definition.letter(key) is None:
                    raise RuleBroken(f"“{action.label}” writes the letter “{key}”, which does not exist.")
        if state.deadline is not None:
            if state.deadline.lapse_to and state.deadline.lapse_to not in states:
                raise RuleBroken(f"“{state.title}” ends at “{state.deadline.lapse_to}”, which is no state.")
            _known(
                [state.deadline.from_field] if state.deadline.from_field else [], fields, f"“{state.title}”"
            )
        for seat in state.seats:
            _known(seat.apart_from, fields | {f"state:{key}" for key in states}, f"“{seat.title}”")
    _unique("target", [one.key for one in definition.targets])
    for target in definition.targets:
        for key in (*target.met_by, *((target.since,) if target.since else ())):
            if key not in actions:
                raise RuleBroken(f"The target “{target.label}” names “{key}”, which is no action.")
    if definition.resubmit_to and definition.resubmit_to not in states:
        raise RuleBroken(f"A changed form begins again at “{definition.resubmit_to}”, which is no state.")
    for field in definition.fields:
        if field.kind in {model.FieldKind.CHOICE, model.FieldKind.CHOICES} and not field.options:
            raise RuleBroken(f"“{field.label}” has nothing to choose from.")
        if field.asked_by and field.asked_by not in actions:
            raise RuleBroken(f"“{field.label}” is asked by “{field.asked_by}”, which is no action.")
        named = [*field.not_same_as, field.warn_same_as, field.required_if.field if field.required_if else ""]
        _known([one for one in named if one], fields, f"“{field.label}”")
    _known(definition.subject_fields, fields, "the subjects")
    if definition.twin is not None:
        pairs = [key for pair in definition.twin.fields for key in pair]
        _known([definition.twin.when.field, *pairs], fields, "what is divided")
    for rule in rules_of(definition):
        if rule.kind is model.RuleKind.FIELD:
            _known([rule.field], fields, "a rule")
        if rule.kind is model.RuleKind.ROLE and rule.role is None:
            raise RuleBroken("A rule does not say which role it looks for.")
        if rule.kind is model.RuleKind.PERSON and rule.person is None:
            raise RuleBroken("A rule does not say whom it names.")


def rules_of(definition: Definition) -> Iterable[model.Rule]:
    """Every rule anywhere in a definition."""
    for _state, seat in definition.seats():
        yield from seat.rules
    for state in definition.states:
        if state.deadline:
            yield from state.deadline.escalate
    for route in definition.routes:
        yield from route.to
    yield from definition.watchers
    yield from definition.upwards


def _unique(what: str, keys: list[str]) -> None:
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise RuleBroken(f"The {what} “{sorted(twice)[0]}” stands there twice.")


def _known(named: Iterable[str], there: set[str], where: str) -> None:
    for one in named:
        if one not in there:
            raise RuleBroken(f"{where} names “{one}”, which is no field of the form.")
