"""Reporting a concern about an adult: sent once, never kept as a draft, opened by a job that knows who is safe.

Without a name nothing is kept of who sent it: no account, no address, no session. What is counted against misuse is
which of a few thousand boxes an address falls into.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.tenants import queries as tenants
from trustportal.tenants.services import accounts
from trustportal.times import day_of
from trustportal.workflows import chain
from trustportal.workflows.allegation_models import CaseReceipt
from trustportal.workflows.domain import answers, intake
from trustportal.workflows.domain.answers import Fault
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.domain.routing import Roster
from trustportal.workflows.models import CaseNote, CaseRecusal
from trustportal.workflows.queries import cases, definitions, people
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services.sending import intake_row

#: Without a name: so many from one box, and so many in one trust, an hour.
MOST_FROM_A_BOX, MOST_OF_A_TRUST, WINDOW = 6, 60, timedelta(hours=1)
BOXES = 4096
_TOO_MANY = (
    "Too much was sent from here within the last hour. If a child is in danger, ring 999. Otherwise ring the LADO or"
    " the school, or try again later."
)
#: What the form adds to the definition's answers, for the job that opens the case.
_RECEIPT = "receipt"


def _definition() -> definitions.Current:
    return definitions.get_current(ALLEGATION)


def faults(
    definition: Definition, given: Mapping[str, Any], *, may_be_named: set[UUID], today: date
) -> list[Fault]:
    """Everything that keeps a report from being sent."""
    values = answers.tidy(definition.form, given)
    found = answers.faults(
        definition, definition.form, values, starter=None, may_be_named=may_be_named, today=today
    )
    day = answers.as_day(values.get("incident_on"))
    if day is not None and day > today:
        found.append(Fault("incident_on", "This day has not come yet."))
    return [*found, *intake.faults(values)]


def nameable(school_id: UUID, today: date) -> dict[UUID, str]:
    """Whom somebody who is signed in can choose: everybody at the school, and at the trust."""
    ids = {post.person for post in people.roster(today).posts if post.school in {school_id, None}}
    return dict(sorted(tenants.names_of(ids).items(), key=lambda pair: pair[1]))


def report(
    person_id: UUID | None,
    *,
    school_id: UUID,
    given: Mapping[str, Any],
    may_be_named: set[UUID],
    now: datetime,
) -> str:
    """Send a report. `person_id` None: nobody's name is kept. Returns the code that only whoever sent it knows."""
    code = intake.new_code(secrets.choice)
    with unit_of_work() as uow:
        current = _definition()
        definition = current.definition
        found = faults(definition, given, may_be_named=may_be_named, today=day_of(now))
        if found:
            raise RuleBroken(found[0].words, found[0].field)
        values = answers.tidy(definition.form, given)
        row = intake_row(
            person_id,
            school_id=school_id,
            version_id=current.version_id,
            values={**values, _RECEIPT: intake.code_hash(code).hex()},
            now=now,
        )
        uow.announce(Event.CASE_SENT, intake_id=row.id)
    return code


def add(*, school_id: UUID, code: str, text: str, now: datetime) -> None:
    """Something more, by whoever knows the code. Whether it opens anything is told to nobody."""
    words = text.strip()
    if len(intake.tidy_code(code)) != 12:
        raise RuleBroken("Enter the twelve letters and figures that you were given.", "code")
    if not words:
        raise RuleBroken("Write what you want to add.", "text")
    if len(words) > 8000:
        raise RuleBroken("This can have up to 8000 characters.", "text")
    if intake.faults({"about": "x", "text": words}):
        raise RuleBroken(
            "Write words only: nothing that could be a picture or a file can be sent here.", "text"
        )
    with unit_of_work() as uow:
        row = intake_row(
            None,
            school_id=school_id,
            version_id=_definition().version_id,
            values={"code": intake.code_hash(code).hex(), "text": words},
            now=now,
            state="more",
        )
        uow.announce(Event.CASE_MORE, intake_id=row.id)


def take_turn(trust_id: UUID, *, address: str, secret: str, now: datetime) -> None:
    """Count a try without a name: of the address only its box is kept. Raises `RuleBroken` after too many."""
    digest = hmac.digest(secret.encode(), f"{now.date()} {address}".encode(), "sha256")
    box = int.from_bytes(digest[:4], "big") % BOXES
    for kind, of, most in (
        ("report box", f"{trust_id} {box}", MOST_FROM_A_BOX),
        ("report trust", str(trust_id), MOST_OF_A_TRUST),
    ):
        if accounts.take_try(kind, of, most=most, window=WINDOW, now=now) is None:
            raise RuleBroken(_TOO_MANY)


# -- in the job that opens the case ------------------------------------------------------------------------------


def prepared(values: Mapping[str, Any], *, school_id: UUID, roster: Roster) -> tuple[dict[str, Any], str]:
    """The answers as the case keeps them, with everybody whom the words may mean; and the receipt."""
    kept = intake.without(values, [_RECEIPT])
    names = tenants.names_of(roster.people())
    perhaps = intake.perhaps_about(str(values.get("about_words") or ""), roster, names, school_id)
    named = [*kept.get("about", ()), *sorted(str(one) for one in perhaps)]
    return {**kept, "about": list(dict.fromkeys(named))}, str(values.get(_RECEIPT) or "")


def keep_apart(
    case_id: UUID, values: Mapping[str, Any], receipt: str, *, school_id: UUID, now: datetime
) -> None:
    """What belongs to a report besides its answers: its receipt, and who is not to get it whatever the table says."""
    if receipt:
        db.session.add(CaseReceipt(id=uuid4(), case_id=case_id, code_hash=bytes.fromhex(receipt)))
    roster = people.roster(day_of(now))
    out: set[UUID] = set()
    if values.get("involved") == "head":
        out = {
            post.person for post in roster.posts if post.school == school_id and post.role == "headteacher"
        }
    elif values.get("involved") == "unsafe":
        out = {post.person for post in roster.posts if post.school == school_id}
    for person_id in sorted(out - intake.subjects(values), key=str):
        db.session.add(CaseRecusal(id=uuid4(), case_id=case_id, person_id=person_id, at=now))
    db.session.flush()


def add_to_case(*, intake_id: UUID, now: datetime) -> None:
    """The job: what somebody added goes to the case as a note of nobody; a wrong code leaves nothing."""
    with unit_of_work():
        row = cases.find_intake(intake_id, lock=True)
        if row is None or row.state != "more":
            return
        sent = Seal.of_trust().open(row.sealed, row.id)
        receipt = db.session.scalars(
            select(CaseReceipt).where(CaseReceipt.code_hash == bytes.fromhex(sent["code"]))
        ).one_or_none()
        if receipt is not None:
            case = cases.get_case(receipt.case_id, lock=True)
            note = CaseNote(id=uuid4(), case_id=case.row.id, author_id=None, sealed=b"", written_at=now)
            note.sealed = case.seal.close(f"From whoever reported it: {sent['text']}", note.id)
            db.session.add(note)
            chain.record(case.seal, case.row.id, "more", actor_id=None, now=now, said="added to the report")
        db.session.delete(row)
