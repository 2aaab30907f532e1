"""Starting a case: a form that is kept while it is filled in, sent once, and opened by a job.

Whoever sends a form never decides who gets it: the job that opens the case sees what they may not (declared ties).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal.access import Actor
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.times import day_of
from trustportal.workflows import chain
from trustportal.workflows.domain import answers, engine
from trustportal.workflows.domain.answers import Fault
from trustportal.workflows.domain.definition import Definition, FieldKind
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.models import CaseIntake, CaseParticipant, CaseSubject, WorkflowCase
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import clauses, definitions, people, register
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import reporting, routing
from trustportal.workflows.services.entering import enter
from trustportal.workflows.services.sending import intake_row

_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_reference() -> str:
    """Eight random signs that nobody misreads: no number, so that none can be missed or counted."""
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"


def may_start(actor: Actor, definition: Definition, school_id: UUID) -> bool:
    """Whether somebody can start a workflow at a school: by the roles that they hold there."""
    held = actor.roles_at(school_id)
    return bool(held & set(definition.who_may_start)) if definition.who_may_start else bool(held)


def nameable(definition: Definition, school_id: UUID, today: date) -> set[UUID]:
    """Whom a form can name: who serves at the school or the trust today; and the school's accounts."""
    serving = people.roster(today)
    found = {post.person for post in serving.posts if post.school in {school_id, None}}
    if any(one.kind is FieldKind.CLAUSES for one in definition.fields):
        found |= clauses.editions_at(school_id, today)
    if any(one.kind in {FieldKind.ACCOUNT, FieldKind.ACCOUNTS} for one in definition.fields):
        found |= {one.row.id for one in register.list_entries(school_ids=[school_id])}
    return found


def save_draft(
    actor: Actor,
    *,
    school_id: UUID,
    key: str,
    given: Mapping[str, Any],
    now: datetime,
    intake_id: UUID | None = None,
) -> CaseIntake:
    """Keep a form as far as it is filled in. Nothing is checked: it is a draft."""
    with unit_of_work():
        row, definition = _draft(actor, school_id=school_id, key=key, now=now, intake_id=intake_id)
        row.sealed = Seal.of_trust().close(answers.tidy(definition.form, given), row.id)
        row.changed_at = now
    return row


def _draft(
    actor: Actor, *, school_id: UUID, key: str, now: datetime, intake_id: UUID | None
) -> tuple[CaseIntake, Definition]:
    current = definitions.get_current(key, in_use_only=True)
    if not may_start(actor, current.definition, school_id):
        raise NotFound()
    if intake_id is not None:
        row = queries.find_intake(intake_id, lock=True)
        if row is None or row.school_id != school_id:
            raise NotFound()
        if row.state != "draft":
            raise RuleBroken("This form was sent already.")
        if definitions.get_version(row.version_id).definition_id != current.id:
            raise NotFound()
        row.version_id = current.version_id  # a draft follows the newest version; a case keeps its own
        return row, current.definition
    row = intake_row(
        actor.person_id,
        school_id=school_id,
        version_id=current.version_id,
        values={},
        now=now,
        state="draft",
    )
    return row, current.definition


def send(
    actor: Actor,
    *,
    school_id: UUID,
    key: str,
    given: Mapping[str, Any],
    now: datetime,
    intake_id: UUID | None = None,
) -> CaseIntake:
    """Send a form: it is checked, and a job opens the case, which has its id. `RuleBroken` names the field at fault."""
    today = day_of(now)
    with unit_of_work() as uow:
        row, definition = _draft(actor, school_id=school_id, key=key, now=now, intake_id=intake_id)
        values = answers.tidy(definition.form, given)
        answers.check(
            definition,
            definition.form,
            values,
            starter=actor.person_id,
            may_be_named=nameable(definition, school_id, today),
            today=today,
        )
        first, *others = answers.divided(definition, values)
        row.sealed = Seal.of_trust().close(first, row.id)
        row.state, row.sent_at, row.changed_at = "sent", now, now
        uow.announce(Event.CASE_SENT, intake_id=row.id)
        for one in others:
            uow.announce(Event.CASE_SENT, intake_id=_twin(row, one, now).id)
    return row


def _twin(row: CaseIntake, values: Mapping[str, Any], now: datetime) -> CaseIntake:
    """The same form once more, with what concerns the second person only."""
    return intake_row(
        row.person_id, school_id=row.school_id, version_id=row.version_id, values=values, now=now
    )


def faults(actor: Actor, *, school_id: UUID, key: str, given: Mapping[str, Any], today: date) -> list[Fault]:
    """Everything that keeps a form from being sent, so that a page can show all of it at once."""
    definition = definitions.get_current(key, in_use_only=True).definition
    return _faults(definition, given, actor.person_id, school_id, today)


def faults_in(case: queries.Case, actor: Actor, given: Mapping[str, Any], *, today: date) -> list[Fault]:
    """The same for the changed form of a case."""
    return _faults(case.definition, given, actor.person_id, case.row.school_id, today)


def _faults(
    definition: Definition, given: Mapping[str, Any], starter: UUID | None, school_id: UUID, today: date
) -> list[Fault]:
    return answers.faults(
        definition,
        definition.form,
        answers.tidy(definition.form, given),
        starter=starter,
        may_be_named=nameable(definition, school_id, today),
        today=today,
    )


def discard(actor: Actor, *, intake_id: UUID) -> None:
    """Throw a draft away."""
    with unit_of_work():
        row = queries.find_intake(intake_id, lock=True)
        if row is None or row.state != "draft":
            raise NotFound()
        db.session.delete(row)


def open_case(*, intake_id: UUID, now: datetime) -> None:
    """The job: a sent form becomes a case, with the people whom routing finds. Done already: nothing happens."""
    with unit_of_work():
        intake = queries.find_intake(intake_id, lock=True)
        if intake is None or intake.state != "sent":
            return
        version, seal = definitions.get_version(intake.version_id), Seal.of_trust()
        definition = definitions.at_school(version, intake.school_id)
        values, receipt = seal.open(intake.sealed, intake.id), ""
        sent_at = intake.sent_at or now
        if definition.key == ALLEGATION:
            roster = people.roster(day_of(now))
            values, receipt = reporting.prepared(values, school_id=intake.school_id, roster=roster)
        plan = engine.begin(definition, values, now=sent_at, breaks=definitions.breaks_of(intake.school_id))
        row = WorkflowCase(
            id=intake.id,
            school_id=intake.school_id,
            version_id=version.id,
            reference=new_reference(),
            state=plan.state,
            starter_id=intake.person_id,
            sealed=seal.close(values, intake.id),
            opened_at=sent_at,
            revision=1,
            visit=0,
            legal_hold=False,
        )
        db.session.add(row)
        db.session.flush()
        subjects = frozenset().union(*(people_in(values.get(one)) for one in definition.subject_fields))
        for person_id in sorted(subjects, key=str):
            db.session.add(CaseSubject(id=uuid4(), case_id=row.id, person_id=person_id, added_at=sent_at))
        if definition.key == ALLEGATION:
            reporting.keep_apart(row.id, values, receipt, school_id=row.school_id, now=sent_at)
        # Whoever reports somebody's conduct has done their part: what becomes of it is not theirs to read.
        if intake.person_id is not None and not definition.safeguarding and definition.starter_sees:
            db.session.add(
                CaseParticipant(
                    id=uuid4(), case_id=row.id, person_id=intake.person_id, part="starter", since_at=sent_at
                )
            )
        db.session.delete(intake)
        db.session.flush()
        case = queries.get_case(row.id, lock=True)
        chain.record(seal, row.id, "begin", actor_id=row.starter_id, now=sent_at, said=plan.said)
        enter(case, plan, now=sent_at)
        routing.give_out(case, now=now)
