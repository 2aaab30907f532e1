"""Figures for those who oversee, and ties that people declare: through the jobs and through the web."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select

from tests.integration.conftest import PortalClient
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.servers import DatabaseUrls
from trustportal.times import today
from trustportal.workflows.meeting_models import CaseFigure, InterestEntry
from trustportal.workflows.models import CaseDeadline, CaseSubject, Tie, WorkflowCase, WorkflowDefinition
from trustportal.workflows.queries import definitions
from trustportal.workflows.services import oversight, starting

Clients = Callable[[Someone], PortalClient]
#: A term that is over, seen from the day on which it is frozen.
IN_TERM, FREEZING = datetime(2030, 2, 4, 9, tzinfo=UTC), datetime(2030, 4, 2, 1, tzinfo=UTC)


def some_cases(office: Office, count: int, *, about: Someone | None = None, in_time: bool = True) -> None:
    """Cases of the spring of 2030, straight into the tables: what is tried here is how they are counted."""
    with office.behind(), unit_of_work():
        version = definitions.get_current("site-approval").version_id
        for _ in range(count):
            row = WorkflowCase(
                id=uuid4(),
                school_id=office.school.id,
                version_id=version,
                reference=starting.new_reference(),
                state="approved",
                sealed=b"",
                opened_at=IN_TERM,
                closed_at=IN_TERM,
                revision=1,
                visit=1,
                legal_hold=False,
            )
            db.session.add(row)
            db.session.flush()
            late = datetime(2030, 2, 20, 9, tzinfo=UTC)
            db.session.add(
                CaseDeadline(
                    id=uuid4(),
                    case_id=row.id,
                    state="head",
                    visit=1,
                    kind="due",
                    due_on=datetime(2030, 2, 8).date(),  # noqa: DTZ001
                    ended_at=IN_TERM if in_time else late,
                )
            )
            if about is not None:
                db.session.add(CaseSubject(id=uuid4(), case_id=row.id, person_id=about.id, added_at=IN_TERM))


def frozen(office: Office, person: Someone) -> list[tuple[str, int | None, int | None, str | None]]:
    with office.behind():
        rows = db.session.scalars(
            select(CaseFigure)
            .where(CaseFigure.person_id == person.id, CaseFigure.term == "2030-1")
            .order_by(CaseFigure.position)
        )
        return [
            (one.workflow, one.began, one.ended, one.in_time)
            for one in rows
            if one.workflow in {"site-approval", ""}
        ]


def freeze(office: Office) -> int:
    with office.behind():
        return oversight.freeze(today=FREEZING.date(), now=FREEZING)


def test_figures_are_frozen_once_without_what_is_about_whoever_looks(
    office: Office, client_for: Clients, database: DatabaseUrls
) -> None:
    other = office.world.person("Una Trustee", Role.TRUSTEE)
    some_cases(office, 5)
    some_cases(office, 3, about=office.trustee, in_time=False)
    assert freeze(office)
    hidden = ("", None, None, None)
    assert frozen(office, office.trustee) == [("site-approval", 5, 5, "nearly_all"), hidden]
    assert frozen(office, other) == [("site-approval", 8, 8, "most"), hidden]
    assert frozen(office, office.head) == [], "nobody else has any"
    # What comes later changes nothing that was written; whoever comes later gets theirs.
    some_cases(office, 4)
    assert freeze(office) == 0
    newcomer = office.world.person("Ned New", Role.TRUSTEE)
    assert freeze(office) > 0
    assert frozen(office, office.trustee)[0] == ("site-approval", 5, 5, "nearly_all")
    assert frozen(office, newcomer)[0] == ("site-approval", 12, 12, "most")
    page = client_for(office.trustee).get(office.world.url("case-figures")).get_data(as_text=True)
    assert "Spring term 2030" in page
    assert "nearly all (nine of ten or more)" in page
    assert "hidden" in page
    for person in (office.head, office.teacher, office.clerk):
        assert client_for(person).get(office.world.url("case-figures")).status_code == 403
    # The database shows each their own, and lets nobody change one.
    with psycopg.connect(database.web) as connection:
        connection.execute(
            "SELECT set_config('app.trust_id', %s, true), set_config('app.person_id', %s, true),"
            " set_config('app.all_schools', 'on', true)",
            [str(office.world.trust_id), str(other.id)],
        )
        seen = connection.execute("SELECT DISTINCT person_id FROM case_figure").fetchall()
        assert seen == [(other.id,)]


def test_a_trust_without_workflows_then_has_no_figures_of_that_time(office: Office) -> None:
    with office.behind(), unit_of_work():
        for row in db.session.scalars(select(WorkflowDefinition)):
            row.created_at = FREEZING
    some_cases(office, 9)
    assert freeze(office) == 0


def declare(client: PortalClient, office: Office, other: Someone, **more: str) -> None:
    sent = {"other": str(other.id), "kind": "related", **more}
    answer = client.post(office.world.url("ties"), data=sent)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    office.world.run_jobs()


def test_whoever_declares_a_tie_is_asked_no_more_and_nobody_else_sees_it(
    office: Office, client_for: Clients
) -> None:
    case_id = office.send()
    assert office.holders(case_id) == {office.leader.id}
    leader = client_for(office.leader)
    offered = leader.get(office.world.url("ties")).get_data(as_text=True)
    assert "Tara Teacher" in offered
    assert "Headteacher at Ashgrove" in offered, "two can have one name"
    found = leader.get(office.world.url("ties?name=hana+h")).get_data(as_text=True)
    assert "Hana Head" in found
    assert "Tara Teacher" not in found
    assert "Nobody who serves here" in leader.get(office.world.url("ties?name=Nemo")).get_data(as_text=True)
    refused = leader.post(office.world.url("ties"), data={"kind": "related"})
    assert refused.status_code == 422
    assert "Choose who it is." in refused.get_data(as_text=True)
    declare(leader, office, office.head)
    mine = leader.get(office.world.url("ties")).get_data(as_text=True)
    assert "<strong>Hana Head</strong>" in mine
    for person in (office.head, office.clerk, office.world.manager):
        theirs = client_for(person).get(office.world.url("ties")).get_data(as_text=True)
        assert "What you declared" not in theirs
    clerk = client_for(office.clerk)
    assert "Nothing stands here yet" in clerk.get(office.world.url("interests")).get_data(as_text=True)
    again = leader.post(office.world.url("ties"), data={"other": str(office.head.id), "kind": "related"})
    assert "You have declared this already." in again.get_data(as_text=True)
    assert client_for(office.head).get(office.world.url("interests")).status_code == 403


def only_tie(office: Office, person: Someone) -> UUID:
    with office.behind():
        return db.session.scalars(select(Tie.id).where(Tie.person_id == person.id)).one()


def test_the_register_of_interests_shows_what_people_wanted_to_stand_there(
    office: Office, client_for: Clients
) -> None:
    chair = client_for(office.chair)
    wordless = chair.post(
        office.world.url("ties"), data={"other": str(office.head.id), "kind": "related", "in_register": "y"}
    )
    assert wordless.status_code == 422
    declare(chair, office, office.head, in_register="y", words="We are cousins.")
    clerk = client_for(office.clerk)
    shown = clerk.get(office.world.url("interests")).get_data(as_text=True)
    assert "Chris Chair" in shown
    assert "We are cousins." in shown
    tie_id = only_tie(office, office.chair)
    # Nobody ends another's.
    url = office.world.url(f"ties/{tie_id}/end")
    assert clerk.post(url).status_code == 404
    assert chair.post(url).status_code == 303
    assert chair.post(url).status_code == 422
    with office.behind():
        assert db.session.scalars(select(InterestEntry.ended_on)).one() == today()
    assert "It holds no more" not in chair.get(office.world.url("ties")).get_data(as_text=True)


def test_who_is_led_does_not_decide_about_whoever_leads_them(office: Office, client_for: Clients) -> None:
    """A tie that is declared from below counts like one from above."""
    from trustportal.workflows.domain.routing import barred
    from trustportal.workflows.queries import people

    declare(client_for(office.deputy), office, office.colleague, kind="led")
    with office.behind():
        roster = people.roster(today())
    assert office.deputy.id in barred(roster, [office.colleague.id])
    assert office.colleague.id not in barred(roster, [office.deputy.id])
