"""The outbox: what is announced happens exactly once, whatever becomes of the queue server and the workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as QueueAway
from sqlalchemy import select

from tests.integration.kernel.conftest import EVENT, Bench, Connection, burst, leave_a_mark, ring
from tests.world import World
from trustportal import jobs
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.health import BACKLOG, check
from trustportal.jobs import LEASE_SECONDS, MAX_ATTEMPTS, relay
from trustportal.kernel_models import Outbox
from trustportal.tenants.models import Person
from trustportal.times import now

Register = Callable[..., None]


def let_leases_run_out(superuser: Connection) -> None:
    superuser.execute(
        "UPDATE outbox SET dispatched_at = dispatched_at - make_interval(secs => %s)", [LEASE_SECONDS + 1]
    )


# -- announcing --------------------------------------------------------------------------------------------------


def test_announcing_is_part_of_the_change(bench: Bench, registered: Register, superuser: Connection) -> None:
    registered(leave_a_mark)

    def rows() -> list[tuple[object, ...]]:
        return superuser.execute("SELECT payload FROM outbox WHERE event = %s", [EVENT]).fetchall()

    def change_and_break() -> None:
        with unit_of_work() as uow:
            leave_a_mark(words="changed")
            uow.announce(EVENT, words="changed")
            db.session.flush()
            raise ZeroDivisionError

    with bench.world.looking(), pytest.raises(ZeroDivisionError):
        change_and_break()
    assert rows() == []
    assert bench.effects() == []
    with bench.world.looking(), unit_of_work() as uow:
        uow.announce(EVENT, words="changed")
        assert rows() == [], "nothing leaves before the commit"
    assert rows() == [({"words": "changed"},)]


def test_one_row_for_each_job_that_is_registered(bench: Bench, registered: Register) -> None:
    def another(*, words: str) -> None: ...

    registered(leave_a_mark)
    registered(another, "documents")
    with bench.world.looking():
        with unit_of_work() as uow:
            uow.announce(EVENT, words="both")
        rows = db.session.query(jobs.Outbox).filter_by(event=str(EVENT)).all()
        assert {(row.queue, row.job.rsplit(".", 1)[1]) for row in rows} == {
            ("default", "leave_a_mark"),
            ("documents", "another"),
        }


# -- performing --------------------------------------------------------------------------------------------------


def test_rung_twice_done_once(bench: Bench, registered: Register) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    for _ in range(3):
        bench.perform(row)
    assert bench.effects() == ["once"]
    assert bench.row(row).done_at is not None
    assert bench.row(row).attempts == 0


def test_two_workers_at_once_do_it_once(bench: Bench, registered: Register) -> None:
    at_work, begin = threading.Semaphore(0), threading.Barrier(4)

    def slowly(*, words: str) -> None:
        at_work.release()
        time.sleep(0.3)
        leave_a_mark(words=words)

    registered(slowly)
    row = bench.announce()

    def worker() -> None:
        begin.wait()
        bench.perform(row)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.effects() == ["once"]
    assert at_work.acquire(blocking=False)
    assert not at_work.acquire(blocking=False), "the second waited for the first, and found it done"


def test_what_was_read_before_the_lock_does_not_count(bench: Bench, registered: Register) -> None:
    """Whoever looked at a row, and then waits for its lock, sees it as it is when the lock is theirs."""
    registered(leave_a_mark)
    row_id = bench.announce()
    with bench.world.worker_app.app_context(), scope(Scope.job(bench.world.trust_id)):
        row = db.session.query(Outbox).filter_by(id=row_id).one()
        assert row.done_at is None
        other = threading.Thread(target=bench.perform, args=(row_id,))
        other.start()
        other.join()
        jobs._perform(row_id)
        assert row.done_at is not None
    assert bench.effects() == ["once"]


def test_what_is_not_written_yet_is_written_before_a_lock_reads_anew(bench: Bench) -> None:
    with bench.world.looking(), unit_of_work():
        person = db.session.query(Person).first()
        assert person is not None
        person.job_title = "Countess"
        assert (
            db.session.scalars(select(Person).where(Person.id == person.id).with_for_update()).one() is person
        )
        assert person.job_title == "Countess"


def test_a_failing_job_leaves_nothing_and_is_tried_again_later_and_later(
    bench: Bench, registered: Register, superuser: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Ada Lovelace, ada@example.org"

    def breaks(*, words: str) -> None:
        leave_a_mark(words="half done")
        db.session.flush()
        raise ValueError(secret)

    registered(breaks)
    row_id = bench.announce()
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        before = now()
        bench.perform(row_id)
        row = bench.row(row_id)
        assert (row.attempts, row.done_at, row.last_error) == (attempt, None, "ValueError")
        if attempt < MAX_ATTEMPTS:
            assert row.failed_at is None
            assert row.dispatched_at is None
            waits.append(row.not_before - before)
    assert bench.effects() == []
    assert waits == sorted(waits)
    assert waits[0] > timedelta(seconds=1)
    assert row.failed_at is not None, "parked after so many tries"
    bench.perform(row_id)
    assert bench.row(row_id).attempts == MAX_ATTEMPTS, "a parked row is left alone"
    assert superuser.execute("SELECT id FROM lease_outbox(100, 60)").fetchall() == []
    assert secret not in str(superuser.execute("SELECT outbox.*::text FROM outbox").fetchall())


def test_a_job_that_fails_once_succeeds_the_next_time(bench: Bench, registered: Register) -> None:
    tries = []

    def weather(*, words: str) -> None:
        tries.append(words)
        leave_a_mark(words=words)
        if len(tries) == 1:
            raise OSError("rain")

    registered(weather)
    row = bench.announce()
    bench.perform(row)
    assert bench.effects() == []
    bench.perform(row)
    assert bench.effects() == ["once"]
    assert bench.row(row).attempts == 1


def test_an_effect_outside_is_marked_when_it_happened(bench: Bench, registered: Register) -> None:
    happened: list[str] = []

    def outside(*, words: str) -> None:
        assert db.session().in_transaction() is False, "nothing is locked while the world is asked"
        happened.append(words)
        if len(happened) == 1:
            raise TimeoutError

    registered(outside, "mail", outside=True)
    row = bench.announce()
    bench.perform(row)
    assert bench.row(row).done_at is None
    bench.perform(row)
    bench.perform(row)
    assert happened == ["once", "once"]
    assert bench.row(row).done_at is not None


def test_an_unregistered_job_is_refused(bench: Bench, registered: Register, superuser: Connection) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    superuser.execute("UPDATE outbox SET job = 'os.system' WHERE id = %s", [row])
    bench.perform(row)
    assert bench.row(row).last_error == "PermissionError"
    assert bench.effects() == []


def test_a_row_is_not_done_in_another_trust(bench: Bench, registered: Register, other_world: World) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    with bench.world.worker_app.app_context():
        jobs.perform(str(row), str(other_world.trust_id))
    assert bench.row(row).done_at is None
    assert bench.row(row).attempts == 0


# -- the relay ---------------------------------------------------------------------------------------------------


def test_the_relay_rings_what_is_due_and_waits_for_its_lease(
    bench: Bench, registered: Register, queue_server: Redis, superuser: Connection
) -> None:
    registered(leave_a_mark)
    bench.announce("now")
    with bench.world.looking(), unit_of_work() as uow:
        uow.announce(EVENT, words="later", not_before=now() + timedelta(hours=1))
    assert ring(bench.world, queue_server) == 1
    assert ring(bench.world, queue_server) == 0, "leased"
    let_leases_run_out(superuser)
    assert ring(bench.world, queue_server) == 1
    burst(bench.world, queue_server)
    assert bench.effects() == ["now"]
    let_leases_run_out(superuser)
    assert ring(bench.world, queue_server) == 0


def test_two_relays_share_the_rows(bench: Bench, registered: Register, queue_server: Redis) -> None:
    registered(leave_a_mark)
    with bench.world.looking(), unit_of_work() as uow:
        for number in range(60):
            uow.announce(EVENT, words=str(number))
    rung: list[int] = []
    begin = threading.Barrier(3)

    def relaying() -> None:
        begin.wait()
        with bench.world.worker_app.app_context():
            while found := relay(queue_server, limit=7):
                rung.append(found)
            db.session.remove()

    threads = [threading.Thread(target=relaying) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(rung) == 60
    assert len(jobs.queue(queue_server, "default")) == 60


def test_a_row_that_is_being_leased_is_passed_over(
    bench: Bench, registered: Register, queue_server: Redis, database: object
) -> None:
    registered(leave_a_mark)
    bench.announce()
    with psycopg.connect(database.worker) as other:  # type: ignore[attr-defined]
        assert len(other.execute("SELECT id FROM lease_outbox(10, 60)").fetchall()) == 1
        assert ring(bench.world, queue_server) == 0, "skipped, without waiting"
        other.rollback()
    assert ring(bench.world, queue_server) == 1


def test_the_queue_server_comes_back_empty(
    bench: Bench, registered: Register, queue_server: Redis, superuser: Connection
) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    ring(bench.world, queue_server)
    queue_server.flushdb()
    burst(bench.world, queue_server)
    assert bench.effects() == []
    let_leases_run_out(superuser)
    ring(bench.world, queue_server)
    burst(bench.world, queue_server)
    assert bench.effects() == ["once"]
    assert bench.row(row).done_at is not None


def test_leases_are_given_back_when_the_queue_server_is_away(
    bench: Bench, registered: Register, queue_server: Redis, tmp_path: Path
) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    away = Redis(unix_socket_path=str(tmp_path / "nobody.sock"))
    with bench.world.worker_app.app_context():
        with pytest.raises(QueueAway):
            relay(away)
        db.session.remove()
    assert bench.row(row).dispatched_at is None
    assert ring(bench.world, queue_server) == 1, "at once, without waiting for the lease"


def test_health_notices_a_backlog(bench: Bench, registered: Register, superuser: Connection) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    redis_url = bench.world.app.config["PORTAL"].redis_url
    with bench.world.app.app_context():
        assert check(redis_url)["outbox"] is True
        superuser.execute(
            "UPDATE outbox SET created_at = created_at - %s::interval, not_before = not_before - %s::interval",
            [BACKLOG * 2, BACKLOG * 2],
        )
        db.session.rollback()
        assert check(redis_url)["outbox"] is False
        db.session.remove()
    bench.perform(row)
    with bench.world.app.app_context():
        assert check(redis_url)["outbox"] is True
        db.session.remove()
