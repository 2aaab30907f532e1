"""The outbox: what is announced happens exactly once, whatever becomes of the queue server and the workers."""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as QueueAway
from rq import Queue, SimpleWorker
from rq.job import Callback
from rq.serializers import JSONSerializer
from sqlalchemy import select

from tests.integration.kernel.conftest import EVENT, Bench, Connection, leave_a_mark
from tests.world import World
from trustportal import clock, features, jobs
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.health import BACKLOG, check
from trustportal.jobs import LEASE_SECONDS, MAX_ATTEMPTS, QUEUES, REGISTRY, Event, OurJob, relay
from trustportal.kernel_models import Outbox
from trustportal.tenants.models import Person
from trustportal.times import now

ROOT = Path(__file__).resolve().parents[3]
Register = Callable[..., None]


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


# -- what is not ours in the queue -------------------------------------------------------------------------------


def sprung(*arguments: object) -> None:
    """What a foreign job would do: it leaves a file behind."""
    Path(TRAP).touch()


TRAP = "/nowhere"


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sprung"
    monkeypatch.setitem(globals(), "TRAP", str(path))
    return path


def test_the_trap_works(trap: Path, queue_server: Redis, world: World) -> None:
    """With RQ's own job class the foreign function runs: so the tests below show something."""
    Queue("default", connection=queue_server, serializer=JSONSerializer).enqueue(f"{__name__}.sprung")
    SimpleWorker(["default"], connection=queue_server, serializer=JSONSerializer).work(
        burst=True, logging_level="CRITICAL"
    )
    assert trap.exists()


def test_a_foreign_function_in_the_queue_does_not_run(trap: Path, queue_server: Redis, world: World) -> None:
    foreign = Queue("default", connection=queue_server, serializer=JSONSerializer)
    for name in (f"{__name__}.sprung", "os.system", "builtins.eval", "trustportal.jobs.relay"):
        foreign.enqueue(name, str(trap))
    burst(world, queue_server)
    assert not trap.exists()
    assert len(foreign) == 0


def test_foreign_callbacks_do_not_run_either(
    trap: Path, queue_server: Redis, bench: Bench, registered: Register
) -> None:
    registered(leave_a_mark)
    row = bench.announce()
    spring = Callback(f"{__name__}.sprung")
    foreign = Queue("default", connection=queue_server, serializer=JSONSerializer)
    ours = ("trustportal.jobs.perform", str(row), str(bench.world.trust_id))
    foreign.enqueue(*ours, on_success=spring, on_failure=spring, on_stopped=spring)
    foreign.enqueue("trustportal.jobs.perform", "no id", "no id", on_success=spring, on_failure=spring)
    foreign.enqueue("os.system", "true", on_success=spring, on_failure=spring)
    burst(bench.world, queue_server)
    assert bench.effects() == ["once"]
    assert not trap.exists()


def test_only_ids_lie_in_the_queue_server(
    bench: Bench, registered: Register, queue_server: Redis, superuser: Connection
) -> None:
    def breaks(*, words: str) -> None:
        raise ValueError(words)

    registered(leave_a_mark)
    registered(breaks)
    school = bench.world.school("Ashgrove")
    bench.world.person("Ada Lovelace", (Role.STAFF, school))
    bench.announce("Ada Lovelace was here")
    assert ring(bench.world, queue_server) > 3
    held = _everything_in(queue_server)
    rows = superuser.execute("SELECT id::text, trust_id::text FROM outbox WHERE done_at IS NULL").fetchall()
    assert all(row_id in held and trust_id in held for row_id, trust_id in rows)
    burst(bench.world, queue_server, *QUEUES)
    held += _everything_in(queue_server)
    for word in ("Ada", "Lovelace", "lovelace", "larkfield", "Larkfield", "Ashgrove", "Nora", ".example"):
        assert word not in held


def _everything_in(connection: Redis) -> str:
    """Every key and value, unpacked where RQ packed it."""
    found: list[bytes] = []
    for key in connection.scan_iter():
        found.append(key)
        kind = connection.type(key)
        if kind == b"hash":
            for name, value in connection.hgetall(key).items():
                found += [name, _unpacked(value)]
        elif kind == b"list":
            found += connection.lrange(key, 0, -1)
        elif kind == b"set":
            found += connection.smembers(key)
        elif kind == b"zset":
            found += connection.zrange(key, 0, -1)
        elif kind == b"stream":
            found += [_unpacked(value) for _, row in connection.xrange(key) for value in row.values()]
        else:
            found.append(_unpacked(connection.get(key) or b""))
    return b" ".join(found).decode(errors="replace")


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


# -- the registry ------------------------------------------------------------------------------------------------


def test_every_queue_has_a_worker_of_its_own(world: World) -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    served = [found.group(1) for line in lines if (found := re.search(r"trustportal\.worker (.+)$", line))]
    assert sorted(served) == sorted(QUEUES), "one queue to a worker: one on several can lose a job"
    assert {registered.queue for registered in REGISTRY.values()} <= set(served)
    assert any("trustportal.clock" in line for line in lines)


def test_a_job_for_a_queue_without_a_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="no worker listens"):
        jobs.job("nowhere", on=EVENT)


#: Announced for whoever may want to know; so far nobody does.
NOBODY_LISTENS = {Event.SIGNATURE_GIVEN}


def test_every_event_that_is_announced_is_heard(world: World) -> None:
    announced = {
        Event[name]
        for feature in (*features.FEATURES, ".")
        for path in (ROOT / "trustportal" / feature).rglob("*.py")
        for name in re.findall(r"announce\(\s*Event\.([A-Z_]+)", path.read_text())
    } | {recurring.event for recurring in clock.SCHEDULE}
    heard = {Event(registered.event) for registered in REGISTRY.values()}
    assert announced - heard - NOBODY_LISTENS == set(), "announced into the void"
    assert heard - announced == set(), "waits for something that nobody announces"


def test_a_scope_is_needed_to_run_inline(world: World) -> None:
    with world.worker_app.app_context(), pytest.raises(RuntimeError, match="no scope"):
        jobs.run_inline()
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        assert jobs.run_inline() >= 0
