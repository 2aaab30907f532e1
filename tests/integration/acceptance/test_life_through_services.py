"""The life of staff once more, bounded, through services and database: nothing is lost or doubled or asked twice, of
policies and of an outside document, and the figures of the campaign are always those of its rows.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.world import Place, Someone, World
from trustportal import audit
from trustportal.acceptance import services
from trustportal.acceptance.models import Absence, Assignment, OutsideEdition, Signature
from trustportal.acceptance.queries import mine, outside, overview
from trustportal.acceptance.queries.progress import Tally
from trustportal.acceptance.services.verifying import verify_all
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import PortalError
from trustportal.policies import queries as policies
from trustportal.tenants import queries as tenant_queries
from trustportal.tenants import services as tenants
from trustportal.tenants.models import Membership
from trustportal.times import now, today

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.acceptance.conftest import Desk

STEPS = 45
AUDIENCE = (Role.STAFF, Role.GOVERNOR)


class Life:
    """What happens at two schools, step by step, and what is remembered of it."""

    def __init__(self, world: World, desk: Desk, seed: int) -> None:
        self.world, self.desk, self.chance = world, desk, random.Random(seed)  # noqa: S311 - a test that repeats
        self.places = [world.school("Ashgrove"), world.school("Birch")]
        self.people: list[Someone] = []
        self.policies = [desk.policy(title, *self.places) for title in ("Social media", "Keys")]
        self.given: dict[UUID, tuple[str, UUID]] = {}
        self.words = 0
        self.document = desk.document()
        for _ in range(3):
            self.join()
        self.campaign = desk.campaign(*self.policies, document_ids=[self.document], roles=list(AUDIENCE))

    def step(self) -> None:
        self.chance.choice(
            [
                self.join,
                self.sign,
                self.sign,
                self.sign,
                self.publish,
                self.record,
                self.leave,
                self.go_away,
                self.come_back,
            ]
        )()
        self.world.run_jobs()
        self.holds()
        self.figures_are_those_of_the_rows()

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

    def record(self) -> None:
        """Another edition of the outside document, or a correction of what was written down of it."""
        self.words += 1
        self.desk.document(
            document_id=self.document,
            edition=f"edition {self.words}",
            asks_again=self.chance.random() < 0.6,
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
            in_force = (
                outside.find_current(chosen.outside_id, today())
                if chosen.outside_id is not None
                else policies.find_edition_in_force(_policy(chosen), chosen.school_id, today())
            )
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
            assert _text(signed) == in_force.id
            self.given[signed.id] = (signed.record_hash, _text(signed))

    def holds(self) -> None:
        """What is always so."""
        with self.world.looking():
            signatures = db.session.scalars(select(Signature)).all()
            asked = db.session.scalars(select(Assignment).where(Assignment.state == "open")).all()
            documents = list(outside.editions_of(self.document))
        assert {one.id: (one.record_hash, _text(one)) for one in signatures} == self.given
        # An edition is one school's; that of an outside document is everybody's, wherever they serve.
        twice = Counter((one.person_id, _text(one), one.academic_year) for one in signatures)
        assert max(twice.values(), default=1) == 1
        open_now = Counter(
            (one.person_id, one.outside_id)
            if one.outside_id
            else (one.person_id, one.school_id, one.policy_id)
            for one in asked
        )
        assert max(open_now.values(), default=1) == 1
        signed = {(one.person_id, _text(one)) for one in signatures}
        assert not [one for one in asked if (one.person_id, _text(one)) in signed]
        self.everybody_is_asked_for_the_document(signatures, asked, documents)

    def everybody_is_asked_for_the_document(
        self, signatures: Sequence[Signature], asked: Sequence[Assignment], documents: list[OutsideEdition]
    ) -> None:
        """Each of the audience has confirmed what stands, or is asked for today's edition: at one place."""
        current = next(one for one in documents if one.current_from <= today())
        numbers = {one.id: one.number for one in documents}
        asked_again = max(one.number for one in documents if one.asks_again and one.number <= current.number)
        stands = {
            one.person_id
            for one in signatures
            if one.outside_edition_id and numbers[one.outside_edition_id] >= asked_again
        }
        waited = {one.person_id for one in asked if one.outside_id}
        assert all(one.outside_edition_id == current.id for one in asked if one.outside_id)
        assert not waited & stands
        with self.world.looking():
            serving, away = _serving(today()), set(_away())
        audience = {person for person, place in serving}
        assert waited <= audience
        assert {person for person, place in serving if (person, place) not in away} <= waited | stands

    def figures_are_those_of_the_rows(self) -> None:
        """What the page of the campaign counts, and whom it names, is what its rows say one by one."""
        day = self.chance.choice([today(), self.campaign.due_on + timedelta(days=1)])
        place = self.chance.choice([None, None, *self.places])
        with self.world.acting(self.world.manager) as actor:
            shown = overview.get_overview(
                actor, self.campaign.id, today=day, place=place.slug if place is not None else ""
            )
            rows = _counted(self.campaign.id)
            serving = _serving(day)
        texts: dict[tuple[UUID | None, UUID | None, UUID], list[Assignment]] = defaultdict(list)
        people: dict[tuple[UUID | None, UUID], list[Assignment]] = defaultdict(list)
        for one in rows:
            if (one.person_id, one.school_id) in serving:
                people[one.school_id, one.person_id].append(one)
                texts[one.policy_id or one.outside_id, one.school_id, one.person_id].append(one)

        def tally(*counted: list[Assignment]) -> Tally:
            owed = [[one for one in rows if one.state != "signed"] for rows in counted]
            late = sum(any(one.due_on < day for one in rows) for rows in owed)
            return Tally(len(owed), sum(not rows for rows in owed), late)

        assert {one.id: one.tally for one in shown.places} == {
            school: tally(*(asked for key, asked in people.items() if key[0] == school))
            for school, _ in people
        }
        here = {one.id for one in self.places} if place is None else {place.id}
        mine_here = {key: asked for key, asked in people.items() if key[0] in here}
        assert shown.total == tally(*mine_here.values())
        by_role = {
            role: tally(*(asked for (at, who), asked in mine_here.items() if role in serving[who, at]))
            for role in AUDIENCE
        }
        assert shown.roles == {role: found for role, found in by_role.items() if found.asked}
        by_text: dict[UUID | None, list[list[Assignment]]] = defaultdict(list)
        for key, asked in texts.items():
            if key[1] in here:
                by_text[key[0]].append(asked)
        with self.world.looking():
            titles = overview.texts()
        assert shown.by_policy == {
            titles[text_id]: tally(*asked) for text_id, asked in by_text.items() if text_id is not None
        }
        known = [one for one in rows if one.school_id in here]
        assert shown.course.wanted == len(known)
        assert shown.course.days[-1][1] == sum(one.state == "signed" for one in known)
        assert shown.unsigned is not None
        assert shown.unsigned.total == shown.total.missing
        assert {(one.school_id, one.person_id) for one in shown.unsigned.people} == {
            key for key, asked in mine_here.items() if any(one.state != "signed" for one in asked)
        }


def _policy(chosen: mine.MyAssignment) -> UUID:
    assert chosen.policy_id is not None
    return chosen.policy_id


def _text(one: Signature | Assignment) -> UUID:
    """The edition that is asked for or signed: of a policy, or of the outside document."""
    found = one.edition_id or one.outside_edition_id
    assert found is not None
    return found


def _serving(on: date) -> dict[tuple[UUID, UUID | None], set[Role]]:
    """The roles of the audience that people hold on a day, by person and place."""
    found: dict[tuple[UUID, UUID | None], set[Role]] = defaultdict(set)
    for one in db.session.scalars(select(Membership)):
        if one.role in AUDIENCE and one.from_on <= on and (one.to_on is None or one.to_on >= on):
            found[one.person_id, one.school_id].add(Role(one.role))
    return found


def _away() -> list[tuple[UUID, UUID | None]]:
    """Who is away from where, today."""
    return [
        (one.person_id, one.school_id)
        for one in db.session.scalars(select(Absence))
        if one.from_on <= today() and (one.to_on is None or one.to_on >= today())
    ]


def _counted(campaign_id: UUID) -> list[Assignment]:
    """The assignments of a campaign that count: of nobody who is away, closed only by the campaign's end."""
    rows = db.session.scalars(select(Assignment).where(Assignment.campaign_id == campaign_id))
    return [
        one
        for one in rows
        if one.paused_on is None and (one.state in {"open", "signed"} or one.closed_because == "ended")
    ]


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
