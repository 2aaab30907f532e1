"""Background jobs through the outbox against bare RQ, and signatures against one bare insert."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from redis import Redis
from rq import Queue, Worker

from tests.bench import floor
from tests.bench.estate import Estate
from tests.bench.measuring import Line, Report, ratio
from tests.world import Someone
from trustportal import jobs
from trustportal.acceptance import services
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.queries import mine
from trustportal.access import Role
from trustportal.config import Settings
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.jobs import Event, OurJob
from trustportal.kernel_models import Outbox
from trustportal.policies import queries
from trustportal.policies.services import documents
from trustportal.times import now, today
from trustportal.worker import PortalWorker

JOBS, SIGNATURES, ROUNDS = 40, 40, 3


@jobs.job("default", on=Event.DAY_BEGAN)
def nothing(*, slot: str) -> None:
    """A job of the portal that does nothing but be done exactly once."""


def test_jobs(
    worker_app: Flask,
    settings: Settings,
    superuser_url: str,
    estate_of: Callable[[int], Estate],
    report: Report,
) -> None:
    """One forking worker each: what is enqueued, or relayed from the outbox, until the queue is empty."""
    trust_id = estate_of(10).world.trust_id
    connection = Redis.from_url(settings.redis_url)
    bare_queue = Queue("bare", connection=connection)
    ours_queue = jobs.queue(connection, "default")

    def bare() -> float:
        began = time.perf_counter()
        for _ in range(JOBS):
            bare_queue.enqueue_call(floor.nothing, result_ttl=0)
        Worker([bare_queue], connection=connection).work(burst=True, logging_level="ERROR")
        return time.perf_counter() - began

    def ours() -> float:
        with scope(Scope.job(trust_id)):
            rows = _announce(trust_id)
        began = time.perf_counter()
        assert jobs.relay(connection, limit=JOBS) == JOBS
        db.session.remove()
        worker = PortalWorker(
            [ours_queue], connection=connection, serializer=ours_queue.serializer, job_class=OurJob
        )
        worker.work(burst=True, logging_level="ERROR")
        taken = time.perf_counter() - began
        with scope(Scope.job(trust_id)):
            assert db.session.query(Outbox).filter(Outbox.id.in_(rows), Outbox.done_at.is_(None)).count() == 0
        return taken

    _empty_outbox(superuser_url)
    with worker_app.app_context():
        pairs = [(ours(), bare()) for _ in range(ROUNDS)]
    connection.close()
    rates = [JOBS / taken for pair in pairs for taken in pair]
    report.add(
        Line(
            "background jobs through the outbox, of the rate of bare RQ",
            1 / ratio([pair[0] for pair in pairs], [pair[1] for pair in pairs]),
            "of it",
            0.5,
            "least",
            f"{sum(rates[::2]) / ROUNDS:.0f} a second over {sum(rates[1::2]) / ROUNDS:.0f}",
        )
    )


def _announce(trust_id: UUID) -> list[UUID]:
    rows = [uuid4() for _ in range(JOBS)]
    with unit_of_work():
        for row in rows:
            db.session.add(
                Outbox(
                    id=row,
                    trust_id=trust_id,
                    event=str(Event.DAY_BEGAN),
                    job=f"{nothing.__module__}.{nothing.__name__}",
                    queue="default",
                    payload={"slot": "now"},
                    created_at=now(),
                    not_before=now(),
                )
            )
    return rows


def _empty_outbox(superuser_url: str) -> None:
    """What building left to do, in whichever trust, is none of the bench's jobs: the relay serves all of them."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE outbox SET done_at = now() WHERE done_at IS NULL")


@pytest.fixture
def floor_insert(superuser_url: str) -> Callable[[], float]:
    """Seconds for `SIGNATURES` bare inserts, each its own transaction."""

    def insert() -> float:
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            began = time.perf_counter()
            for _ in range(SIGNATURES):
                connection.execute(
                    "INSERT INTO floor_signature (id, person, record, at) VALUES (%s, %s, %s, now())",
                    [uuid4(), uuid4(), "x" * 1_000],
                )
            return time.perf_counter() - began

    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(floor.SIGNATURES)
    return insert


def test_signatures(
    estate_of: Callable[[int], Estate], floor_insert: Callable[[], float], report: Report
) -> None:
    """Staff of one school sign: evidence, audit chain and outbox row in one transaction each."""
    estate = estate_of(10)
    world, place = estate.world, estate.patterns[0].school
    staff = [
        world.person(f"Staff {number:03}", (Role.STAFF, place)) for number in range(SIGNATURES * ROUNDS + 1)
    ]
    with world.looking():
        edition = queries.find_edition_in_force(estate.policy_id, place.id, today())
        assert edition is not None
        documents.make_edition_pdf(edition_id=edition.id, public_url="http://portal.example")
    with world.acting(world.manager) as actor:
        due_on = today() + timedelta(days=20)
        services.open_campaign(
            actor,
            title="Annual signing",
            policy_ids=[estate.policy_id],
            academic_year=academic_year(due_on),
            roles=[Role.STAFF],
            opens_on=today(),
            due_on=due_on,
            now=now(),
            today=today(),
        )
    world.run_jobs()
    first, *others = staff
    with world.acting(first) as actor:
        asked = mine.list_open(first.id)[0]
        shown = services.to_read(actor, assignment_id=asked.id, today=today())
        seen, edition_id = shown.statement_version, shown.edition_id

    def sign(person: Someone) -> float:
        with world.acting(person) as actor:
            assignment = mine.list_open(person.id)[0]
            db.session.rollback()
            began = time.perf_counter()
            services.sign(
                actor,
                assignment_id=assignment.id,
                edition_id=edition_id,
                statement_seen=seen,
                confirmed=True,
                now=now(),
                today=today(),
                user_agent="bench",
            )
            return time.perf_counter() - began

    sign(first)
    ours, bare = [], []
    for number in range(ROUNDS):
        ours.append(sum(sign(one) for one in others[number * SIGNATURES : (number + 1) * SIGNATURES]))
        bare.append(floor_insert())
    report.add(
        Line(
            "signatures, of the rate of one bare insert",
            1 / ratio(ours, bare),
            "of it",
            0.25,
            "least",
            f"{SIGNATURES * ROUNDS / sum(ours):.0f} a second over {SIGNATURES * ROUNDS / sum(bare):.0f}",
        )
    )
