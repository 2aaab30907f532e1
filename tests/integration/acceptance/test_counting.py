"""How people stand in a campaign is written down as it changes: of every day, and whoever writes at that moment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select

from tests.integration.meanwhile import meanwhile
from tests.integration.moments import database_name
from tests.world import Place, World
from trustportal.acceptance import services
from trustportal.acceptance.domain.counting import BITS, as_bits, from_bits
from trustportal.acceptance.models import Assignment, Campaign, CampaignPerson
from trustportal.acceptance.queries import facts, overview, progress
from trustportal.acceptance.queries.progress import Tally
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.servers import Servers
from trustportal.tenants import queries as tenant_queries
from trustportal.tenants import services as tenants
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Asked, Desk

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def superuser(servers: Servers) -> Iterator[Connection]:
    """The database as its server's superuser, whom no row is hidden from."""
    with psycopg.connect(servers.superuser_url(database_name())) as connection:
        yield connection
        connection.rollback()


def tally_on(world: World, campaign: Campaign, place: Place, day: date) -> progress.Tallies:
    with world.acting(world.manager):
        return progress.tallies_of(campaign, [place.id], day)


def test_roles_count_from_their_first_day_to_their_last(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove), to_on=today() + timedelta(days=9))
    opened = desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF, Role.DSL])
    with world.acting(world.manager) as actor:
        tenants.begin_membership(
            actor,
            person_id=ann.id,
            role=Role.DSL,
            school_id=ashgrove.id,
            from_on=today() + timedelta(days=3),
            to_on=today() + timedelta(days=5),
        )
    world.run_jobs()
    one = Tally(asked=1, signed=0, late=0)
    for after, roles in {
        0: {Role.STAFF: one},
        2: {Role.STAFF: one},
        3: {Role.DSL: one, Role.STAFF: one},
        5: {Role.DSL: one, Role.STAFF: one},
        6: {Role.STAFF: one},
        9: {Role.STAFF: one},
        10: {},
    }.items():
        found = tally_on(world, opened, ashgrove, today() + timedelta(days=after))
        assert (found.roles, found.places) == (roles, {ashgrove.id: one} if roles else {}), after


def test_whoever_leaves_goes_out_of_the_total_and_comes_back_with_another_role(
    world: World, desk: Desk
) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    opened = desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF, Role.GOVERNOR])
    desk.sign(ann, desk.open_of(ann)[0])
    yesterday = today() - timedelta(days=1)
    with world.acting(world.manager) as actor:
        held = tenant_queries.list_memberships(ann.id)[0]
        tenants.end_membership(actor, membership_id=held.id, to_on=yesterday, today=today())
    world.run_jobs()
    assert tally_on(world, opened, ashgrove, today()).places == {}
    assert tally_on(world, opened, ashgrove, yesterday).places[ashgrove.id] == Tally(1, 1, 0)
    with world.acting(world.manager) as actor:
        tenants.begin_membership(
            actor, person_id=ann.id, role=Role.GOVERNOR, school_id=ashgrove.id, from_on=today()
        )
    world.run_jobs()
    assert tally_on(world, opened, ashgrove, today()).roles == {Role.GOVERNOR: Tally(1, 1, 0)}


def test_a_closed_campaign_keeps_the_day_on_which_it_was_closed(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    ann, ben = (world.person(name, (Role.STAFF, ashgrove)) for name in ("Ann Staff", "Ben Staff"))
    opened = desk.campaign(desk.policy("Social media", ashgrove))
    desk.sign(ann, desk.open_of(ann)[0])
    with world.acting(world.manager) as actor:
        closed = services.close_campaign(actor, campaign_id=opened.id, now=now())
        for person in (ann, ben):
            held = tenant_queries.list_memberships(person.id)[0]
            tenants.end_membership(
                actor, membership_id=held.id, to_on=today() + timedelta(days=1), today=today()
            )
    world.run_jobs()
    years_later = closed.due_on + timedelta(days=700)
    assert tally_on(world, closed, ashgrove, years_later).places == {ashgrove.id: Tally(2, 1, 1)}


def test_whoever_is_away_counts_when_they_sign_all_the_same(world: World, asking: Asked) -> None:
    ann, ashgrove = asking.ann, asking.ashgrove
    with world.looking():
        campaign = db.session.scalars(select(Campaign)).one()
    mine = asking.desk.open_of(ann)[0]
    with world.acting(world.manager) as actor:
        services.record_absence(
            actor, person_id=ann.id, school_id=ashgrove.id, from_on=today(), to_on=None, now=now()
        )
    world.run_jobs()
    assert tally_on(world, campaign, ashgrove, today()).places == {}
    asking.desk.sign(ann, mine)
    # At once, before any job has run.
    assert tally_on(world, campaign, ashgrove, today()).places == {ashgrove.id: Tally(1, 1, 0)}


def test_another_due_day_is_counted_with(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    ann, _ben = (world.person(name, (Role.STAFF, ashgrove)) for name in ("Ann Staff", "Ben Staff"))
    opened = desk.campaign(desk.policy("Social media", ashgrove))
    desk.sign(ann, desk.open_of(ann)[0])
    due = opened.due_on
    assert tally_on(world, opened, ashgrove, due + timedelta(days=1)).places[ashgrove.id] == Tally(2, 1, 1)
    with world.acting(world.manager) as actor:
        services.change_campaign(
            actor,
            campaign_id=opened.id,
            title=opened.title,
            academic_year=opened.academic_year,
            policy_ids=facts.policy_ids_of(opened.id),
            roles=[Role(one) for one in opened.roles],
            opens_on=opened.opens_on,
            due_on=due + timedelta(days=7),
            now=now(),
            today=today(),
        )
    world.run_jobs()
    assert tally_on(world, opened, ashgrove, due + timedelta(days=1)).places[ashgrove.id] == Tally(2, 1, 0)
    assert tally_on(world, opened, ashgrove, due + timedelta(days=8)).places[ashgrove.id] == Tally(2, 1, 1)


def test_the_list_of_campaigns_says_what_their_pages_say(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Both", (Role.STAFF, ashgrove), (Role.STAFF, birch))
    world.person("Lee Leaver", (Role.STAFF, ashgrove), to_on=today() + timedelta(days=2))
    world.person("Gus Governor", (Role.GOVERNOR, birch))
    policies = [desk.policy(title, ashgrove, birch) for title in ("Social media", "Keys")]
    desk.campaign(policies[0], roles=[Role.STAFF])
    desk.campaign(policies[1], roles=[Role.GOVERNOR], title="Governors only")
    totals = set()
    with world.acting(world.manager) as actor:
        for day in (today(), today() + timedelta(days=3)):
            for one in overview.list_shown(actor, today=day):
                shown = overview.get_overview(actor, one.campaign.id, today=day)
                assert one.tally == shown.total
                totals.add((one.campaign.title, one.tally.asked))
    assert totals == {("Annual signing", 3), ("Annual signing", 2), ("Governors only", 1)}


# -- against the rows themselves ---------------------------------------------------------------------------------


def test_any_memberships_are_cut_into_spans_of_the_same_roles(
    world: World, asking: Asked, superuser: Connection
) -> None:
    """Random memberships of one person, also of the past, side by side and on each other: each day has its roles."""
    chance = random.Random(20261122)  # noqa: S311 - a test that repeats
    begin = today() - timedelta(days=60)
    roles = [Role.STAFF, Role.GOVERNOR, Role.DSL]
    own = {"trust": world.trust_id, "school": asking.ashgrove.id, "person": asking.ann.id}
    superuser.execute("SELECT set_config('app.trust_id', %s, true)", [str(world.trust_id)])
    for _ in range(40):
        superuser.execute("SAVEPOINT before")
        superuser.execute("DELETE FROM membership WHERE person_id = %(person)s", own)
        held: list[tuple[Role, date, date | None]] = []
        for _ in range(chance.randrange(6)):
            first = begin + timedelta(days=chance.randrange(20))
            last = first + timedelta(days=chance.randrange(12)) if chance.random() < 0.8 else None
            held.append((chance.choice(roles), first, last))
            superuser.execute(
                "INSERT INTO membership (id, trust_id, school_id, person_id, role, from_on, to_on, acting)"
                " VALUES (%(id)s, %(trust)s, %(school)s, %(person)s, %(role)s, %(first)s, %(last)s, false)",
                {**own, "id": uuid4(), "role": held[-1][0], "first": first, "last": last},
            )
        superuser.execute("SELECT count_people(%s, %s, %s)", [own["school"], [own["person"]], [*BITS]])
        rows = superuser.execute(
            "SELECT roles, from_on, to_on FROM campaign_person WHERE person_id = %(person)s", own
        ).fetchall()
        for days in range(-1, 35):
            day = begin + timedelta(days=days)
            wanted = {role for role, first, last in held if first <= day and (last is None or last >= day)}
            found = [number for number, first, last in rows if first <= day and (last is None or last >= day)]
            assert found == ([as_bits(wanted)] if wanted else []), (held, rows, day)
        superuser.execute("ROLLBACK TO before")


def test_another_trust_is_left_alone(world: World, asking: Asked, superuser: Connection) -> None:
    superuser.execute("SELECT set_config('app.trust_id', %s, true)", [str(uuid4())])
    superuser.execute("DELETE FROM campaign_person")
    superuser.execute("SELECT count_people(%s, NULL, %s)", [asking.ashgrove.id, [*BITS]])
    assert superuser.execute("SELECT count(*) FROM campaign_person").fetchone() == (0,)


# -- while somebody else writes ----------------------------------------------------------------------------------


@dataclass
class Two:
    """Ann Staff is asked for two policies in one campaign."""

    ashgrove: Place
    campaign: Campaign
    social: UUID
    keys: UUID
    #: Her assignments, by policy.
    asked: dict[UUID, UUID]


@pytest.fixture
def two(world: World, desk: Desk) -> Two:
    """The same, with the jobs run."""
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    social, keys = (desk.policy(title, ashgrove) for title in ("Social media", "Keys"))
    opened = desk.campaign(social, keys)
    asked = {one.policy_id: one.id for one in desk.open_of(ann) if one.policy_id is not None}
    return Two(ashgrove, opened, social, keys, asked)


SIGN = "UPDATE assignment SET state = 'signed', closed_at = now() WHERE id = %s"


def owed(world: World) -> list[tuple[list[Role], date | None]]:
    with world.looking():
        return [(from_bits(one.roles), one.owed_by) for one in db.session.scalars(select(CampaignPerson))]


def test_two_that_are_signed_at_once_are_both_counted(
    world: World, servers: Servers, superuser: Connection, two: Two
) -> None:
    def sign_the_other() -> None:
        with psycopg.connect(servers.superuser_url(database_name())) as other:
            other.execute(SIGN, [two.asked[two.keys]])

    superuser.execute(SIGN, [two.asked[two.social]])
    with meanwhile(servers, sign_the_other):
        superuser.commit()
    assert owed(world) == [([Role.STAFF], None)]


def test_a_plan_counts_what_was_signed_while_it_was_made(
    world: World, servers: Servers, superuser: Connection, two: Two
) -> None:
    for assignment_id in two.asked.values():
        superuser.execute(SIGN, [assignment_id])
    with meanwhile(servers, lambda: plan(world, two.ashgrove)):
        superuser.commit()
    assert owed(world) == [([Role.STAFF], None)]


def test_who_signs_and_who_plans_never_wait_for_each_other(
    world: World, desk: Desk, servers: Servers, superuser: Connection, two: Two
) -> None:
    """The plan closes one assignment of Ann's and moves the other, which she is about to sign."""
    with world.acting(world.manager) as actor:
        services.change_campaign(
            actor,
            campaign_id=two.campaign.id,
            title=two.campaign.title,
            academic_year=two.campaign.academic_year,
            policy_ids=[two.keys],
            roles=[Role.STAFF],
            opens_on=two.campaign.opens_on,
            due_on=two.campaign.due_on,
            now=now(),
            today=today(),
        )
    desk.edition(two.keys, two.ashgrove, ["Keep them."])
    superuser.execute("SELECT FROM assignment WHERE id = %s FOR UPDATE", [two.asked[two.keys]])
    with meanwhile(servers, lambda: plan(world, two.ashgrove)):
        superuser.execute(SIGN, [two.asked[two.keys]])
        superuser.commit()
    with world.looking():
        states = {one.policy_id: one.state for one in db.session.scalars(select(Assignment))}
    assert states == {two.social: "closed", two.keys: "signed"}
    assert owed(world) == [([Role.STAFF], None)]


def plan(world: World, place: Place) -> None:
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        services.assign_place(place.id, today=today(), now=now())


def test_what_is_kept_is_what_would_be_counted_anew(world: World, asking: Asked) -> None:
    """Planning again changes no row: neither does a second look make anything of what the first wrote."""
    for name in ("Ben Staff", "Cat Staff"):
        world.person(name, (Role.STAFF, asking.ashgrove))
    world.run_jobs()
    asking.desk.sign(asking.ann, asking.desk.open_of(asking.ann)[0])

    def rows() -> dict[UUID, tuple[object, ...]]:
        with world.looking():
            return {
                one.id: (one.person_id, one.roles, one.from_on, one.to_on, one.counts, one.owed_by)
                for one in db.session.scalars(select(CampaignPerson))
            }

    before = rows()
    assert len(before) == 3
    plan(world, asking.ashgrove)
    assert rows() == before
