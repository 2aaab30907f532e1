"""The portal as it really runs, for the browser tests: web, three workers and the clock, each a process of its own.

`running_portal()` starts them over a fresh database and an empty queue. The tests make their trusts through the
services, in this process (`Portal.trust()`), and everything else through the browser. A second web process in
demonstration mode stands over the same database, when somebody asks for it: it differs in nothing but that mode.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flask import Flask
from honcho.environ import parse_procfile

from tests.world import World
from trustportal.app import create_app
from trustportal.config import Settings
from trustportal.db import db
from trustportal.migrate import upgrade
from trustportal.servers import DatabaseUrls, Servers
from trustportal.supervise import NEEDS

ROOT = Path(__file__).resolve().parent.parent
#: What a person may look at afterwards: logs, pages of PDFs, screenshots of failures.
KEPT = ROOT / "var" / "e2e"
#: Each process of the tests has a portal of its own.
_TEAM = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OWN = KEPT / f"portal-{_TEAM}"
SECRET = "only-for-browser-tests-" + "x" * 24
_SECONDS_TO_START = 90
_COMMANDS: Mapping[str, str] = parse_procfile((ROOT / "Procfile").read_text()).processes


@dataclass
class Process:
    """One process of the portal, and what it has said."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]
    read: int = 0

    def news(self) -> str:
        """What it has said since the last time."""
        with self.log.open("rb") as handle:
            handle.seek(self.read)
            said = handle.read()
        self.read += len(said)
        return said.decode(errors="replace")


@dataclass
class Portal:
    """A running portal. `address` is what people type."""

    address: str
    environment: dict[str, str]
    app: Flask
    worker_app: Flask
    processes: list[Process] = field(default_factory=list)
    trusts: int = 0

    @cached_property
    def demonstration(self) -> str:
        """The address of the web in demonstration mode, which is started for the first who asks."""
        port = _free_port()
        _start(self, "web_demonstration", "web", {"DEMO": "1", "PORT": str(port)})
        address = f"http://127.0.0.1:{port}"
        _wait_until_well(self, address)
        return address

    def trust(self, name: str) -> World:
        """A new trust with its network manager; see tests/world.py for schools and people."""
        self.trusts += 1
        slug = f"{name.lower().split()[0]}-{self.trusts}"
        return World(self.app, self.worker_app, name=name, slug=slug)

    def complaints(self) -> str:
        """What the processes have said since the last time that nobody should have to read."""
        found = []
        for one in self.processes:
            said = one.news()
            if "Traceback" in said or "[ERROR]" in said:
                found.append(f"{one.name}:\n{said[-4000:]}")
            if one.process.poll() is not None:
                found.append(f"{one.name} ended with {one.process.returncode}")
        return "\n".join(found)

    def load_demonstration(self) -> str:
        """Load the demonstration trust, as `make run` does; what it says about accounts."""
        done = subprocess.run(
            [sys.executable, "-m", "trustportal.demonstration"],
            cwd=ROOT,
            env={**self.environment, "DEMO": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout


@contextmanager
def running_portal(servers: Servers) -> Iterator[Portal]:
    """Everything that `make run` starts, over a database of its own."""
    name = f"e2e_{os.getpid()}"
    urls = servers.fresh_database(name, template=_migrated(servers))
    environment = _environment(servers, urls, _free_port())
    settings = Settings.from_env(environment)
    app, worker_app = create_app(settings), create_app(settings, role="worker")
    portal = Portal(settings.public_url, environment, app, worker_app)
    try:
        for name in _COMMANDS:
            # The one that sends mail copies each for the demonstration's mailbox.
            _start(portal, name, name, {"DEMO": "1"} if name == "worker_mail" else {})
        _wait_until_well(portal, portal.address)
        yield portal
    finally:
        _stop(portal)
        for one in (app, worker_app):
            with one.app_context():
                db.session.remove()
                db.engine.dispose()
        servers.drop_database(name)


def _migrated(servers: Servers) -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.*")):
        if path.suffix in {".py", ".sql"}:
            digest.update(path.read_bytes())
    digest.update((ROOT / "trustportal" / "protection.py").read_bytes())
    name = f"trustportal_e2e_{digest.hexdigest()[:12]}"
    servers.template(name, prepare=upgrade)
    return name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(servers: Servers, urls: DatabaseUrls, port: int) -> dict[str, str]:
    _OWN.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "HOME": os.environ.get("HOME", str(_OWN)),
        "PYTHONUNBUFFERED": "1",
        **urls.environment(),
        # The integration tests, which may run meanwhile, use the databases below 60.
        "REDIS_URL": servers.queue_url(60 + _TEAM % 4),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": SECRET,
        "MAIL_BATCH_SECONDS": "1",
        "VAR": str(_OWN),
    }


def _start(portal: Portal, name: str, line: str, more: Mapping[str, str]) -> None:
    """Start what a line of the Procfile says, under a name and with something more in its environment."""
    needed = NEEDS[line.partition("_")[0]]
    own = {
        key: value
        for key, value in portal.environment.items()
        if not key.endswith(("DATABASE_URL", "REDIS_URL")) or key in needed
    }
    log = _OWN / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {_COMMANDS[line]}"],
            cwd=ROOT,
            env={**own, **more},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    portal.processes.append(Process(name, log, process))


def _wait_until_well(portal: Portal, address: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        if _is_well(address):
            return
        assert not any(one.process.poll() is not None for one in portal.processes), portal.complaints()
        time.sleep(0.2)
    raise AssertionError(f"the portal does not get well:\n{portal.complaints()}")


def _is_well(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(portal: Portal) -> None:
    for one in portal.processes:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGTERM)
    for one in portal.processes:
        try:
            # Nothing here is worth the ten seconds that a worker may take to notice that it is asked to stop.
            one.process.wait(2)
        except subprocess.TimeoutExpired:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()
