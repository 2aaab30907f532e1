"""The life of staff once more, bounded, through services and database: nothing is lost or doubled or asked twice."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.world import Place, Someone, World
from trustportal import audit
from trustportal.acceptance import services
from trustportal.acceptance.models import Absence, Assignment, Signature
from trustportal.acceptance.queries import mine
from trustportal.acceptance.services.verifying import verify_all
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import PortalError
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenant_queries
from trustportal.tenants import services as tenants
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

STEPS = 45


class Life:
    """What happens at two schools, step by step, and what is remembered of it."""

    def __init__(self, world: World, desk: Desk, seed: int) -> None:
        self.world, self.desk, self.chance = world, desk, random.Random(seed)  # noqa: S311 - a test that repeats
        self.places = [world.school("Ashgrove"), world.school("Birch")]
        self.people: list[Someone] = []
        self.policies = [desk.policy(title, *self.places) for title in ("Social media", "Keys")]
        self.given: dict[UUID, tuple[str, UUID]] = {}
        self.words = 0
        for _ in range(3):
            self.join()
        desk.campaign(*self.policies, roles=[Role.STAFF, Role.GOVERNOR])

    def step(self) -> None:
        self.chance.choice(
            [
                self.join,
                self.sign,
                self.sign,
                self.sign,
                self.publish,
                self.leave,
                self.go_away,
                self.come_back,
            ]
        )()
        self.world.run_jobs()
        self.holds()

    def join(self) -> None:
        if len(self.people) < 8:
            roles = [Role.STAFF, Role.GOVERNOR, Role.VOLUNTEER]
            held = [(self.chance.choice(roles), place) for place in self._some_places()]
            self.people.append(
                self.world.person(
                    f"Person {len(self.people)}",
                    *held,
                    from_on=today() - timedelta(days=self.chance.randrange(3)),
                )
            )

    def _some_places(self) -> list[Place]:
        return self.chance.sample(self.places, self.chance.choice([1, 1, 2]))

    def leave(self) -> None:
        person = self.chance.choice(self.people)
        with self.world.acting(self.world.manager) as actor:
            for one in _memberships(person.id):
                if one.to_on is None:
                    tenants.end_membership(
                        actor, membership_id=one.id, to_on=max(one.from_on, _yesterday()), today=today()
                    )

    def go_away(self) -> None:
        person, place = self.chance.choice(self.people), self.chance.choice(self.places)
        with self.world.acting(self.world.manager) as actor:
            try:
                services.record_absence(
                    actor, person_id=person.id, school_id=place.id, from_on=today(), to_on=None, now=now()
                )
            except PortalError:
                return  # does not serve there, or is away already

    def come_back(self) -> None:
        with self.world.looking():
            away = db.session.scalars(select(Absence.id).where(Absence.to_on.is_(None))).all()
        if away:
            with self.world.acting(self.world.manager) as actor:
                services.end_absence(
                    actor, absence_id=self.chance.choice(away), back_on=today() + timedelta(days=1), now=now()
                )

    def publish(self) -> None:
        self.words += 1
        self.desk.edition(
            self.chance.choice(self.policies),
            self.chance.choice(self.places),
            [f"Be kind, version {self.words}."],
            material=self.chance.random() < 0.6,
            ready=self.chance.random() < 0.8,
        )

    def sign(self) -> None:
        person = self.chance.choice(self.people)
        with self.world.acting(person) as actor:
            asked = mine.list_open(person.id)
            if not asked:
                return
            chosen = self.chance.choice(asked)
            shown = services.to_read(actor, assignment_id=chosen.id, today=today())
            if shown.waits_for_pdf:
                return
            in_force = policies.find_edition_in_force(chosen.policy_id, chosen.school_id, today())
            signed = services.sign(
                actor,
                assignment_id=chosen.id,
                edition_id=shown.edition_id,
                statement_seen=shown.statement_version,
                confirmed=True,
                now=now(),
                today=today(),
            )
            assert in_force is not None
            assert signed.edition_id == in_force.id
            self.given[signed.id] = (signed.record_hash, signed.edition_id)

    def holds(self) -> None:
        """What is always so."""
        with self.world.looking():
            signatures = db.session.scalars(select(Signature)).all()
            asked = db.session.scalars(select(Assignment).where(Assignment.state == "open")).all()
        assert {one.id: (one.record_hash, one.edition_id) for one in signatures} == self.given
        twice = Counter(
            (one.person_id, one.school_id, one.edition_id, one.academic_year) for one in signatures
        )
        assert max(twice.values(), default=1) == 1
        open_now = Counter((one.person_id, one.school_id, one.policy_id) for one in asked)
        assert max(open_now.values(), default=1) == 1
        signed = {(one.person_id, one.edition_id) for one in signatures}
        assert not [one for one in asked if (one.person_id, one.edition_id) in signed]


def _yesterday() -> date:
    return today() - timedelta(days=1)


def _memberships(person_id: UUID) -> list[Any]:
    return tenant_queries.list_memberships(person_id)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_signatures_stay_and_nobody_is_asked_twice(
    world: World, desk: Desk, seed: int
) -> None:
    life = Life(world, desk, seed)
    for _ in range(STEPS):
        life.step()
    assert life.given
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        # Planning every place again changes nothing: everybody of the audience was asked, once.
        for place in life.places:
            plan = services.assign_place(place.id, today=today(), now=now())
            assert (plan.open, plan.close, plan.move, plan.pause, plan.resume) == ((), (), (), (), ())
        assert list(verify_all()) == []
        assert list(audit.verify()) == []
