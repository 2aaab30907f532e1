"""The network manager changes a workflow in the browser; the next request follows it, the running one does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import psycopg
import pytest
from sqlalchemy import select

from tests.integration.conftest import PortalClient
from tests.integration.workflows.conftest import Office
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import RuleBroken
from trustportal.servers import DatabaseUrls
from trustportal.times import now, today
from trustportal.workflows.domain import checking, editing, reading
from trustportal.workflows.domain.days import due_on
from trustportal.workflows.domain.definition import Deadline, Definition
from trustportal.workflows.models import CaseDeadline, WorkflowVersion
from trustportal.workflows.queries import definitions as queries
from trustportal.workflows.services import defining

Clients = Callable[[Someone], PortalClient]


def seen(html: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', html)
    assert found
    return found.group(1)


def test_a_trust_has_the_workflows_with_its_first_school(other_world: World) -> None:
    with other_world.looking():
        assert queries.list_current() == []
    other_world.school("Birchwood")
    other_world.run_jobs()
    with other_world.looking():
        assert [one.key for one in queries.list_current()] == list(reading.shipped())
        assert defining.install(now=now()) == 0, "again: nothing"


def test_a_deadline_a_step_and_an_approver_for_the_next_request_only(
    office: Office, client_for: Clients
) -> None:
    running = office.send()
    manager, url = client_for(office.world.manager), office.world.url("workflows/site-approval")
    page = manager.get(url).get_data(as_text=True)
    assert "Nothing is wrong" in page
    changes = (
        ("deadline", {"state": "head", "within": "9", "stops_in_holidays": "y"}),
        (
            "steps",
            {
                "after": "line_manager",
                "title": "The DSL reads it",
                "role": "dsl",
                "statement": "I have no concerns.",
                "within": "2",
            },
        ),
        ("approvers", {"state": "head", "role": "chair_of_governors"}),
    )
    for path, data in changes:
        digest = seen(manager.get(url).get_data(as_text=True))
        assert manager.post(f"{url}/{path}", data={"seen": digest, **data}).status_code == 303, path
    stale = manager.post(f"{url}/deadline", data={"seen": digest, "state": "head", "within": "3"})
    assert stale.status_code == 422
    assert "Somebody else has changed this workflow" in stale.get_data(as_text=True)

    tried = manager.get(
        f"{url}/try?school={office.school.slug}&starter={office.teacher.id}&f_line_manager={office.leader.id}"
    ).get_data(as_text=True)
    shown = re.sub(r"<[^>]+>", " ", tried)
    assert re.search(r"The DSL reads it\s+Dee Safeguarding", shown)
    assert "Hana Head" in shown
    assert "Chris Chair" in shown

    assert manager.post(f"{url}/publish", data={"reason": ""}).status_code == 422
    assert manager.post(f"{url}/publish", data={"reason": "The DSL wants to know."}).status_code == 303

    office.act(office.leader, running, "sign")
    assert office.holders(running) == {office.head.id}, "the running one keeps its version"
    office.act(office.head, running, "approve")
    assert office.case(running).state.title == "Approved"

    following = office.send(site_name="The choir")
    office.act(office.leader, following, "sign")
    assert office.holders(following) == {office.dsl.id}
    office.act(office.dsl, following, "agree")
    assert office.holders(following) == {office.head.id, office.chair.id}
    office.act(office.head, following, "approve")
    assert office.case(following).state.title == "The headteacher decides"
    office.act(office.chair, following, "approve")
    assert office.case(following).state.title == "Approved"


def test_what_a_check_finds_keeps_it_from_being_used(office: Office) -> None:
    with office.world.acting(office.world.manager) as actor:
        defining.change(actor, key="logo-use", what="step", edit=_for_hr_alone, now=now())
    with office.world.acting(office.world.manager) as actor, pytest.raises(RuleBroken, match="nobody can be"):
        defining.publish(actor, key="logo-use", reason="Why not.", now=now())
    office.world.person("Hilda Resources", Role.HR_LEAD)
    with office.world.acting(office.world.manager) as actor:
        assert defining.publish(actor, key="logo-use", reason="Why not.", now=now()).number == 2


def _for_hr_alone(one: Definition) -> Definition:
    """A step that only the HR lead can take."""
    made = editing.add_step(one, "head", title="HR reads it", role=Role.HR_LEAD, statement="", within=3)
    states = [
        replace(state, seats=tuple(replace(seat, rules=seat.rules[:1]) for seat in state.seats))
        if state.key == "hr_reads_it"
        else state
        for state in made.states
    ]
    return replace(made, states=tuple(states))


def test_a_published_version_never_changes(office: Office, database: DatabaseUrls) -> None:
    with psycopg.connect(database.worker) as connection:
        connection.execute("SELECT set_config('app.trust_id', %s, true)", [str(office.world.trust_id)])
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("UPDATE workflow_version SET reason = 'other'")


def test_a_school_sets_its_own_where_it_may(office: Office, client_for: Clients) -> None:
    head = client_for(office.head)
    url = office.world.url(f"schools/{office.school.slug}/workflows")
    assert "Social media account" in head.get(url).get_data(as_text=True)
    own = f"{url}/site-approval"
    assert head.post(own, data={"deadline-head": "many"}).status_code == 422
    sent = {
        "deadline-line_manager": "2",
        "person-line_manager.line_manager": str(office.deputy.id),
        "letter-approval": "Well done, {{to}}.",
    }
    assert head.post(own, data=sent).status_code == 303
    case_id = office.send()
    assert office.holders(case_id) == {office.deputy.id}
    with office.behind():
        deadline = office_deadline(case_id)
    assert deadline == expected_due(2)
    assert client_for(office.office).get(own).status_code == 403


def office_deadline(case_id: object) -> date:
    return db.session.scalars(
        select(CaseDeadline.due_on).where(CaseDeadline.case_id == case_id, CaseDeadline.kind == "due")
    ).one()


def expected_due(within: int) -> date:
    return due_on(Deadline(within), today())


def test_a_school_holiday_is_added_and_taken_out(office: Office, client_for: Clients) -> None:
    head = client_for(office.head)
    url = office.world.url(f"schools/{office.school.slug}/workflows")
    half_term = {"name": "Half term", "from_on": ["15", "2", "2027"], "to_on": ["19", "2", "2027"]}
    assert head.post(f"{url}/holidays", data={**half_term, "to_on": ["1", "2", "2027"]}).status_code == 422
    assert head.post(f"{url}/holidays", data=half_term).status_code == 303
    page = head.get(url).get_data(as_text=True)
    assert "15 February 2027 to 19 February 2027" in page
    (remove,) = re.findall(r'action="([^"]+/holidays/[^"]+/remove)"', page)
    assert head.post(remove).status_code == 303
    assert "Half term</strong>" not in head.get(url).get_data(as_text=True)


def test_one_that_is_not_offered_cannot_be_asked_for(office: Office, client_for: Clients) -> None:
    manager = client_for(office.world.manager)
    assert manager.post(office.world.url("workflows/logo-use/use"), data={"in_use": "no"}).status_code == 303
    teacher = client_for(office.teacher)
    here = office.world.url(f"schools/{office.school.slug}/requests")
    assert "Use the logo" not in teacher.get(here).get_data(as_text=True)
    assert teacher.get(f"{here}/logo-use").status_code == 404


def test_a_newer_release_is_followed_where_the_trust_changed_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {
        key: replace(one, summary=f"{one.summary} Newly worded.") for key, one in reading.shipped().items()
    }
    with office.world.acting(office.world.manager) as actor:
        defining.change(
            actor,
            key="logo-use",
            what="deadline",
            edit=lambda one: editing.set_deadline(one, "head", within=9, stops_in_holidays=False),
            now=now(),
        )
        defining.publish(actor, key="logo-use", reason="More time.", now=now())
    monkeypatch.setattr(reading, "shipped", lambda: newer)
    with office.behind():
        assert defining.install(now=now()) == len(newer) - 1
        kept = queries.get_current("logo-use")
        assert (kept.number, "Newly worded" in kept.definition.summary) == (2, False)


def test_every_workflow_of_a_trust_is_checked_for_the_command(office: Office) -> None:
    with office.behind():
        found = defining.check_all(today=today())
    assert [key for key, *_ in found] == list(reading.shipped())
    assert all(checking.is_usable(findings) for *_, findings in found)
    for person in (office.head, office.ceo, office.chair):
        office.leaves(person)
    with office.behind():
        short = [
            key
            for key, _, _, findings in defining.check_all(today=today())
            if not checking.is_usable(findings)
        ]
    assert {"site-approval", "logo-use", "blocked-content"} <= set(short)


def test_another_trusts_workflows_are_its_own(office: Office, other_world: World) -> None:
    other_world.school("Elsewhere")
    other_world.run_jobs()
    with office.world.acting(office.world.manager) as actor:
        defining.set_in_use(actor, key="logo-use", in_use=False, now=now())
    with other_world.looking():
        assert queries.get_current("logo-use").in_use
        assert len(db.session.scalars(select(WorkflowVersion)).all()) == len(reading.shipped())
