"""Who is asked: campaigns, joiners, leavers, newer editions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import event, select

from tests.world import World
from trustportal.acceptance import services
from trustportal.acceptance.domain.campaign import Draft
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Assignment
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import Forbidden, RuleBroken
from trustportal.tenants import queries as tenants_queries
from trustportal.tenants import services as tenants
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Asked, Desk
    from trustportal.config import Settings
    from trustportal.servers import Servers


def states(world: World) -> dict[str, int]:
    """How many assignments there are in each state."""
    with world.looking():
        found: dict[str, int] = {}
        for one in db.session.scalars(select(Assignment)):
            name = one.closed_because or one.state
            found[name] = found.get(name, 0) + 1
        return found


def test_a_campaign_asks_each_person_once_at_each_place(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Both", (Role.STAFF, ashgrove), (Role.GOVERNOR, ashgrove), (Role.STAFF, birch))
    cara = world.person("Cara Central", Role.CENTRAL_STAFF)
    social = desk.policy("Social media", ashgrove, birch, None)
    code = desk.policy("Staff code", ashgrove)
    desk.campaign(social, code)
    assert [(one.school_name, one.policy_title) for one in desk.open_of(ann)] == [
        ("Ashgrove Primary School", "Social media"),
        ("Ashgrove Primary School", "Staff code"),
        ("Birch Primary School", "Social media"),
    ]
    assert [one.school_name for one in desk.open_of(cara)] == [None]
    assert states(world) == {"open": 4}
    with world.looking():
        services.assign_place(ashgrove.id, today=today(), now=now())
    assert states(world) == {"open": 4}


def test_a_campaign_reaches_only_its_places_and_roles(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    world.person("Vic Volunteer", (Role.VOLUNTEER, ashgrove))
    world.person("Ben Staff", (Role.STAFF, birch))
    social = desk.policy("Social media", ashgrove, birch)
    desk.campaign(social, roles=[Role.STAFF], places=[str(ashgrove.id)])
    assert states(world) == {"open": 1}


def test_the_preview_says_how_many_will_be_asked(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Both", (Role.STAFF, ashgrove), (Role.STAFF, birch))
    world.person("Ben Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove)
    desk.edition(social, birch, ["Be kind."], ready=False)
    due_on = today() + timedelta(days=20)
    draft = Draft(
        "Signing",
        academic_year(due_on),
        frozenset({social}),
        frozenset({Role.STAFF}),
        frozenset(),
        today(),
        due_on,
        14,
        "I have read {policy} and agree to it.",
    )
    with world.acting(world.manager) as actor:
        rows = {
            row.name: (row.people, row.signatures, row.waiting)
            for row in services.preview_campaign(actor, draft, today=today())
        }
    assert rows["Ashgrove Primary School"] == (2, 2, ())
    assert rows["Birch Primary School"] == (0, 0, ("Social media",))
    assert states(world) == {}


def test_only_the_network_manager_opens_and_closes(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    social = desk.policy("Social media", ashgrove)
    opened = desk.campaign(social)
    with world.acting(head) as actor:
        with pytest.raises(Forbidden):
            services.close_campaign(actor, campaign_id=opened.id, now=now())
        with pytest.raises(Forbidden):
            services.suggest_campaign(actor, today=today())
    with pytest.raises(RuleBroken, match="already"):
        desk.campaign(social)
    with world.acting(world.manager) as actor:
        services.close_campaign(actor, campaign_id=opened.id, now=now())
        services.close_campaign(actor, campaign_id=opened.id, now=now())
    assert states(world) == {"ended": 1}


def test_assignments_open_when_the_edition_is_in_force_and_its_pdf_is_stored(
    world: World, desk: Desk
) -> None:
    ashgrove = world.school("Ashgrove")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media")
    edition = desk.edition(social, ashgrove, ["Be kind."], ready=False)
    desk.campaign(social)
    assert states(world) == {}
    desk.make_pdf(edition)
    world.run_jobs()
    assert states(world) == {"open": 1}


def test_a_joiner_is_asked_at_once_and_a_leaver_is_closed(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    social = desk.policy("Social media", ashgrove)
    desk.campaign(social, opens_on=today() - timedelta(days=10))
    joiner = world.person("Joe Joiner", (Role.STAFF, ashgrove), from_on=today() - timedelta(days=2))
    world.run_jobs()
    (asked,) = desk.open_of(joiner)
    assert (asked.cause, asked.due_on) == ("joiner", today() + timedelta(days=12))
    with world.acting(world.manager) as actor:
        membership = tenants_queries.list_memberships(joiner.id)[0]
        tenants.end_membership(
            actor, membership_id=membership.id, to_on=today() - timedelta(days=1), today=today()
        )
    world.run_jobs()
    assert states(world) == {"left": 1}


def test_an_open_assignment_moves_to_the_newest_edition(world: World, asking: Asked) -> None:
    desk, ashgrove, ann, social = asking.desk, asking.ashgrove, asking.ann, asking.social
    newer = desk.edition(social, ashgrove, ["Be kind and brief."], material=False)
    world.run_jobs()
    assert [one.edition_id for one in desk.open_of(ann)] == [newer]
    assert states(world) == {"open": 1}


def test_only_a_material_change_asks_again(world: World, asking: Asked) -> None:
    desk, ashgrove, ann, social = asking.desk, asking.ashgrove, asking.ann, asking.social
    desk.sign(ann, desk.open_of(ann)[0])
    desk.edition(social, ashgrove, ["Be kind!"], material=False)
    world.run_jobs()
    assert desk.open_of(ann) == []
    desk.edition(social, ashgrove, ["Post nothing."], material=True)
    world.run_jobs()
    (again,) = desk.open_of(ann)
    assert again.cause == "changed"
    assert again.has_changed
    assert states(world) == {"signed": 1, "open": 1}


def test_a_closed_campaign_asks_nobody(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    social = desk.policy("Social media", ashgrove)
    opened = desk.campaign(social)
    with world.acting(world.manager) as actor:
        services.close_campaign(actor, campaign_id=opened.id, now=now())
    world.person("Joe Joiner", (Role.STAFF, ashgrove))
    world.run_jobs()
    assert states(world) == {}


def test_assigning_takes_the_same_queries_for_few_and_for_many(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    for number in range(8):
        world.person(f"Person {number}", (Role.STAFF, birch))
    policies = [desk.policy(title, ashgrove, birch) for title in ("Social media", "Staff code")]
    desk.campaign(*policies)
    counts = []
    for place in (ashgrove, birch):
        with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
            count = 0

            def note(*_: object) -> None:
                nonlocal count
                count += 1

            event.listen(db.engine, "before_cursor_execute", note)
            services.assign_place(place.id, today=today(), now=now())
            event.remove(db.engine, "before_cursor_execute", note)
            counts.append(count)
    assert counts[0] == counts[1]
    assert counts[0] < 15


def test_a_place_with_thousands_of_people_is_asked_at_once(
    world: World, desk: Desk, servers: Servers, settings: Settings
) -> None:
    """More rows than the values of one statement can carry: one school's staff times a year's policies."""
    ashgrove, many = world.school("Ashgrove"), 4_700
    desk.campaign(desk.policy("Social media", ashgrove))
    database = settings.database_url.rsplit("?", 1)[0].rsplit("/", 1)[1]
    with psycopg.connect(servers.superuser_url(database)) as connection:
        connection.execute(
            "WITH one AS (INSERT INTO person (id, trust_id, name, email, job_title, created_at)"
            " SELECT gen_random_uuid(), %(trust)s, 'Staff ' || n, 'staff.' || n || '@crowd.example', '', now()"
            " FROM generate_series(1, %(many)s) AS n RETURNING id)"
            " INSERT INTO membership (id, trust_id, school_id, person_id, role, from_on, acting)"
            " SELECT gen_random_uuid(), %(trust)s, %(school)s, id, 'staff', '2020-09-01', false FROM one",
            {"trust": world.trust_id, "school": ashgrove.id, "many": many},
        )
    # The jobs that write to each of them are not run.
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        services.assign_place(ashgrove.id, today=today(), now=now())
    with world.looking():
        asked = db.session.scalars(select(Assignment.person_id)).all()
    assert len(set(asked)) == len(asked) == many
