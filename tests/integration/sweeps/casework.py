"""Cases and accounts of a furnished trust, through the services; and by hand what no service makes yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from tests.world import Place, Someone, World
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.kernel_models import DemonstrationMail, Mail
from trustportal.times import now, today
from trustportal.workflows.domain import editing
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.meeting_models import CaseFigure, CaseHold
from trustportal.workflows.models import (
    Alarm,
    CaseDeadline,
    CaseDocument,
    CaseEscalation,
    CaseRecusal,
    CaseSubject,
    CaseTask,
    RegisterEntry,
    SchoolBreak,
)
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import acting, defining, starting, ties


def furnish(
    world: World, *, ids: dict[str, UUID], school: Place, people: Mapping[Role, Someone], starter: Someone
) -> None:
    """Fill in `ids` whatever addresses name."""
    form = _form(people, starter)
    decided = _send(world, starter, school, form)
    open_case = _send(world, starter, school, {**form, "site_name": "The choir"})
    _act(world, people[Role.LINE_MANAGER], decided, "sign")
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        (head,) = {person for task in queries.get_case(decided).tasks for person in task.people}
    _act(world, Someone(head, "", None, None), decided, "approve")
    with world.acting(starter) as actor:
        ids["intake_id"] = starting.save_draft(
            actor, school_id=school.id, key="site-approval", given={"site_name": "Half done"}, now=now()
        ).id
        acting.add_note(actor, case_id=open_case, text="Thank you.", now=now())
        ids["tie_id"] = ties.declare(
            actor,
            other_id=people[Role.CONTRACTOR].id,
            kind="related",
            in_register=True,
            words="We are cousins.",
            now=now(),
        )
    _settings(world, school, people, ids)
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)), unit_of_work():
        _by_hand(open_case, decided, people, starter, ids)
    ids["case_id"] = open_case
    world.run_jobs()


def _send(world: World, starter: Someone, school: Place, form: Mapping[str, Any]) -> UUID:
    with world.acting(starter) as actor:
        case_id = starting.send(actor, school_id=school.id, key="site-approval", given=form, now=now()).id
    world.run_jobs()
    return case_id


def _act(world: World, by: Someone, case_id: UUID, action: str) -> None:
    with world.acting(by) as actor:
        acting.act(actor, case_id=case_id, action=action, given=Given(confirmed=True), now=now())
    world.run_jobs()


def _settings(world: World, school: Place, people: Mapping[Role, Someone], ids: dict[str, UUID]) -> None:
    with world.acting(world.manager) as actor:
        defining.change(
            actor,
            key="site-approval",
            what="deadline",
            edit=lambda one: editing.set_deadline(one, "head", within=7, stops_in_holidays=False),
            now=now(),
        )
    with world.acting(people[Role.HEADTEACHER]) as actor:
        defining.set_own(
            actor,
            key="site-approval",
            school_id=school.id,
            deadlines={"head": 4},
            named={},
            letters={},
            now=now(),
        )
        defining.add_break(
            actor,
            school_id=school.id,
            name="Half term",
            from_on=date(2027, 2, 15),
            to_on=date(2027, 2, 19),
            now=now(),
        )
        ids["break_id"] = db.session.scalars(select(SchoolBreak.id)).one()


def _by_hand(
    open_case: UUID, decided: UUID, people: Mapping[Role, Someone], starter: Someone, ids: dict[str, UUID]
) -> None:
    entry = db.session.scalars(select(RegisterEntry)).one()
    # It should have been closed yesterday: somebody has to see to it.
    entry.go_live_on, entry.closes_on = today() - timedelta(days=30), today() - timedelta(days=1)
    ids["entry_id"] = entry.id
    ids["task_id"] = db.session.scalars(
        select(CaseTask.id).where(CaseTask.case_id == open_case, CaseTask.ended_at.is_(None))
    ).one()
    # A deadline for the clock to find. A document of the open case with a file in the place of its PDF.
    db.session.add(
        CaseDeadline(
            id=uuid4(),
            case_id=decided,
            state="head",
            visit=99,
            kind="due",
            due_on=today() - timedelta(days=1),
        )
    )
    document, seal = uuid4(), Seal.of_trust()
    ids["document_id"] = document
    db.session.add(
        CaseDocument(
            id=document,
            case_id=open_case,
            key="letter",
            visit=1,
            title="A letter",
            to_id=starter.id,
            sealed=seal.close({}, document),
            pdf=seal.close_bytes(b"%PDF-1.7 letter", document),
            made_at=now(),
            written_at=now(),
        )
    )
    calendar = ids["calendar_id"] = uuid4()
    db.session.add(
        CaseDocument(
            id=calendar,
            case_id=open_case,
            key="calendar-first-0",
            visit=1,
            title="Calendar file of the meeting",
            sealed=seal.close({}, calendar),
            pdf=seal.close_bytes(b"BEGIN:VCALENDAR", calendar),
            made_at=now(),
            written_at=now(),
        )
    )
    others = people[Role.CONTRACTOR].id
    _beside(open_case, starter.id, seal)
    db.session.add(CaseSubject(id=uuid4(), case_id=open_case, person_id=others, added_at=now()))
    db.session.add(CaseRecusal(id=uuid4(), case_id=open_case, person_id=people[Role.SUPPLY].id, at=now()))
    db.session.add(
        CaseEscalation(
            id=uuid4(), case_id=open_case, person_id=people[Role.HEADTEACHER].id, visit=99, tier=1, at=now()
        )
    )
    # The demonstration alone copies mail: one for each trust.
    mail = db.session.scalars(select(Mail).limit(1)).one()
    db.session.add(
        DemonstrationMail(
            id=uuid4(),
            mail_id=mail.id,
            to_address=mail.to_address,
            to_name=mail.to_name,
            subject=mail.subject,
            lines=[],
            created_at=now(),
        )
    )
    db.session.add(Alarm(id=uuid4(), person_id=starter.id, task_id=uuid4(), raised_at=now()))


def _beside(case_id: UUID, person_id: UUID, seal: Seal) -> None:
    hold = uuid4()
    db.session.add(
        CaseHold(
            id=hold,
            person_id=person_id,
            case_id=case_id,
            sealed=seal.close({"because": ["police"], "words": ""}, hold),
            referred=False,
            made_at=now(),
        )
    )
    db.session.add(
        CaseFigure(
            id=uuid4(),
            person_id=person_id,
            term="2025-3",
            workflow="site-approval",
            title="Social media account",
            position=0,
            began=7,
            ended=6,
            in_time="most",
            frozen_at=now(),
        )
    )


def _form(people: Mapping[Role, Someone], starter: Someone) -> dict[str, Any]:
    staff, office = people[Role.STAFF], people[Role.BUSINESS_MANAGER]
    return {
        "site_name": "Year 6",
        "department": "Year 6",
        "platform": "Picturegram",
        "official_email": "year6@ashgrove.example",
        "line_manager": str(people[Role.LINE_MANAGER].id),
        "administrators": [str(starter.id), str(staff.id)],
        "moderators": [str(office.id), str(staff.id)],
        "custodian": str(office.id),
        "aims": "Parents see what we do.",
        "content": "Pictures of work.",
        "evaluation": "Fewer questions.",
        "audience": ["families"],
        "contributors": ["staff"],
        "minimum_age": "adults",
        "host": "own",
        "security": "Comments are closed.",
        "risks": "Names: two people read everything.",
        "second_reader": str(staff.id),
        "emergency_access": True,
        "logo": "no",
        "go_live_on": (today() + timedelta(days=30)).isoformat(),
        "closes_on": (today() + timedelta(days=200)).isoformat(),
    }
