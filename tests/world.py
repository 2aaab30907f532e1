"""A small world to test in, built through the services: a trust, its schools, its people with their roles.

How a test uses it (fixtures in tests/integration/conftest.py):

    def test_something(world, client_for):
        ashgrove = world.school("Ashgrove")                                   # a Place: id, slug, name, short_name
        head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))        # a Someone: id, name, email, account_id
        both = world.person("Both Roles", (Role.STAFF, ashgrove), Role.TRUSTEE, from_on=date(2026, 9, 1))
        with world.acting(head) as actor:                                     # app context, scope and Actor
            services.do_something(actor, …)
        world.run_jobs()                                                      # everything due in the outbox
        page = client_for(head).get(world.url("people"))                      # /t/<trust>/people; hygiene is checked
        client_for(head).post(world.url("…"), data={…})                       # the CSRF token is put in

`world.manager` is the network manager. `other_world` is a second trust, for everything that must not be seen.
Never call a client inside `world.acting(...)`: a request serves in a scope of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from flask import Flask

from trustportal import jobs
from trustportal.acceptance.services import chasing
from trustportal.access import Actor, Role
from trustportal.db import Scope, scope, unit_of_work
from trustportal.tenants import domain, queries, services
from trustportal.times import now, today


@dataclass(frozen=True, slots=True)
class Place:
    """A school, as tests speak of it."""

    id: UUID
    slug: str
    name: str
    short_name: str


@dataclass(frozen=True, slots=True)
class Someone:
    """A person, as tests speak of them. `account_id` is None for people without e-mail."""

    id: UUID
    name: str
    email: str | None
    account_id: UUID | None


class World:
    """One trust and what is in it."""

    def __init__(self, app: Flask, worker_app: Flask, *, name: str, slug: str) -> None:
        self.app, self.worker_app, self.name, self.slug = app, worker_app, name, slug
        self.trust_id = uuid4()
        with app.app_context(), scope(Scope.job(self.trust_id)):
            founded = services.create_trust(
                Actor.portal(self.trust_id),
                name=name,
                slug=slug,
                manager_name="Nora Network",
                manager_email=f"nora.network@{slug}.example",
                now=now(),
                today=today() - timedelta(days=365),
            )
            manager = queries.get_actor(founded.manager_id, on=today())
            account = services.give_account(manager, person_id=founded.manager_id, now=now())
            # Mail goes out at any hour, so that no test depends on the hour or the day on which it runs.
            chasing.set_schedule(manager, now=now(), quiet_from=0, quiet_to=0, weekends=True)
        self.manager = Someone(founded.manager_id, "Nora Network", account.email, account.id)

    def url(self, path: str = "") -> str:
        """An address in this trust."""
        return f"/t/{self.slug}/{path}"

    def school(
        self, short_name: str, *, name: str = "", joined_on: date = date(2020, 9, 1), live: bool = True
    ) -> Place:
        """A school of the trust. `live`: as one that was there before the portal, whoever serves at it; otherwise it is
        being set up, and a test starts it through the service.
        """
        with self.acting(self.manager) as actor:
            made = services.create_school(
                actor, name=name or f"{short_name} Primary School", short_name=short_name, joined_on=joined_on
            )
            if live:
                with unit_of_work():
                    queries.get_school(made.id, lock=True).started_at = now()
        return Place(made.id, made.slug, made.name, made.short_name)

    def person(
        self,
        name: str,
        *roles: Role | tuple[Role, Place],
        from_on: date | None = None,
        to_on: date | None = None,
        email: str | None = "",
    ) -> Someone:
        """Somebody with roles: `Role.TRUSTEE` at the trust, `(Role.STAFF, school)` at a school. They have an account
        (unless `email` is None) but no password: use `client_for`.
        """
        address = f"{domain.slug_of(name).replace('-', '.')}@{self.slug}.example" if email == "" else email
        begins = from_on or today() - timedelta(days=30)
        with self.acting(self.manager) as actor:
            made = services.add_person(actor, name=name, email=address, now=now())
            for held in roles:
                role, place = held if isinstance(held, tuple) else (held, None)
                services.begin_membership(
                    actor,
                    person_id=made.id,
                    role=role,
                    school_id=place.id if place else None,
                    from_on=begins,
                    to_on=to_on,
                )
            account = services.give_account(actor, person_id=made.id, now=now()) if address else None
        return Someone(made.id, made.name, made.email, account.id if account else None)

    @contextmanager
    def acting(self, person: Someone) -> Iterator[Actor]:
        """An application context and the scope of a person, as in a request of theirs; gives the Actor."""
        with self.app.app_context():
            with scope(Scope.job(self.trust_id)):
                actor = queries.get_actor(
                    person.id, on=today(), method="password and code", at=now().isoformat()
                )
            with scope(Scope.of(actor)):
                yield actor

    def actor(self, person: Someone) -> Actor:
        """A person as Actor, without a scope."""
        with self.acting(person) as actor:
            return actor

    @contextmanager
    def looking(self) -> Iterator[None]:
        """An application context and a scope that sees the whole trust, to look at rows in a test: the workers' role,
        since the web's sees neither what others are told nor the outbox."""
        with self.worker_app.app_context(), scope(Scope.job(self.trust_id)):
            yield

    def run_jobs(self) -> int:
        """Do everything that is due in this trust's outbox, with the workers' database role; how many jobs ran."""
        with self.worker_app.app_context(), scope(Scope.job(self.trust_id)):
            return jobs.run_inline()
