"""What is late goes upwards: to whoever is next, once, and never to the person whom it is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.workflows.allegation_world import WORDS, Trust
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.times import today
from trustportal.workflows import chain
from trustportal.workflows.domain.days import add_working_days
from trustportal.workflows.models import Alarm, CaseDeadline, CaseEscalation
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import deadlines

Clients = Callable[[Someone], PortalClient]


def on(office: Office, day: date) -> None:
    """What the clock does on a day, each row twice, until nothing is left of it."""
    at = datetime.combine(day, time(9), tzinfo=UTC)
    for _ in range(2):
        with office.behind():
            due = queries.list_due_deadlines(day)
        for deadline_id in due:
            with office.behind():
                deadlines.fire(deadline_id=deadline_id, now=at)
                deadlines.fire(deadline_id=deadline_id, now=at)
    office.world.run_jobs()


def went_to(office: Office, case_id: UUID) -> list[UUID | None]:
    """To whom it went, in order."""
    with office.behind():
        rows = select(CaseEscalation.person_id).where(CaseEscalation.case_id == case_id)
        return list(db.session.scalars(rows.order_by(CaseEscalation.tier)))


def happened(office: Office, case_id: UUID) -> list[str]:
    with office.behind():
        return [one.action for one in chain.timeline(Seal.of_trust(), case_id)]


def due(office: Office, case_id: UUID) -> date:
    with office.behind():
        return db.session.scalars(
            select(CaseDeadline.due_on).where(
                CaseDeadline.case_id == case_id, CaseDeadline.kind == "due", CaseDeadline.ended_at.is_(None)
            )
        ).one()


def test_a_late_allegation_goes_to_the_next_in_the_table_and_at_the_top_to_the_clerk_without_a_word(
    trust: Trust, client_for: Clients, postbox: Postbox
) -> None:
    case_id = trust.report(client_for(trust.colleague), trust.third)
    assert trust.holders(case_id) == {trust.head.id}
    day = due(trust, case_id)
    postbox.received.clear()

    on(trust, day)  # on the day: a reminder, to whoever has it
    assert [str(one["Subject"]) for one in postbox.to(str(trust.head.email))] == [
        "A confidential item still needs your attention"
    ]
    assert went_to(trust, case_id) == [], "it is not late yet"
    assert postbox.to(str(trust.ceo.email)) == []

    on(trust, add_working_days(day, 1))
    assert went_to(trust, case_id) == [trust.ceo.id]
    (mail,) = postbox.to(str(trust.ceo.email))
    assert mail["Subject"] == "A confidential item is late"
    for word in (WORDS, "Thea", "Ashgrove", "llegation"):
        assert word not in mail.as_string()
    page = client_for(trust.head).get(trust.case_url(case_id)).get_data(as_text=True)
    assert "It is late, so it went upwards to <strong>Cem Executive</strong>" in page
    above = client_for(trust.ceo)
    assert "Late, and went up to you" in above.get(trust.world.url("cases")).get_data(as_text=True)
    assert "see that it is done, or take it over" in above.get(trust.world.url()).get_data(as_text=True)

    for step in (2, 3):
        on(trust, add_working_days(day, step))
    assert went_to(trust, case_id) == [trust.ceo.id, trust.board.id, trust.vice_board.id]
    on(trust, add_working_days(day, 4))
    on(trust, add_working_days(day, 9))
    assert went_to(trust, case_id) == [trust.ceo.id, trust.board.id, trust.vice_board.id, None]
    with trust.behind():
        (alarm,) = db.session.scalars(select(Alarm)).all()
        assert alarm.person_id == trust.clerk.id
    assert len(postbox.to(str(trust.clerk.email))) == 1
    assert happened(trust, case_id).count("escalated") == 4
    for person in (trust.third, trust.world.manager, trust.clerk, trust.dsl):
        assert person.id not in trust.participants(case_id), person.name

    # Whoever it went up to takes it over; whoever else was told sees it no more once the step is taken.
    shown = above.get(trust.case_url(case_id)).get_data(as_text=True)
    assert "take it over" in shown
    with trust.behind():
        (task,) = queries.get_case(case_id).tasks
        task_id = task.row.id
    sent = above.post(
        trust.case_url(case_id, f"/tasks/{task_id}/hand-over"),
        data={"to": str(trust.ceo.id), "reason": "Nobody answers."},
    )
    assert sent.status_code == 303, sent.get_data(as_text=True)
    trust.world.run_jobs()
    assert trust.holders(case_id) == {trust.ceo.id}
    trust.to_managing(above, case_id)
    assert trust.participants(case_id) & {trust.board.id, trust.vice_board.id} == set()
    assert client_for(trust.board).get(trust.case_url(case_id)).status_code == 404
    with trust.behind():
        (cleared,) = db.session.scalars(select(Alarm.cleared_at)).all()
        assert cleared is not None


@pytest.mark.parametrize("about", ["head", "ceo"])
def test_what_is_late_never_goes_to_whom_it_is_about_or_to_whoever_they_lead(
    trust: Trust, client_for: Clients, about: str
) -> None:
    """About the head: chair of governors, vice-chair, the board; about the chief executive: the board alone."""
    subject = {"head": trust.head, "ceo": trust.ceo}[about]
    case_id = trust.report(client_for(trust.colleague), subject)
    first = {"head": trust.chair, "ceo": trust.board}[about]
    assert trust.holders(case_id) == {first.id}
    if about == "head":
        trust.tied(trust.vice, trust.head)
    day = due(trust, case_id)
    for step in range(1, 8):
        on(trust, add_working_days(day, step))
    expected = {"head": [trust.board.id, trust.vice_board.id, None], "ceo": [trust.vice_board.id, None]}
    assert went_to(trust, case_id) == expected[about]
    out = {trust.head, trust.ceo, trust.world.manager, trust.dsl} - (
        {trust.ceo} if about == "head" else set()
    )
    assert trust.participants(case_id) & {one.id for one in out} == set()


def test_a_trust_says_when_a_late_request_goes_upwards_and_the_bank_holidays_do_not_count(
    office: Office, client_for: Clients, postbox: Postbox
) -> None:
    manager, url = client_for(office.world.manager), office.world.url("workflows/site-approval")
    found = re.search(r'name="seen" value="([^"]+)"', manager.get(url).get_data(as_text=True))
    sent = {
        "seen": found.group(1) if found else "",
        "state": "line_manager",
        "within": "2",
        "remind_before": "0",
        "on_the_day": "y",
        "escalate_after": "2",
    }
    refused = manager.post(f"{url}/deadline", data={**sent, "escalate_after": "61"})
    assert refused.status_code == 422
    assert "Enter a number of working days between 0 and 60." in refused.get_data(as_text=True)
    assert manager.post(f"{url}/deadline", data=sent).status_code == 303
    shown = manager.get(url).get_data(as_text=True)
    assert "If it is late, it goes upwards 2 working days later: to the headteacher" in shown
    tried = manager.get(f"{url}/try").get_data(as_text=True)
    assert re.search(r"Hana Head is told on \d+ \w+ \d{4}", tried)
    assert manager.post(f"{url}/publish", data={"reason": "Sooner."}).status_code == 303
    case_id = office.send()
    day = due(office, case_id)
    assert day == add_working_days(today(), 2)
    up = add_working_days(day, 2)
    with office.behind():
        kinds = dict(
            db.session.execute(
                select(CaseDeadline.kind, CaseDeadline.due_on).where(CaseDeadline.case_id == case_id)
            ).all()
        )
    assert kinds == {"due": day, "day": day, "escalate-1": up}
    on(office, up - timedelta(days=1))
    assert went_to(office, case_id) == []
    on(office, up)
    assert went_to(office, case_id) == [office.head.id]
    on(office, add_working_days(up, 2))
    assert went_to(office, case_id) == [office.head.id, office.ceo.id]
    assert "is late" not in str([one["Subject"] for one in postbox.received]), "no case about conduct"
    assert "late since" in str(postbox.to(str(office.ceo.email))[-1]["Subject"])
    office.act(office.leader, case_id, "sign")
    on(office, add_working_days(up, 4))
    assert [one for one in went_to(office, case_id) if one not in {office.head.id, office.ceo.id}] == []


def test_nobody_outside_takes_a_late_step_over(office: Office, client_for: Clients) -> None:
    case_id = office.send()
    with office.behind():
        (task,) = queries.get_case(case_id).tasks
    url = office.world.url(f"cases/{case_id}/tasks/{task.row.id}/hand-over")
    for person in (office.dsl, office.ceo):
        answer = client_for(person).post(url, data={"to": str(person.id), "reason": "Late."})
        assert answer.status_code == 404
    with office.world.acting(office.ceo), pytest.raises(NotFound):
        queries.get_case(case_id)
