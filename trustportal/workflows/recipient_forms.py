"""The form for the table of recipients: a row of boxes for each line, contacts, and what is particular to a school."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from trustportal.access import ROLE_LABELS, Role
from trustportal.forms import ChoiceField, PortalForm, TextField, choices
from trustportal.workflows.domain.recipients import (
    LINES,
    MOST,
    RECIPIENTS,
    Contact,
    Line,
    SchoolsLine,
    Table,
)

_CONTACT: Mapping[str, str] = {
    "authority": "Local authority",
    "name": "Name of the LADO",
    "phone": "Telephone",
    "email": "E-mail",
    "social_care": "Children’s social care, telephone",
    "local_rule": "Its own rule, if it is tighter than one working day",
}
_ORDINALS = ("First", "Else", "Else", "Else")


class RecipientsForm(PortalForm):
    """What somebody proposes. `table()` reads it."""

    school_ids: tuple[UUID, ...] = ()
    contact_count = 0
    reason = TextField("Why is this change needed?")

    def boxes(self, line: Line) -> Iterator[Any]:
        """The boxes of a line."""
        for number in range(MOST):
            yield self[f"{line}_{number}"]

    def contact_fields(self) -> list[list[Any]]:
        """The fields of each contact, an empty one last."""
        return [[self[f"contact_{n}_{key}"] for key in _CONTACT] for n in range(self.contact_count)]

    def school_fields(self) -> list[tuple[Any, Any]]:
        """Authority and legal head of each school."""
        return [(self[f"authority_{one}"], self[f"legal_{one}"]) for one in self.school_ids]

    def table(self) -> Table:
        """What was sent."""
        lines = {
            line: tuple(Role(box.data) for box in self.boxes(line) if box.data in set(RECIPIENTS))
            for line in LINES
        }
        contacts = tuple(
            Contact(**{key: " ".join((self[f"contact_{n}_{key}"].data or "").split()) for key in _CONTACT})
            for n in range(self.contact_count)
            if (self[f"contact_{n}_authority"].data or "").strip()
        )
        schools = {}
        for one in self.school_ids:
            legal = self[f"legal_{one}"]
            known = legal.data in {value for value, *_ in legal.choices} if legal.data else False
            found = SchoolsLine(
                " ".join((self[f"authority_{one}"].data or "").split()), UUID(legal.data) if known else None
            )
            if found != SchoolsLine():
                schools[one] = found
        # An empty line is kept empty, so that it is refused with its name rather than filled in silently.
        return Table(lines, contacts, schools)


def recipients_form(
    table: Table, schools: Sequence[tuple[UUID, str]], heads: Mapping[UUID, str]
) -> RecipientsForm:
    """With what counts today."""
    roles = choices([("", "–"), *((str(one), ROLE_LABELS[one]) for one in RECIPIENTS)])
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for line in LINES:
        for number in range(MOST):
            fields[f"{line}_{number}"] = ChoiceField(_ORDINALS[number], choices=roles, validate_choice=False)
            to = table.to(line)
            data[f"{line}_{number}"] = str(to[number]) if number < len(to) else ""
    shown = (*table.contacts, Contact(""))
    for number, contact in enumerate(shown):
        for key, label in _CONTACT.items():
            fields[f"contact_{number}_{key}"] = TextField(label)
            data[f"contact_{number}_{key}"] = getattr(contact, key)
    people = choices(
        [("", "The headteacher, whoever it is"), *((str(one), name) for one, name in heads.items())]
    )
    for one, name in schools:
        own = table.schools.get(one, SchoolsLine())
        fields[f"authority_{one}"] = TextField(f"{name}: local authority")
        fields[f"legal_{one}"] = ChoiceField(
            f"{name}: legal headteacher", choices=people, validate_choice=False
        )
        data[f"authority_{one}"] = own.authority
        data[f"legal_{one}"] = str(own.legal_head or "")
    made = type(
        "FilledRecipientsForm",
        (RecipientsForm,),
        {**fields, "school_ids": tuple(one for one, _ in schools), "contact_count": len(shown)},
    )
    return cast(RecipientsForm, made(data=data))
