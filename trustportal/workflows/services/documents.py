"""Letters and the signed form: written in the transaction that calls for them, printed by a job, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal.db import current_unit, db, unit_of_work
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.words import day, instant
from trustportal.words import listed as all_of
from trustportal.workflows import calendar_file, pdf
from trustportal.workflows import mail as wording
from trustportal.workflows.domain.answers import is_asked
from trustportal.workflows.domain.definition import STARTER, Field, FieldKind, Letter, Meeting
from trustportal.workflows.domain.letters import filled
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.models import CaseDocument
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import clauses, register
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services.entering import due_of

#: How the keys of calendar files begin.
CALENDAR = "calendar-"


def answer_words(field: Field, value: Any, names: Mapping[Any, str]) -> str:
    """An answer as people read it."""
    if field.kind is FieldKind.TICK:
        return "Yes" if value else "No"
    if not value:
        return ""
    if field.kind in {FieldKind.PERSON, FieldKind.PEOPLE, FieldKind.ACCOUNT, FieldKind.ACCOUNTS}:
        listed = value if isinstance(value, list) else [value]
        return all_of([names.get(UUID(str(one)), "Somebody who has left") for one in listed])
    if field.kind is FieldKind.CLAUSES:
        return "; ".join(names.get(str(one), "A clause") for one in value)
    if field.kind in {FieldKind.CHOICE, FieldKind.CHOICES}:
        labels = {option.value: option.label for option in field.options}
        listed = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(str(one), str(one)) for one in listed)
    return day(str(value)) if field.kind is FieldKind.DAY else str(value)


def names_in(case: Case) -> dict[Any, str]:
    """The names of everybody, every account and every clause that the answers name."""
    named = set(queries.names_needed(case.values, case.definition))
    found: dict[Any, str] = dict(tenants.names_of(named))
    for one in case.definition.fields:
        if one.kind is FieldKind.CLAUSES:
            found |= clauses.names_of(case.values.get(one.key) or ())
        if one.kind in {FieldKind.ACCOUNT, FieldKind.ACCOUNTS}:
            for entry_id in people_in(case.values.get(one.key)):
                found[entry_id] = register.get_entry(entry_id).row.name
    return found


def answered(case: Case, names: Mapping[Any, str] | None = None) -> list[tuple[str, str, str]]:
    """The form as it stands: section, question, answer; questions that were not asked and not answered are left out."""
    names = names_in(case) if names is None else names
    return [
        (one.section, one.label, answer_words(one, case.values.get(one.key), names))
        for one in case.definition.fields
        if case.values.get(one.key) or (is_asked(one, case.values) and not one.asked_by)
    ]


def write_letter(
    case: Case, key: str, *, comment: str, now: datetime, sender: str = ""
) -> CaseDocument | None:
    """A letter of the definition, with its slots filled, in the open unit of work."""
    letter = case.definition.letter(key)
    if letter is None:
        return None
    outside, to = case.definition.is_outside(letter), case.row.starter_id
    if outside:
        to = None
    elif letter.to != STARTER:
        to = next(iter(people_in(case.values.get(letter.to))), None)
    names = names_in(case)
    everybody = tenants.names_of({one for one in (to, case.row.starter_id) if one})
    slots = {
        "school": tenants.get_school(case.row.school_id).name,
        "trust": tenants.get_trust().name,
        "reference": case.row.reference,
        "title": case.title,
        "to": _both(case, letter) if outside else everybody.get(to, "") if to else "",
        "starter": everybody.get(case.row.starter_id, "") if case.row.starter_id else "",
        "today": day(day_of(now)),
        "comment": comment,
        "sender": sender,
        "due": day(due_of(case)),
        **{
            f"field.{one.key}": answer_words(one, case.values.get(one.key), names)
            for one in case.definition.fields
        },
    }
    content: dict[str, Any] = {
        "kind": "letter",
        "title": letter.title,
        "to": slots["to"],
        "body": filled(letter.body, slots),
    }
    if outside:
        address = str(case.values.get(letter.address) or "") if letter.address else ""
        content |= {"address": [slots["to"], *(one.strip() for one in address.splitlines() if one.strip())]}
    return _write(case, key, letter.title, to, content, now)


def _both(case: Case, letter: Letter) -> str:
    """To whom a letter goes that leaves the school: one person, or two who share it."""
    names = (str(case.values.get(one) or "") for one in (letter.to, letter.and_to) if one)
    return " and ".join(one for one in names if one)


def write_calendar(case: Case, meeting: Meeting, *, now: datetime) -> CaseDocument | None:
    """The calendar file of a meeting, in the open unit of work: it replaces what an earlier one said. A meeting that
    never stood in a calendar needs no file that takes it out.
    """
    kind = f"{CALENDAR}{meeting.key}-"
    before = [one for one in queries.list_documents(case.row.id) if one.key.startswith(kind)]
    if meeting.cancels and not before:
        return None
    row = CaseDocument(
        id=uuid4(),
        case_id=case.row.id,
        key=f"{kind}{len(before)}",
        visit=case.row.visit,
        title="Calendar file: the meeting is off" if meeting.cancels else "Calendar file of the meeting",
        to_id=None,
        sealed=b"",
        made_at=now,
        written_at=now,
    )
    content = {
        "kind": "calendar",
        "uid": calendar_file.identity(case.row.id, meeting.key),
        "sequence": len(before),
        "day": case.values[meeting.day],
        "time": case.values[meeting.time],
        "minutes": case.values[meeting.minutes],
        "place": case.values[meeting.place],
        "title": meeting.title,
        "organisation": tenants.get_school(case.row.school_id).name,
        "cancels": meeting.cancels,
        "written_at": now.isoformat(),
    }
    row.sealed = case.seal.close(content, row.id)
    row.pdf = case.seal.close_bytes(calendar_file.make(content), row.id)
    db.session.add(row)
    return row


def write_form(case: Case, *, now: datetime) -> CaseDocument:
    """The form with its signatures, as it was approved, in the open unit of work."""
    content = {
        "kind": "form",
        "title": case.title,
        "rows": [list(row) for row in answered(case)],
        "signatures": [
            [one.person_name, one.role_label, one.statement, instant(one.signed_at), str(one.id)]
            for one in case.signatures
            if one.voided_at is None
        ],
        "hash": case.signatures[-1].content_hash if case.signatures else "",
        "outcome": case.state.title,
    }
    return _write(case, "form", "The signed form" if case.signatures else "The form", None, content, now)


def _write(
    case: Case, key: str, title: str, to: UUID | None, content: dict[str, Any], now: datetime
) -> CaseDocument:
    row = CaseDocument(
        id=uuid4(),
        case_id=case.row.id,
        key=key,
        visit=case.row.visit,
        title=title,
        to_id=to,
        sealed=b"",
        written_at=now,
    )
    content |= {"reference": case.row.reference, "on": day_of(now).isoformat()}
    row.sealed = case.seal.close(content, row.id)
    db.session.add(row)
    current_unit().announce(Event.CASE_DOCUMENT, document_id=row.id)
    return row


def print_document(*, document_id: UUID, now: datetime) -> None:
    """The job: make the PDF of a letter or form, once, and tell whom it is for."""
    with unit_of_work():
        row = db.session.scalars(
            select(CaseDocument).where(CaseDocument.id == document_id).with_for_update()
        ).one_or_none()
        if row is None or row.made_at is not None:
            return
        case, seal = queries.get_case(row.case_id), Seal.of_trust()
        school, trust = tenants.get_school(case.row.school_id), tenants.get_trust()
        made = pdf.make(
            seal.open(row.sealed, row.id),
            organisation=trust.name,
            place=school.name,
            colour=trust.colour,
            logo_hash=trust.logo_hash,
        )
        row.pdf = seal.close_bytes(made, row.id)
        row.made_at = now
        if row.to_id is not None:
            message = wording.letter(
                trust_slug=trust.slug,
                case_id=row.case_id,
                title=row.title,
                quiet=case.definition.safeguarding,
            )
            notify(row.to_id, subject=message.subject, body=message.body, path=message.path)
