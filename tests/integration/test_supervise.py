"""Running the portal: what dies is started again, Ctrl-C leaves nothing behind, and a killed run is cleared away.

The processes are stand-ins from a Procfile of the test; supervisor, servers and migrations are the real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from trustportal.servers.place import Place
from trustportal.servers.postgres import Postgres
from trustportal.servers.valkey import Valkey
from trustportal.supervise import MARK

ROOT = Path(__file__).resolve().parents[2]
#: As `trustportal/__main__.py`, with other processes.
RUN = """
import signal
import sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
from pathlib import Path
from trustportal.config import Settings
from trustportal.supervise import run_portal
sys.exit(run_portal(Settings.from_env(), procfile=Path(sys.argv[1])))
"""
# The worker starts a grandchild that leaves its session, as a work-horse may.
PROCFILE = """
web: python -m http.server $PORT --bind 127.0.0.1 --directory {folder}
worker_default: sh -c 'setsid sleep 600 & echo $$ >> {folder}/worker; env > {folder}/worker-environment; sleep 600'
"""


class Portal:
    """One installation in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.var = folder / "var"
        (folder / "healthz").write_text("ok")
        (folder / "Procfile").write_text(PROCFILE.format(folder=folder))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self, *, demonstration: bool = False) -> subprocess.Popen[str]:
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "VAR": str(self.var),
            "PORT": str(self.port),
            "DEMO": "1" if demonstration else "0",
        }
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(self.folder / "Procfile")],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                return True
        except OSError:
            return False

    def workers(self) -> list[int]:
        try:
            return [int(line) for line in (self.folder / "worker").read_text().split()]
        except FileNotFoundError:
            return []

    def marked(self) -> list[psutil.Process]:
        """What runs with the mark of the newest run."""
        mark = (self.var / "portal.run").read_text()
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def stop(portal: Portal, run: subprocess.Popen[str]) -> str:
    """Ctrl-C the way a terminal and make bring it: to the whole group, and then once more."""
    os.killpg(run.pid, signal.SIGINT)
    time.sleep(0.1)
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGTERM)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert portal.marked() == []
    assert not Valkey.at(Place(portal.var)).answers()
    return said


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(tmp_path)
    yield portal
    record = portal.var / "servers.json"
    home = json.loads(record.read_text()).get("home") if record.exists() else None
    if home is not None:
        shutil.rmtree(home)


def test_a_run_mends_what_dies_refuses_a_second_and_leaves_nothing(portal: Portal) -> None:
    run = portal.start()
    until(portal.answers)
    until(portal.workers)

    second = portal.start()
    refused, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "The portal runs already" in refused
    assert portal.answers()

    os.kill(portal.workers()[0], signal.SIGKILL)
    valkey = Valkey.at(Place(portal.var))
    process = valkey.process()
    assert process is not None
    process.kill()
    until(lambda: len(portal.workers()) == 2)
    until(valkey.answers)
    time.sleep(0.5)
    said = stop(portal, run)
    assert f"TrustPortal runs at http://127.0.0.1:{portal.port}" in said
    assert "Valkey had stopped and runs again." in said
    assert "starting again in 1 s" in said
    assert "Stopped. Your data is kept." in said

    # Each process knows only its own database role.
    known = (portal.folder / "worker-environment").read_text()
    assert "WORKER_DATABASE_URL=postgresql://trustportal_worker:" in known
    for name in ("\nDATABASE_URL=", "MIGRATION_DATABASE_URL=", "BACKUP_DATABASE_URL="):
        assert name not in known


def test_a_killed_run_is_cleared_away_by_the_next(portal: Portal) -> None:
    killed = portal.start()
    until(portal.answers)
    until(portal.workers)
    killed.kill()
    killed.communicate()
    left = portal.marked()
    assert left
    began = time.monotonic()
    run = portal.start()
    until(lambda: len(portal.workers()) == 2)
    until(portal.answers)
    assert time.monotonic() - began < 20  # `make bench` holds it to ten seconds on a quiet machine
    said = stop(portal, run)
    assert "Ending what an interrupted run left behind." in said
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left)


def test_a_port_in_use_is_said_before_anything_starts(portal: Portal) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", portal.port))
        other.listen()
        run = portal.start()
        said, _ = run.communicate(timeout=30)
    assert run.returncode == 1
    assert f"Another program uses port {portal.port}. Choose another: PORT={portal.port + 1} make run" in said


@pytest.mark.parametrize("moment", [0.7, 1.8])
def test_ctrl_c_at_any_moment_of_the_first_start(portal: Portal, moment: float) -> None:
    run = portal.start()
    time.sleep(moment)
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    if (portal.var / "portal.run").exists():
        assert portal.marked() == []
    again = portal.start()
    until(portal.answers)
    stop(portal, again)


def test_an_interrupted_load_of_the_demonstration_leaves_no_half_of_it(portal: Portal) -> None:
    """The second start loads the whole of it; what the first one had begun is gone."""
    run = portal.start(demonstration=True)
    until((portal.var / "demonstration.new").exists, seconds=60)
    until(lambda: trusts(portal, "trustportal_filling"))
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert not (portal.var / "demonstration.txt").exists()

    again = portal.start(demonstration=True)
    until((portal.var / "demonstration.txt").exists, seconds=120)
    until(portal.answers)
    assert trusts(portal, "trustportal") == 1
    assert trusts(portal, "trustportal_filling") == 0
    said = stop(portal, again)
    assert said.count("Loading the demonstration trust") == 1


def trusts(portal: Portal, database: str) -> int:
    """How many trusts a database holds; none when it is not there or not yet in form."""
    place = Place(portal.var)
    try:
        postgres = Postgres.at(place, place.record(), durable=True)
        with psycopg.connect(postgres.url(database)) as connection:
            row = connection.execute("SELECT count(*) FROM trust").fetchone()
            return 0 if row is None else int(row[0])
    except (psycopg.Error, OSError):
        return 0
