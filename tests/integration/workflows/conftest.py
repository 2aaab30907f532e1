"""A school with the posts that cases need, and a form filled in as somebody would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tests.integration.moments import moment
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.times import now, today
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.models import RegisterEntry
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services import acting, starting


class Office:
    """A trust with one school, everybody whom a request meets, and what they do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.school = world.school("Ashgrove")
        ashgrove = self.school
        self.teacher = world.person("Tara Teacher", (Role.STAFF, ashgrove))
        self.colleague = world.person("Colin Colleague", (Role.STAFF, ashgrove))
        self.third = world.person("Thea Third", (Role.STAFF, ashgrove))
        self.leader = world.person("Lena Leader", (Role.LINE_MANAGER, ashgrove))
        self.deputy = world.person("Dana Deputy", (Role.DEPUTY_HEADTEACHER, ashgrove))
        self.office = world.person("Bo Manager", (Role.BUSINESS_MANAGER, ashgrove))
        self.head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
        self.chair = world.person("Chris Chair", (Role.CHAIR_OF_GOVERNORS, ashgrove))
        self.dsl = world.person("Dee Safeguarding", (Role.DSL, ashgrove))
        self.ceo = world.person("Cem Executive", Role.CEO)
        self.clerk = world.person("Clara Clerk", Role.CLERK)
        self.trustee = world.person("Trudi Trustee", Role.TRUSTEE)
        world.run_jobs()

    def form(self, **instead: Any) -> dict[str, Any]:
        """A request for an account, filled in."""
        return {
            "site_name": "Year 6 at Ashgrove",
            "department": "Year 6",
            "platform": "Picturegram",
            "address": "",
            "official_email": "year6@ashgrove.example",
            "line_manager": str(self.leader.id),
            "administrators": [str(self.teacher.id), str(self.colleague.id)],
            "moderators": [str(self.office.id), str(self.third.id)],
            "custodian": str(self.office.id),
            "aims": "Parents see what we do.",
            "content": "Pictures of work, never of faces.",
            "evaluation": "We count who asks about homework less.",
            "audience": ["families"],
            "contributors": ["staff"],
            "minimum_age": "adults",
            "host": "third_party",
            "host_name": "Picturegram",
            "security": "Comments are closed.",
            "risks": "Somebody posts a name: two people read everything first.",
            "second_reader": str(self.colleague.id),
            "emergency_access": True,
            "logo": "yes",
            "go_live_on": (today() + timedelta(days=40)).isoformat(),
            "closes_on": (today() + timedelta(days=300)).isoformat(),
            **instead,
        }

    def send(self, by: Someone | None = None, key: str = "site-approval", **instead: Any) -> UUID:
        """Somebody sends the form; the jobs open the case."""
        given = self.form(**instead) if key == "site-approval" else instead
        with self.world.acting(by or self.teacher) as actor:
            sent = starting.send(actor, school_id=self.school.id, key=key, given=given, now=now())
            case_id = sent.id
        self.world.run_jobs()
        return case_id

    def act(self, by: Someone, case_id: UUID, action: str, *, comment: str = "", **answers: Any) -> None:
        """Somebody takes an action, and the jobs run."""
        with self.world.acting(by) as actor:
            acting.act(
                actor,
                case_id=case_id,
                action=action,
                given=Given(comment=comment, confirmed=True, answers=answers),
                now=now(),
            )
        self.world.run_jobs()

    def approve(self, case_id: UUID) -> None:
        """The usual way to the register."""
        self.act(self.leader, case_id, "sign")
        self.act(self.head, case_id, "approve")

    @contextmanager
    def behind(self) -> Iterator[None]:
        """The workers' role, to look at cases: the web shows them only to those who take part."""
        with self.world.worker_app.app_context(), scope(Scope.job(self.world.trust_id)):
            yield

    def case(self, case_id: UUID) -> Case:
        """A case as jobs see it."""
        with self.behind():
            return queries.get_case(case_id)

    def holders(self, case_id: UUID) -> set[UUID]:
        """Who has it."""
        return {person for task in self.case(case_id).tasks for person in task.people}

    def participants(self, case_id: UUID) -> set[UUID]:
        """Who sees it."""
        with self.behind():
            return {one.person_id for one in queries.list_participants(case_id)}

    def entry(self) -> RegisterEntry:
        """The only account in the register."""
        with self.world.looking():
            return db.session.scalars(select(RegisterEntry)).one()

    def leaves(self, person: Someone) -> None:
        """Somebody's last day was yesterday."""
        from trustportal.tenants import queries as tenants
        from trustportal.tenants import services

        with self.world.acting(self.world.manager) as actor:
            for one in tenants.list_memberships(person.id):
                services.end_membership(
                    actor, membership_id=one.id, to_on=today() - timedelta(days=1), today=today()
                )
        self.world.run_jobs()


@moment
def office(world: World) -> Office:
    """Ashgrove with everybody in it."""
    return Office(world)


@moment
def trust(world: World) -> Any:
    """Everybody whom an allegation may meet."""
    from tests.integration.workflows.allegation_world import Trust

    return Trust(world)
