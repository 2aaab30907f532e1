"""Supply, contractors, acting posts, a change of role or of school: who is asked where."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.world import Someone, World
from trustportal.acceptance import services
from trustportal.access import Role
from trustportal.db import Scope, scope
from trustportal.tenants import queries
from trustportal.tenants import services as tenants
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk


def asked_at(desk: Desk, person: Someone) -> set[str]:
    return {one.school_short_name or "" for one in desk.open_of(person)}


def plan(world: World, *places: object, on_day: object) -> None:
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        for place in places:
            services.assign_place(place.id, today=on_day, now=now())  # type: ignore[attr-defined, arg-type]


def test_supply_is_asked_for_the_weeks_in_which_they_come(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    desk.campaign(desk.policy("Social media", ashgrove, birch))
    sam = world.person(
        "Sam Supply",
        (Role.SUPPLY, ashgrove),
        (Role.SUPPLY, birch),
        from_on=today(),
        to_on=today() + timedelta(days=5),
    )
    con = world.person("Con Tractor", (Role.CONTRACTOR, ashgrove), email=None)
    world.run_jobs()
    assert asked_at(desk, sam) == {"Ashgrove", "Birch"}
    assert asked_at(desk, con) == {"Ashgrove"}
    signed = desk.sign(sam, desk.open_of(sam)[0])
    plan(world, ashgrove, birch, on_day=today() + timedelta(days=6))
    assert desk.open_of(sam) == []
    with world.looking():
        assert services.verify_signature(signed.id).is_whole


def test_an_acting_post_is_a_post_and_is_signed_as_one(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    dora = world.person("Dora Deputy", (Role.DEPUTY_HEADTEACHER, ashgrove))
    with world.acting(world.manager) as actor:
        tenants.begin_membership(
            actor,
            person_id=dora.id,
            role=Role.HEADTEACHER,
            school_id=ashgrove.id,
            from_on=today(),
            acting=True,
        )
    desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.HEADTEACHER])
    signature = desk.sign(dora, desk.open_of(dora)[0])
    assert {one["role"] for one in signature.roles} == {"headteacher", "deputy_headteacher"}


def test_a_change_of_role_or_school_moves_what_is_asked(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove), from_on=today() - timedelta(days=40))
    vera = world.person("Vera Volunteer", (Role.VOLUNTEER, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove, birch), roles=[Role.STAFF])
    assert asked_at(desk, ann) == {"Ashgrove"}
    assert desk.open_of(vera) == []
    with world.acting(world.manager) as actor:
        (held,) = queries.list_memberships(ann.id)
        tenants.end_membership(actor, membership_id=held.id, to_on=today() - timedelta(days=1), today=today())
        tenants.begin_membership(
            actor, person_id=ann.id, role=Role.STAFF, school_id=birch.id, from_on=today()
        )
        tenants.begin_membership(
            actor, person_id=vera.id, role=Role.STAFF, school_id=ashgrove.id, from_on=today()
        )
    world.run_jobs()
    assert asked_at(desk, ann) == {"Birch"}
    assert asked_at(desk, vera) == {"Ashgrove"}
