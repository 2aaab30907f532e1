"""What the portal keeps about its own servers in `var/`: secrets, where the data lies, and the locks."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from trustportal.servers.errors import ServersFailed
from trustportal.servers.roles import LOGIN_ROLES

#: A path to a socket may have about 104 characters (macOS), its name included.
_LONGEST_SOCKET_FOLDER = 80
_SHORT = "trustportal-"


class Place:
    """The folder of one installation, and what is written down in it."""

    def __init__(self, var: Path) -> None:
        self.var = var.absolute()
        try:
            self.var.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServersFailed(
                f"{self.var} cannot be made ({error.strerror}). Name another folder with VAR."
            ) from error
        self.record_path = self.var / "servers.json"

    def record(self) -> dict[str, Any]:
        """The secrets and the place of the data; made on first use. Call it under `deciding()`."""
        try:
            kept: dict[str, Any] = json.loads(self.record_path.read_text())
        except FileNotFoundError:
            kept = {}
        wanted = ("superuser", *LOGIN_ROLES)
        passwords = kept.setdefault("passwords", {})
        if any(role not in passwords for role in wanted) or "id" not in kept:
            kept.setdefault("id", secrets.token_hex(6))
            for role in wanted:
                passwords.setdefault(role, secrets.token_urlsafe(24))
            write_private(self.record_path, json.dumps(kept, indent=1))
        return kept

    def write(self, kept: dict[str, Any]) -> None:
        """Write the record down, readable by its owner only."""
        write_private(self.record_path, json.dumps(kept, indent=1))

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Only one process at a time starts or stops a server of this place."""
        with open(self.var / "servers.lock", "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def lease(self) -> IO[str]:
        """Say that this process uses the servers. The lock goes when the file is closed, or with the process."""
        handle = open(self.var / "servers.lease", "a")  # noqa: SIM115 - held for as long as the servers are used
        fcntl.flock(handle, fcntl.LOCK_SH)
        return handle

    def give_back(self, lease: IO[str]) -> bool:
        """End a lease; True when nobody else holds one. Call it under `deciding()`."""
        lease.close()
        with open(self.var / "servers.lease", "a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def socket_folder(self, name: str, *, under: Path | None = None) -> Path:
        """A folder for a socket, short enough for the system and closed to others."""
        wanted = _short((under or self.var) / name)
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = wanted.lstat()
        if not wanted.is_dir() or wanted.is_symlink() or (os.geteuid() != 0 and found.st_uid != os.geteuid()):
            raise ServersFailed(f"{wanted} belongs to somebody else. Name another folder with VAR.")
        wanted.chmod(0o700)
        return wanted

    def leave(self, folder: Path) -> None:
        """Clear away the folder of a socket that nobody uses any more, where it lies among the system's files."""
        if folder.name.startswith(_SHORT):
            shutil.rmtree(folder, ignore_errors=True)

    def folder_before(self, name: str, kept: dict[str, Any]) -> Path | None:
        """Where a socket was before this installation was moved, if that is a folder that did not move with it: what
        listens there would never be stopped. Writes down where the installation is now; call it under `deciding()`.
        """
        before = kept.get("var")
        if before == str(self.var):
            return None
        kept["var"] = str(self.var)
        self.write(kept)
        # One that is still where it was has been copied, not moved: what it uses is its own.
        if before is None or Path(before).exists():
            return None
        folder = _short(Path(before) / name)
        return folder if folder.name.startswith(_SHORT) and folder.is_dir() else None


def _short(wanted: Path) -> Path:
    """A folder itself, or where its path is too long for a socket, one among the system's temporary files."""
    if len(str(wanted)) <= _LONGEST_SOCKET_FOLDER:
        return wanted
    short = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    if len(base) > _LONGEST_SOCKET_FOLDER - 24:
        base = "/tmp"  # noqa: S108 - the folder made in it is private, and checked
    return Path(base) / f"{_SHORT}{short}"


def write_private(path: Path, text: str) -> None:
    """Replace a file's text in one step, readable by its owner only."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
