"""What `make run` and `flask portal run` do: servers, migrations, demonstration trust, the Procfile's processes.

One process that dies is started again, after a pause that grows; a server that dies too. Ctrl-C, or SIGTERM, once or
more often, stops everything and leaves nothing running. A supervisor that was killed leaves its processes behind: they
carry a mark in their environment, by which the next start finds and ends them before it starts its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import psutil
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from trustportal.config import Settings
from trustportal.migrate import upgrade
from trustportal.servers import DatabaseUrls, Servers, ServersFailed, ensure_servers

ROOT = Path(__file__).resolve().parent.parent
#: Put into the environment of every process that is started here, its children included.
MARK = "TRUSTPORTAL_RUN"
#: Which of the servers' addresses a kind of process gets: each only the role that it works under.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "web": ("DATABASE_URL", "REDIS_URL"),
    "worker": ("WORKER_DATABASE_URL", "REDIS_URL"),
    "clock": ("WORKER_DATABASE_URL", "REDIS_URL"),
}
_SECRETS = (
    "DATABASE_URL",
    "WORKER_DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "BACKUP_DATABASE_URL",
    "REDIS_URL",
)
_COLOURS = (36, 33, 32, 35, 34)
_GRACE_SECONDS = 10
_LONGEST_PAUSE = 30
_STEADY_SECONDS = 60
#: All processes at once would keep each other from starting; people wait for the web.
_WEB_FIRST_SECONDS = 6


def run_portal(
    settings: Settings, env: Mapping[str, str] | None = None, *, procfile: Path = ROOT / "Procfile"
) -> int:
    """Run the portal until somebody stops it; the exit code for the shell."""
    env = dict(os.environ if env is None else env)
    stop = threading.Event()
    with _asked_to_stop(stop):
        try:
            with only_one(settings.var, settings.port):
                return _run(settings, env, procfile, stop)
        except ServersFailed as failure:
            print(f"\n{failure}", file=sys.stderr, flush=True)
            return 1


def _run(settings: Settings, env: dict[str, str], procfile: Path, stop: threading.Event) -> int:
    _end_left_behind(settings.var)
    _check_port(settings.port)
    if "DEMO" not in env and not env.get("DATABASE_URL"):
        env["DEMO"] = (
            "1"  # a portal on its own servers is somebody's trial; a named database may hold real people
        )
    with ensure_servers(settings.var, env=env) as servers:
        if stop.is_set():
            return 0
        if upgrade(servers.database.migration):
            _say("The database is up to date.")
        if env.get("DEMO", "").lower() in {"1", "true", "yes", "on"} and not stop.is_set():
            _demonstrate(settings, servers, env, stop)
        if stop.is_set():
            return 0
        crew = Crew(_processes(settings, servers, env, procfile), ROOT)
        try:
            crew.start()
            announcer = threading.Thread(target=_announce, args=(settings, crew, stop), daemon=True)
            announcer.start()
            while not stop.wait(0.5):
                crew.tend()
                for name in servers.mend():
                    _say(f"{name} had stopped and runs again.")
        finally:
            _say("Stopping.")
            crew.stop()
    _say("Stopped. Your data is kept.")
    return 0


# -- the processes -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Member:
    """One line of the Procfile, and the process that runs it now."""

    name: str
    command: str
    environment: dict[str, str]
    colour: int = 0
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 1.0
    again_at: float = 0.0


@dataclass(slots=True)
class Crew:
    """All processes of a run."""

    members: list[Member]
    folder: Path
    _printer: Any = field(init=False)
    _readers: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._printer = Printer(sys.stdout, width=max((len(m.name) for m in self.members), default=0))
        for position, member in enumerate(self.members):
            member.colour = _COLOURS[position % len(_COLOURS)]

    def start(self) -> None:
        """Start the web, and the others as soon as it answers (`web_answers`) or has had its time."""
        for member in self.members:
            if member.name == "web":
                self._start(member)
            else:
                member.again_at = time.monotonic() + _WEB_FIRST_SECONDS

    def web_answers(self) -> None:
        """Nobody needs to wait for the web any longer."""
        for member in self.members:
            if member.started_at == 0.0:
                member.again_at = 0.0

    def tend(self) -> None:
        """Start again whatever has died, each time after a longer pause, until it has run steadily."""
        now = time.monotonic()
        for member in self.members:
            if member.process is None:
                if now >= member.again_at:
                    self._start(member)
                continue
            code = member.process.poll()
            if code is None:
                if now - member.started_at > _STEADY_SECONDS:
                    member.pause = 1.0
                continue
            self._write(member, f"ended with {code}; starting again in {member.pause:.0f} s")
            member.process = None
            member.again_at = now + member.pause
            member.pause = min(member.pause * 2, _LONGEST_PAUSE)

    def stop(self) -> None:
        """Ask all of them to finish what they are doing; after a grace, end what is left, grandchildren included."""
        marks = {member.environment[MARK] for member in self.members if MARK in member.environment}
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(member.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        for member in self.members:
            if member.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    member.process.wait(max(0.0, deadline - time.monotonic()))
        for mark in marks:
            end_marked(mark)
        for member in self.members:
            if member.process is not None:
                member.process.wait()
        for reader in self._readers:
            reader.join(1)

    def _start(self, member: Member) -> None:
        member.started_at = time.monotonic()
        member.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {member.command}"],
            cwd=self.folder,
            env=member.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor, which stops things in order
        )
        self._readers = [reader for reader in self._readers if reader.is_alive()]
        reader = threading.Thread(target=self._read, args=(member, member.process.stdout), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _read(self, member: Member, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._write(member, line)

    def _write(self, member: Member, text: str | bytes) -> None:
        message = Message("line", text, datetime.now(), member.name, member.colour)  # noqa: DTZ005 - the terminal's clock
        with self._lock, contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            self._printer.write(message)


def _processes(settings: Settings, servers: Servers, env: Mapping[str, str], procfile: Path) -> list[Member]:
    """The Procfile's lines, each with its own environment: a process knows only the database role it works under."""
    mark = secrets.token_hex(16)
    descriptor = os.open(settings.var / "portal.run", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(mark)
    known = servers.environment()
    common = {
        **{name: value for name, value in env.items() if name not in _SECRETS},
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", os.defpath))),
        "PYTHONUNBUFFERED": "1",
        "PORT": str(settings.port),
        "VAR": str(settings.var.absolute()),
        "SECRET_KEY": settings.secret_key,
        MARK: mark,
    }
    lines = parse_procfile(procfile.read_text()).processes
    members = []
    for name, command in lines.items():
        wanted = NEEDS.get(name.partition("_")[0], ())
        members.append(Member(name, command, {**common, **{key: known[key] for key in wanted}}))
    return members


def end_marked(mark: str) -> None:
    """End every process that carries a run's mark, politely first; nothing is ended for its name."""
    for ask, seconds in ((psutil.Process.terminate, 3.0), (psutil.Process.kill, 3.0)):
        found = list(_marked(mark))
        if not found:
            return
        for process in found:
            with contextlib.suppress(psutil.Error):
                ask(process)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and next(_marked(mark), None) is not None:
            time.sleep(0.05)


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                process.pid != os.getpid()
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(MARK) == mark
            ):
                yield process


def _end_left_behind(var: Path) -> None:
    """End what a killed supervisor left running. Call it while holding the place of the only one."""
    try:
        mark = (var / "portal.run").read_text().strip()
    except FileNotFoundError:
        return
    if mark and next(_marked(mark), None) is not None:
        _say("Ending what an interrupted run left behind.")
        end_marked(mark)


# -- before and after --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _asked_to_stop(stop: threading.Event) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into `stop`. They come twice when `make` passes on what the terminal sent to all."""
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def only_one(var: Path, port: int = 0) -> Iterator[None]:
    """One portal per place; raises ServersFailed for a second one. The lock goes with the process, however it ends."""
    var.mkdir(parents=True, exist_ok=True)
    with open(var / "portal.lock", "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServersFailed(
                f"The portal runs already in {var.absolute()}. Stop that one first"
                + (
                    f", or give this one a folder and a port of its own: VAR=var/second PORT={port + 1} make run"
                    if port
                    else "."
                )
            ) from None
        yield


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ServersFailed(
                f"Another program uses port {port}. Choose another: PORT={port + 1} make run"
            ) from None


def _demonstrate(settings: Settings, servers: Servers, env: Mapping[str, str], stop: threading.Event) -> None:
    """Load the demonstration trust once, in a process of its own, and keep what it says about accounts.

    On the portal's own server it is loaded beside the empty database and takes its place when it is complete, so that
    a start that was interrupted leaves no half of it behind; where trusts are already, they stay by themselves.
    """
    kept = settings.var / "demonstration.txt"
    if kept.exists() or (servers.postgres is not None and not servers.is_empty()):
        return
    _say("Loading the demonstration trust.")

    def load(database: DatabaseUrls) -> bool:
        making = kept.with_suffix(".new")
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as said:
            loading = subprocess.Popen(
                [sys.executable, "-m", "trustportal.demonstration"],
                cwd=ROOT,
                env={
                    **env,
                    **servers.environment(),
                    **database.environment(),
                    "VAR": str(settings.var.absolute()),
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                start_new_session=True,
            )
            while loading.poll() is None and not stop.wait(0.1):
                pass
            if loading.poll() is None:
                loading.terminate()
            return loading.wait() == 0

    if servers.postgres is None:
        loaded = load(servers.database)
    else:
        servers.fill(load)
        loaded = not servers.is_empty()
    if loaded:
        kept.with_suffix(".new").rename(kept)
    elif not stop.is_set():
        _say("The demonstration trust could not be loaded; the next start tries again.")


def _announce(settings: Settings, crew: Crew, stop: threading.Event) -> None:
    """Print the address, and who may sign in, as soon as the web answers."""
    local = f"http://127.0.0.1:{settings.port}"
    began = time.monotonic()
    warned = False
    while not stop.is_set():
        if _answers(f"{local}/healthz"):
            break
        if not warned and time.monotonic() - began > 30:
            warned = True
            _say("The web does not answer yet; what it says stands above.")
        stop.wait(0.2)
    else:
        return
    crew.web_answers()
    lines = ["", f"  TrustPortal runs at {settings.public_url}", ""]
    with contextlib.suppress(FileNotFoundError):
        lines += [f"  {line}" for line in (settings.var / "demonstration.txt").read_text().splitlines()]
        lines.append("")
    _say("\n".join([*lines, "  Ctrl-C stops it; the data is kept.", ""]))


def _answers(address: str) -> bool:
    """Whether the web answers there; 503 says that it does, and that another part is not well yet."""
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as answer:
        return answer.code == 503
    except (urllib.error.URLError, OSError):
        return False


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(text, flush=True)
