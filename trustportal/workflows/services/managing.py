"""What a case manager does in an allegation besides its steps: records, subjects, legal hold, taking it up again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal.access import Actor, Role
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import Conflict, NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.mail import withdraw
from trustportal.tenants import queries as tenants
from trustportal.times import day_of, today
from trustportal.workflows import chain
from trustportal.workflows import mail as wording
from trustportal.workflows.allegation_models import CaseRecord
from trustportal.workflows.domain import answers, case_records, engine
from trustportal.workflows.domain.case_records import KINDS, Kind
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.models import CaseSubject
from trustportal.workflows.queries import allegations as queries
from trustportal.workflows.queries import cases, people
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services.entering import enter


def is_manager(case: Case, actor: Actor) -> bool:
    """Whether somebody manages a case: it waits for them; of a closed one, they take part in it. Whoever only reads it
    because of a later one does so where nobody is left who looked after it: anybody else would learn of the later one.
    """
    if actor.person_id is None or case.definition.key != ALLEGATION or actor.person_id in case.subjects:
        return False
    if case.state.closed:
        return not cases.only_reads(case.row.id) or not (
            cases.acted_in(case.row.id) & people.roster(today()).people()
        )
    return any(actor.person_id in one.people for one in case.tasks)


def _managed(actor: Actor, case_id: UUID, *, revision: int | None = None) -> tuple[Case, UUID]:
    case = cases.get_case(case_id, lock=True)
    if not is_manager(case, actor) or actor.person_id is None:
        raise NotFound()
    if revision is not None and case.row.revision != revision:
        raise Conflict("Somebody else has changed this meanwhile. Please read it again before you decide.")
    return case, actor.person_id


def guard(case: Case, action: str, given: Given, *, now: datetime) -> None:
    """What must be recorded before a step. Raises `RuleBroken` with the first thing that is missing."""
    if case.definition.key != ALLEGATION:
        return
    asked = case.definition.asked_by(action)
    values = {**case.values, **answers.tidy(asked, given.answers)}
    roster = people.roster(day_of(now))
    held = frozenset().union(*(roster.roles_of(one, case.row.school_id) for one in case.subjects))
    if held & {Role.SUPPLY, Role.CONTRACTOR}:
        values["about_kind"] = "agency"  # whatever the reporter thought
    missing = case_records.blockers(action, values, queries.recorded(case))
    if missing:
        raise RuleBroken(missing[0])


def _reason(words: str) -> str:
    found = words.strip()
    if not found:
        raise RuleBroken("Say why.", "reason")
    if len(found) > 4000:
        raise RuleBroken("This can have up to 4000 characters.", "reason")
    return found


def record(actor: Actor, *, case_id: UUID, kind: Kind, given: Mapping[str, Any], now: datetime) -> CaseRecord:
    """Record something. It is never changed: a mistake is put right by another record."""
    with unit_of_work():
        case, me = _managed(actor, case_id)
        if case.state.closed:
            raise RuleBroken("This is closed. Take it up again first.")
        fields, today = KINDS[kind].fields, day_of(now)
        says = answers.tidy(fields, given)
        answers.check(case.definition, fields, says, starter=None, may_be_named=(), today=today)
        case_records.check(kind, says, queries.recorded(case), today=today)
        row = CaseRecord(
            id=uuid4(), case_id=case_id, kind=str(kind), recorded_by=me, recorded_at=now, sealed=b""
        )
        row.sealed = case.seal.close(says, row.id)
        db.session.add(row)
        case.row.revision += 1
        chain.record(
            case.seal,
            case_id,
            "record",
            actor_id=me,
            now=now,
            said=f"recorded: {KINDS[kind].title[:1].lower()}{KINDS[kind].title[1:]}",
            record=str(row.id),
        )
    return row


def may_be_subjects(case: Case, now: datetime) -> dict[UUID, str]:
    """Whom the case manager can add: everybody who serves in the trust."""
    serving = people.roster(day_of(now)).people() - case.subjects
    return dict(sorted(tenants.names_of(serving).items(), key=lambda pair: pair[1]))


def add_subject(actor: Actor, *, case_id: UUID, person_id: UUID | None, reason: str, now: datetime) -> None:
    """It is about somebody else too: from this moment they see nothing of it, whatever they saw before, and what was
    to be mailed to them is taken back; the job gives what they had to somebody else.
    """
    with unit_of_work() as uow:
        case, me = _managed(actor, case_id)
        if person_id is None or person_id not in may_be_subjects(case, now):
            raise RuleBroken("Choose whom it is about.", "person")
        words = _reason(reason)
        took_part = any(one.person_id == person_id for one in cases.list_participants(case_id))
        case.row.revision += 1
        chain.record(
            case.seal,
            case_id,
            "subject",
            actor_id=me,
            now=now,
            said="noted that it is about somebody else too",
            to=[str(person_id)],
            comment=words,
            had_access="yes" if took_part else "",
        )
        # Before the row that names them: whoever names themself takes part no more after it.
        withdraw(person_id, path=wording.case_path(tenants.get_trust().slug, case_id))
        db.session.add(CaseSubject(id=uuid4(), case_id=case_id, person_id=person_id, added_at=now))
        uow.announce(Event.CASE_ROUTE, case_id=case_id)


def set_hold(actor: Actor, *, case_id: UUID, hold: bool, reason: str, now: datetime) -> None:
    """Keep a case whatever its time says, or no longer."""
    with unit_of_work():
        case, me = _managed(actor, case_id)
        words = _reason(reason)
        if case.row.legal_hold == hold:
            raise RuleBroken("It stands so already.")
        case.row.legal_hold = hold
        case.row.revision += 1
        said = "put it under a legal hold" if hold else "ended the legal hold"
        chain.record(case.seal, case_id, "hold", actor_id=me, now=now, said=said, comment=words)


def take_up_again(actor: Actor, *, case_id: UUID, reason: str, now: datetime) -> None:
    """A closed case is assessed anew: something else came to light, or a pattern did. The LADO's clock begins again."""
    with unit_of_work():
        case, me = _managed(actor, case_id)
        if not case.state.closed:
            raise RuleBroken("This is open.")
        words = _reason(reason)
        first = case.definition.first
        chain.record(
            case.seal,
            case_id,
            "again",
            actor_id=me,
            now=now,
            said="took it up again",
            comment=words,
            state=first.key,
        )
        row = case.row
        row.state, row.closed_at, row.keep_until = first.key, None, None
        row.revision += 1
        plan = engine.begin(case.definition, case.values, now=now)
        enter(case, plan, now=now)
        current_unit().announce(Event.CASE_ROUTE, case_id=case_id)
