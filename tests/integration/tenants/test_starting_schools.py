"""A school that is being set up, and what it has to have before it is live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.integration.conftest import PortalClient
from tests.integration.policies.given import Social, social
from tests.world import Someone, World
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Assignment
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import Forbidden, RuleBroken
from trustportal.kernel_models import AuditEvent
from trustportal.tenants import queries, services
from trustportal.tenants.models import School
from trustportal.times import now, today
from trustportal.workflows.models import Alarm
from trustportal.workflows.services import reporting

Clients = Callable[[Someone], PortalClient]


def _campaign(given: Social) -> None:
    with given.world.acting(given.world.manager) as actor:
        due_on = today() + timedelta(days=20)
        acceptance.open_campaign(
            actor,
            title="Annual signing",
            academic_year=academic_year(due_on),
            policy_ids=[given.policy_id],
            roles=[Role.STAFF, Role.HEADTEACHER],
            opens_on=today(),
            due_on=due_on,
            now=now(),
            today=today(),
        )
    given.world.run_jobs()


def _asked_at(world: World, school_id: object) -> int:
    with world.looking():
        return len(db.session.scalars(select(Assignment.id).where(Assignment.school_id == school_id)).all())


def test_a_school_starts_once_somebody_else_receives_what_is_about_its_head(
    world: World, client_for: Clients, client: PortalClient
) -> None:
    """Scenario 25, through the web."""
    given = social(world)
    _campaign(given)
    manager = client_for(world.manager)
    added = manager.post(
        world.url("schools/new"),
        data={"name": "Birchwood School", "short_name": "Birchwood", "phase": "", "joined_on": "2026-09-01"},
    )
    assert added.status_code == 303
    start = world.url("schools/birchwood/start")
    assert start in manager.get(added.headers["Location"]).get_data(as_text=True)
    world.run_jobs()
    with world.looking():
        school = queries.get_school_by_slug("birchwood")
        assert school.started_at is None
    # It is being set up: said where schools are looked after, and among the tasks; nothing is shown to the public.
    for path in ("schools", "schools/birchwood"):
        assert "eing set up" in manager.get(world.url(path)).get_data(as_text=True)
    assert "Start Birchwood" in manager.get(world.url()).get_data(as_text=True)
    public = client.get(f"/p/{world.slug}/birchwood/").get_data(as_text=True)
    assert "has not published a policy here yet" in public
    assert "Social media policy" not in public
    for path in (f"policies/{given.slug}", f"policies/{given.slug}.pdf"):
        assert client.get(f"/p/{world.slug}/birchwood/{path}").status_code == 404
    # Without a head, and then with a head whom only the head could receive anything about, it does not start.
    page = manager.get(start).get_data(as_text=True)
    assert page.count("Missing") == 2
    assert "See who receives allegations" in page
    assert "Start this school</button>" not in page
    refused = manager.post(start)
    assert refused.status_code == 422
    assert "A headteacher; Somebody who receives an allegation about the head" in refused.get_data(
        as_text=True
    )
    place = world.school("Cedar")
    birchwood = type(place)(school.id, school.slug, school.name, school.short_name)
    head = world.person("Bella Birch", (Role.HEADTEACHER, birchwood), (Role.CHAIR_OF_GOVERNORS, birchwood))
    teacher = world.person("Timo Birch", (Role.STAFF, birchwood))
    world.run_jobs()
    page = manager.get(start).get_data(as_text=True)
    assert page.count("Missing") == 1
    refused = manager.post(start)
    assert refused.status_code == 422
    assert (
        "cannot start yet. Missing: Somebody who receives an allegation about the head"
        in refused.get_data(as_text=True)
    )
    assert _asked_at(world, school.id) == 0
    # Somebody else's post makes the difference; whoever does not manage schools starts none.
    chair = world.person("Cato Chair", (Role.VICE_CHAIR_OF_GOVERNORS, birchwood))
    with world.acting(head) as actor, pytest.raises(Forbidden):
        services.start_school(actor, school_id=school.id, now=now())
    page = manager.get(start).get_data(as_text=True)
    assert chair.name in page
    assert manager.post(start).status_code == 303
    assert manager.post(start).status_code == 303
    world.run_jobs()
    assert "eing set up" not in manager.get(world.url("schools")).get_data(as_text=True)
    assert "Social media policy" in client.get(f"/p/{world.slug}/birchwood/").get_data(as_text=True)
    assert client.get(f"/p/{world.slug}/birchwood/policies/{given.slug}").status_code == 200
    assert _asked_at(world, school.id) == 2
    with world.looking():
        actions = list(db.session.scalars(select(AuditEvent.action)))
    assert actions.count("school.started") == 1
    # A recipient who leaves later does not stop the school; what nobody can receive then raises the clerk's alarm.
    clerk = world.person("Clara Clerk", Role.CLERK)
    with world.acting(world.manager) as actor:
        (held,) = queries.list_memberships(chair.id)
        services.end_membership(
            actor, membership_id=held.id, to_on=today() - timedelta(days=1), today=today()
        )
    world.run_jobs()
    with world.acting(teacher):
        reporting.report(
            teacher.id,
            school_id=school.id,
            given={
                "about": [str(head.id)], "involved": "head", "what": "A word.", "capacity": "saw", "no_images": True,
            },
            may_be_named={head.id},
            now=now(),
        )  # fmt: skip
    world.run_jobs()
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        assert db.session.scalars(select(Alarm.person_id)).all() == [clerk.id]


def test_no_way_round_it(world: World) -> None:
    """The service refuses, whatever asks it; a school of another trust is missing."""
    made = world.school("Birchwood", live=False)
    with world.acting(world.manager) as actor:
        with pytest.raises(RuleBroken, match="cannot start yet"):
            services.start_school(actor, school_id=made.id, now=now())
        services.change_school(actor, school_id=made.id, name="Birchwood", short_name="Birch")
    with world.looking():
        assert db.session.scalars(select(School.started_at)).all() == [None]
    # A head alone receives nothing about themself, nor does anybody whom the head leads.
    world.person("Bella Birch", (Role.HEADTEACHER, made))
    world.person("Dena Birch", (Role.DEPUTY_HEADTEACHER, made))
    with (
        world.acting(world.manager) as actor,
        pytest.raises(RuleBroken, match="an allegation about the head"),
    ):
        services.start_school(actor, school_id=made.id, now=now())
    world.person("Bea Board", Role.CHAIR_OF_TRUST_BOARD)
    with world.acting(world.manager) as actor:
        assert services.start_school(actor, school_id=made.id, now=now()).started_at is not None
