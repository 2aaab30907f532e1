"""Who has a case, when posts and people change, when somebody steps back, and when a day passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import NotFound, RuleBroken
from trustportal.kernel_models import Outbox
from trustportal.times import now, today
from trustportal.workflows import chain
from trustportal.workflows.models import Alarm, CaseDeadline
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import acting, deadlines, routing

Clients = Callable[[Someone], PortalClient]


def test_a_line_manager_who_leaves_is_replaced_by_rule(office: Office) -> None:
    case_id = office.send()
    office.leaves(office.leader)
    assert office.holders(case_id) == {office.deputy.id}
    assert office.leader.id not in office.participants(case_id)


def test_a_new_head_sees_what_their_post_sees_and_the_old_one_no_longer(office: Office) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    office.leaves(office.head)
    assert office.holders(case_id) == {office.ceo.id}
    new = office.world.person("Nina Newhead", (Role.HEADTEACHER, office.school))
    office.world.run_jobs()
    assert new.id in office.participants(case_id)
    assert office.head.id not in office.participants(case_id)


def test_nobody_left_raises_an_alarm_without_content_until_somebody_comes(
    office: Office, client_for: Clients, postbox: Postbox
) -> None:
    case_id = office.send()
    for person in (office.head, office.ceo, office.chair):
        office.leaves(person)
    postbox.received.clear()
    office.act(office.leader, case_id, "sign")
    assert office.holders(case_id) == set()
    with office.behind():
        (alarm,) = db.session.scalars(select(Alarm)).all()
        assert alarm.person_id == office.clerk.id
    (mail,) = postbox.to(str(office.clerk.email))
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Ashgrove" not in body.get_content()
    assert str(case_id) not in body.get_content()
    home = client_for(office.clerk).get(office.world.url()).get_data(as_text=True)
    assert "Something waits that nobody can receive" in home
    shown = client_for(office.teacher).get(office.world.url(f"cases/{case_id}")).get_data(as_text=True)
    assert "Nobody can receive this at present" in shown
    new = office.world.person("Nina Newhead", (Role.HEADTEACHER, office.school))
    office.world.run_jobs()
    assert office.holders(case_id) == {new.id}
    home = client_for(office.clerk).get(office.world.url()).get_data(as_text=True)
    assert "Something waits that nobody can receive" not in home


def test_handing_on_and_standing_in_say_why(office: Office, client_for: Clients) -> None:
    case_id = office.send()
    url = office.world.url(f"cases/{case_id}")
    task = office.case(case_id).tasks[0].row.id
    leader = client_for(office.leader)
    assert "Hand it to somebody else" in leader.get(url).get_data(as_text=True)
    sent = {"to": str(office.deputy.id), "reason": ""}
    assert leader.post(f"{url}/tasks/{task}/hand-over", data=sent).status_code == 422
    sent["reason"] = "I am on a course."
    assert leader.post(f"{url}/tasks/{task}/hand-over", data=sent).status_code == 303
    office.world.run_jobs()
    assert office.holders(case_id) == {office.deputy.id}
    teacher = client_for(office.teacher)
    assert "is away: ask somebody to stand in" in teacher.get(url).get_data(as_text=True)
    sent = {"to": str(office.head.id), "reason": "Dana is ill."}
    assert teacher.post(f"{url}/tasks/{task}/hand-over", data=sent).status_code == 303
    office.world.run_jobs()
    assert office.holders(case_id) == {office.head.id}
    assert "Dana is ill." in teacher.get(url).get_data(as_text=True)


def test_a_task_is_never_handed_to_its_author(office: Office) -> None:
    case_id = office.send()
    task = office.case(case_id).tasks[0].row.id
    with office.world.acting(office.leader) as actor, pytest.raises(RuleBroken, match="Choose who"):
        acting.hand_over(
            actor, case_id=case_id, task_id=task, to=office.teacher.id, reason="Why not?", now=now()
        )


def test_whoever_steps_back_sees_nothing_any_more(office: Office, client_for: Clients) -> None:
    case_id = office.send()
    url = office.world.url(f"cases/{case_id}")
    leader = client_for(office.leader)
    assert leader.post(f"{url}/step-back", data={"reason": ""}).status_code == 422
    assert leader.post(f"{url}/step-back", data={"reason": "We are friends."}).status_code == 303
    office.world.run_jobs()
    assert leader.get(url).status_code == 404
    assert office.holders(case_id) == {office.deputy.id}
    office.leaves(office.deputy)
    assert office.holders(case_id) == {office.head.id}, "never the one who stepped back"


# -- deadlines ------------------------------------------------------------------------------------------------------


def on(office: Office, ahead: int) -> None:
    """What the clock does so many days from now, twice."""
    day = today() + timedelta(days=ahead)
    at = datetime.combine(day, time(9), tzinfo=UTC)
    for _ in range(2):
        with office.behind():
            due = queries.list_due_deadlines(day)
        for deadline_id in due:
            with office.behind():
                deadlines.fire(deadline_id=deadline_id, now=at)
                deadlines.fire(deadline_id=deadline_id, now=at)
    office.world.run_jobs()


def test_a_reminder_and_then_the_one_above_each_once(office: Office, postbox: Postbox) -> None:
    case_id = office.send()
    postbox.received.clear()
    on(office, 20)
    with office.behind():
        done = [one.action for one in chain.timeline(Seal.of_trust(), case_id)]
    assert (done.count("reminded"), done.count("overdue")) == (1, 1)
    assert len(postbox.to(str(office.head.email))) == 1
    assert office.head.id in office.participants(case_id)


def test_what_was_left_in_time_is_not_reminded_of(office: Office) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    with office.behind():
        left = db.session.scalars(
            select(CaseDeadline).where(CaseDeadline.case_id == case_id, CaseDeadline.state == "line_manager")
        ).all()
        assert left
        assert all(one.ended_at is not None for one in left)


# -- running twice ----------------------------------------------------------------------------------------------------


def test_giving_out_again_changes_nothing(office: Office) -> None:
    case_id = office.send()
    before = (office.holders(case_id), office.participants(case_id))
    for _ in range(2):
        with office.behind():
            routing.route_case(case_id=case_id, now=now())
    assert (office.holders(case_id), office.participants(case_id)) == before
    with office.behind():
        assert [one.action for one in chain.timeline(Seal.of_trust(), case_id)] == ["given", "begin"]


def test_an_action_cannot_be_taken_twice(office: Office) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    with pytest.raises(NotFound):
        office.act(office.leader, case_id, "sign")


def test_many_who_come_at_once_make_one_job_for_a_case(office: Office) -> None:
    case_id = office.send()
    for _ in range(3):
        with office.behind():
            routing.announce_touched(school_id=office.school.id, person_id=office.third.id)
    with office.behind():
        waiting = db.session.scalars(
            select(Outbox).where(Outbox.event == "case.route", Outbox.done_at.is_(None))
        ).all()
        assert [one.payload["case_id"] for one in waiting] == [str(case_id)]
