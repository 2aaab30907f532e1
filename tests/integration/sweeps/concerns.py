"""Two concerns about an adult in a furnished trust: one open, one closed and asked about; and a table that waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from tests.world import Place, Someone, World
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.times import now, today
from trustportal.workflows.allegation_models import DisposalAsk
from trustportal.workflows.domain.case_records import Kind
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.domain.recipients import Line, Table, with_line
from trustportal.workflows.models import CaseAssignee, CaseParticipant, CaseTask, WorkflowCase
from trustportal.workflows.services import acting, keeping, managing, recipients, reporting, standing_in


def furnish(
    world: World, *, ids: dict[str, UUID], school: Place, people: Mapping[Role, Someone], manager: Someone
) -> None:
    """Fill in `ids` whatever addresses name. `manager` manages both concerns, so that one person can open them."""
    closed = _concern(world, school, people[Role.VOLUNTEER], manager)
    _act(world, manager, closed, "other", other_way="complaint", why_other="A loud voice.")
    _act(world, manager, closed, "handed", comment="To the office.")
    for answered in (True, False):
        with _behind(world), unit_of_work():
            db.session.execute(
                update(WorkflowCase).where(WorkflowCase.id == closed).values(keep_until=today())
            )
        with _behind(world):
            keeping.sweep(now=now())
        world.run_jobs()
        if answered:
            _answer(world, people[Role.DPO])
    with _behind(world):
        ids["ask_id"] = db.session.scalars(
            select(DisposalAsk.id).where(DisposalAsk.seat == "dpo", DisposalAsk.ended_at.is_(None))
        ).one()
    with _behind(world), unit_of_work():
        # Asked once, and no more: a row of theirs, to try it with.
        db.session.add(
            DisposalAsk(
                id=uuid4(),
                case_id=closed,
                person_id=manager.id,
                seat="chair",
                reference="AAAA-AAAA",
                basis="passed",
                due_on=today(),
                asked_at=now(),
                answer="",
                reason="",
                ended_at=now(),
            )
        )
    concern = _concern(world, school, people[Role.VOLUNTEER], manager)
    with world.acting(manager) as actor:
        managing.record(
            actor,
            case_id=concern,
            kind=Kind.WELFARE,
            given={"what": "The DSL spoke with her.", "by": "The DSL", "on": today().isoformat()},
            now=now(),
        )
    with world.acting(world.manager) as actor:
        deputy = with_line(Table(), Line.WORKER, (Role.HEADTEACHER, Role.DEPUTY_HEADTEACHER))
        ids["routing_id"] = recipients.propose(actor, table=deputy, reason="A small school.", now=now()).id
    with world.acting(people[Role.CHAIR_OF_TRUST_BOARD]) as actor:
        ids["stand_in_id"] = standing_in.name(
            actor, person_id=people[Role.TRUSTEE].id, reason="She knows the law.", now=now()
        )
    world.run_jobs()
    ids |= {"concern_id": concern, "closed_concern_id": closed}


def _behind(world: World) -> Any:
    class Behind:
        def __enter__(self) -> None:
            self.app = world.worker_app.app_context()
            self.app.__enter__()
            self.scope = scope(Scope.job(world.trust_id))
            self.scope.__enter__()

        def __exit__(self, *error: Any) -> None:
            self.scope.__exit__(*error)
            self.app.__exit__(*error)

    return Behind()


def _concern(world: World, school: Place, about: Someone, manager: Someone) -> UUID:
    """A concern that somebody added to, given to the manager by hand: two heads serve at this school."""
    with _behind(world):
        there = set(db.session.scalars(select(WorkflowCase.id)))
    given = {
        "about": [str(about.id)],
        "involved": "no",
        "what": "A word.",
        "capacity": "saw",
        "no_images": True,
    }
    with world.acting(manager):
        code = reporting.report(None, school_id=school.id, given=given, may_be_named={about.id}, now=now())
        reporting.add(school_id=school.id, code=code, text="Another word.", now=now())
    world.run_jobs()
    with _behind(world), unit_of_work():
        (case_id,) = set(db.session.scalars(select(WorkflowCase.id))) - there
        task_id = db.session.scalars(select(CaseTask.id).where(CaseTask.case_id == case_id)).one()
        for model in (CaseAssignee, CaseParticipant):
            db.session.execute(update(model).where(model.case_id == case_id).values(until_at=now()))
        # Whichever of the two heads had it first sees the earlier one too, as a pattern: not here.
        db.session.execute(
            update(CaseParticipant)
            .where(CaseParticipant.part == "pattern", CaseParticipant.person_id != manager.id)
            .values(until_at=now())
        )
        db.session.add(
            CaseAssignee(id=uuid4(), case_id=case_id, task_id=task_id, person_id=manager.id, since_at=now())
        )
        db.session.add(
            CaseParticipant(id=uuid4(), case_id=case_id, person_id=manager.id, part="acts", since_at=now())
        )
    return case_id


def _act(world: World, by: Someone, case_id: UUID, action: str, comment: str = "", **answers: Any) -> None:
    with world.acting(by) as actor:
        given = Given(comment=comment, answers=answers)
        acting.act(actor, case_id=case_id, action=action, given=given, now=now())
    # Routing gives the next step to a head: the manager of these concerns takes it back.
    with _behind(world), unit_of_work():
        task_id = db.session.scalars(
            select(CaseTask.id).where(CaseTask.case_id == case_id, CaseTask.ended_at.is_(None))
        ).one_or_none()
        if task_id is not None:
            db.session.add(
                CaseAssignee(id=uuid4(), case_id=case_id, task_id=task_id, person_id=by.id, since_at=now())
            )
    world.run_jobs()


def _answer(world: World, dpo: Someone) -> None:
    with world.acting(dpo) as actor:
        ask_id = db.session.scalars(select(DisposalAsk.id).where(DisposalAsk.ended_at.is_(None))).one()
        keeping.answer(actor, ask_id=ask_id, agree=False, reason="An inquiry.", now=now())
    world.run_jobs()
