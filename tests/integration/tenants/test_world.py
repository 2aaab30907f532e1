"""The world itself: what the fixtures promise."""

from __future__ import annotations

from trustportal.access import Role
from trustportal.tenants import queries
from trustportal.times import today


def test_people_hold_their_roles_and_other_trusts_see_nothing(world, other_world):
    ashgrove = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove), Role.CENTRAL_STAFF)

    with world.acting(head) as actor:
        assert actor.school_roles == {ashgrove.id: {Role.HEADTEACHER}}
        assert actor.trust_roles == {Role.CENTRAL_STAFF}
        assert [school.name for school in queries.list_schools()] == ["Ashgrove Primary School"]
    with other_world.acting(other_world.manager):
        assert queries.list_schools() == []
        assert [one.name for one in queries.list_serving(on=today())] == ["Nora Network"]
    world.run_jobs()
    assert world.run_jobs() == 0, "the outbox drains"
