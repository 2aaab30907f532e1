"""The queue server is not trusted: it holds ids, and only the portal's own registered jobs run from it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Callback
from rq.serializers import JSONSerializer

from tests.integration.kernel.conftest import EVENT, Bench, Connection, burst, leave_a_mark, ring
from tests.world import World
from trustportal import clock, features, jobs
from trustportal.access import Role
from trustportal.db import Scope, scope
from trustportal.jobs import QUEUES, REGISTRY, Event

ROOT = Path(__file__).resolve().parents[3]
Register = Callable[..., None]


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
