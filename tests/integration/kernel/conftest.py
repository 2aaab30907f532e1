"""What the tests of the kernel share: jobs of their own, and a way past everything to look and to tamper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import select

from tests.integration.nursery import Nursery
from tests.world import World
from trustportal import jobs
from trustportal.config import Settings
from trustportal.db import db, unit_of_work
from trustportal.jobs import Event, OurJob, job, relay
from trustportal.kernel_models import Notice, Outbox
from trustportal.servers import DatabaseUrls, Servers
from trustportal.tenants.models import Person
from trustportal.times import now

Connection = psycopg.Connection[tuple[Any, ...]]
#: An event that the portal itself answers with nothing: the tests' own jobs hang on it.
EVENT = Event.SIGNATURE_GIVEN


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Processes of the portal that begin at once."""
    with Nursery() as made:
        yield made


@pytest.fixture
def superuser(servers: Servers, database: DatabaseUrls) -> Iterator[Connection]:
    """The test's database as its superuser, each statement for itself, triggers and keys asleep."""
    name = urlsplit(database.web).path.lstrip("/")
    with psycopg.connect(servers.superuser_url(name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.fixture
def queue_server(settings: Settings) -> Iterator[Redis]:
    """The queue server, empty."""
    connection = Redis.from_url(settings.redis_url)
    connection.flushdb()
    yield connection
    connection.flushdb()
    connection.close()


class Bench:
    """Jobs of the test's own, and what they did: each effect is a notice with the words that were announced."""

    def __init__(self, world: World) -> None:
        self.world = world

    def announce(self, words: str = "once") -> UUID:
        """Announce the tests' event; the id of the outbox row."""
        with self.world.looking():
            with unit_of_work() as uow:
                uow.announce(EVENT, words=words)
            return db.session.scalars(
                select(Outbox.id)
                .where(Outbox.event == str(EVENT))
                .order_by(Outbox.created_at.desc())
                .limit(1)
            ).one()

    def effects(self) -> list[str]:
        """What was done."""
        with self.world.looking():
            return list(db.session.scalars(select(Notice.body).order_by(Notice.created_at)))

    def row(self, outbox_id: UUID) -> Outbox:
        """An outbox row as it stands."""
        with self.world.looking():
            return db.session.scalars(select(Outbox).where(Outbox.id == outbox_id)).one()

    def perform(self, outbox_id: UUID) -> None:
        """What a worker does when it is rung."""
        with self.world.worker_app.app_context():
            jobs.perform(str(outbox_id), str(self.world.trust_id))


@pytest.fixture
def bench(world: World) -> Bench:
    """See `Bench`. Everything that founding the trust announced is done already."""
    world.run_jobs()
    return Bench(world)


@pytest.fixture
def registered() -> Iterator[Callable[..., None]]:
    """`registered(function, queue="default", …)` registers a job for the test; forgotten afterwards."""
    before, before_by_event = dict(jobs.REGISTRY), list(jobs._by_event[str(EVENT)])

    def register(function: Callable[..., None], queue: str = "default", *, outside: bool = False) -> None:
        job(queue, on=EVENT, outside=outside)(function)

    yield register
    jobs.REGISTRY.clear()
    jobs.REGISTRY.update(before)
    jobs._by_event[str(EVENT)][:] = before_by_event


def leave_a_mark(*, words: str) -> None:
    """A job whose effect can be counted."""
    with unit_of_work():
        person_id = db.session.scalars(select(Person.id)).first()
        db.session.add(
            Notice(id=uuid4(), person_id=person_id, subject="mark", body=words, path="/", created_at=now())
        )


def burst(world: World, connection: Redis, *names: str) -> None:
    """A worker that does what its queue holds, and ends."""
    with world.worker_app.app_context():
        worker = SimpleWorker(
            [jobs.queue(connection, name) for name in names or ("default",)],
            connection=connection,
            serializer=JSONSerializer,
            job_class=OurJob,
        )
        worker.work(burst=True, logging_level="CRITICAL")
        db.session.remove()


def ring(world: World, connection: Redis) -> int:
    with world.worker_app.app_context():
        rung = relay(connection)
        db.session.remove()
    return rung
