"""A confidential item with which nobody deals goes upwards, in browsers; and who stands in where a record goes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from e2e.portal import Portal
from e2e.visitor import PHONE, Visitors, go_home
from tests.world import World
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.jobs import Event
from trustportal.times import now, today
from trustportal.workflows.domain import reading
from trustportal.workflows.models import CaseDeadline, WorkflowCase
from trustportal.workflows.services import defining, reporting


def days_pass(world: World) -> UUID:
    """A report comes, and nobody does anything for days: what the clock finds."""
    with world.looking():
        (case_id,) = db.session.scalars(select(WorkflowCase.id)).all()
        with unit_of_work() as uow:
            db.session.execute(
                update(CaseDeadline)
                .where(CaseDeadline.case_id == case_id)
                .values(due_on=today() - timedelta(days=2))
            )
            uow.announce(Event.DEADLINES_DUE, slot=today().isoformat())
    return case_id


def test_what_is_late_goes_upwards_and_is_taken_over(portal: Portal, visitors: Visitors) -> None:
    world = portal.trust("Larch Fell Trust")
    school = world.school("Larch Fell")
    head = world.person("Hedda Hill", (Role.HEADTEACHER, school))
    about = world.person("Abel Ash", (Role.STAFF, school))
    ceo, board = world.person("Cleo Crane", Role.CEO), world.person("Boris Birch", Role.CHAIR_OF_TRUST_BOARD)
    trustee = world.person("Thora Thorn", Role.TRUSTEE)
    with world.looking():
        defining.install(now=now())
        assert "allegation" in reading.shipped()
        reporting.report(
            None,
            school_id=school.id,
            given={"about": [str(about.id)], "involved": "no", "what": "He shouted.", "capacity": "saw",
                   "no_images": True},
            may_be_named={about.id},
            now=now(),
        )  # fmt: skip
    late = visitors.of(head)
    late.until(world.url(), lambda page: page.get_by_text("Confidential item").count() > 0)
    case_id = days_pass(world)
    above = visitors.of(ceo, width=PHONE)
    above.until(world.url(), lambda page: page.get_by_text("It is late and went up to you").count() > 0)
    above.shot("late-home")
    above.open(world.url("cases")).sees("Late, and went up to you").shot("late-list")
    above.open(world.url(f"cases/{case_id}")).sees("It is late, so it went upwards to", "Targets")
    above.shot("late-case")
    late.open(world.url(f"cases/{case_id}")).sees("It is late, so it went upwards to Cleo Crane").shot(
        "late-case"
    )
    above.unfold("It is late: take it over, or ask somebody to stand in")
    above.page.locator("details[open] select").select_option(label="Cleo Crane")
    above.fill("Why?", "Nobody answers.")
    above.shot("late-take-over")
    above.press("Give it to them")
    above.until(world.url(f"cases/{case_id}"), lambda page: page.get_by_text("It is your turn").count() > 0)
    subject = visitors.of(about)
    go_home(subject, world).sees_no("Confidential item")
    # Who stands in for the data protection officer, named by the chair of the trust board.
    chair = visitors.of(board, width=PHONE)
    chair.open(world.url("kept")).sees("Who stands in for the data protection officer")
    chair.unfold("Name somebody")
    chair.page.get_by_label("Who stands in?").select_option(label=trustee.name)
    chair.fill("Why them?", "She knows the law on data.")
    chair.press("Name them").sees("Thora Thorn").shot("stand-ins")
    manager = visitors.of(world.manager)
    manager.open(world.url("workflows/allegation")).sees("it goes upwards", "Targets")
    manager.unfold("Change the deadline")
    manager.shot("late-editor")
