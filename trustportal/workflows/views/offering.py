"""What the fields of a defined form offer: people, accounts of the register, clauses in force. Loads what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from trustportal.workflows.domain.definition import Definition, Field, FieldKind
from trustportal.workflows.queries import clauses, people, register

Pairs = list[tuple[str, str]]


def offering(definition: Definition, asked: Sequence[Field], school_id: UUID, on: date) -> dict[str, Any]:
    """The arguments of `answers_form` that say what can be chosen."""
    kinds = {one.kind for one in asked}
    found: dict[str, Any] = {}
    if kinds & {FieldKind.PERSON, FieldKind.PEOPLE}:
        found["people"] = _pairs(people.serving_at(school_id, on))
    if any(one.apart or one.key in definition.subject_fields for one in asked):
        found["around"] = _pairs(people.serving_around(school_id, on))
    if kinds & {FieldKind.ACCOUNT, FieldKind.ACCOUNTS}:
        entries = register.list_entries(school_ids=[school_id])
        found["accounts"] = [(str(one.row.id), one.row.name) for one in entries]
    if FieldKind.CLAUSES in kinds:
        found["clauses"] = clauses.list_choosable(school_id, on)
    return found


def _pairs(names: dict[UUID, str]) -> Pairs:
    return [(str(one), name) for one, name in names.items()]
