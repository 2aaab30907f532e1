"""Backup and restore of a whole installation: `portal backup FILE`, `portal restore FILE`, `portal release-mail`.

A backup is one ZIP file: PostgreSQL's dump, stored files and audit chains included, and a manifest with what the dump
must hold, both read in one snapshot. A restore is put beside the present database, compared with the manifest and
recomputed (rows per trust, stored files, audit chains); only then does it take the place. What was in the mail queue is
held, so that people are not told again what they were told before.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import namedtuple_row

from trustportal import audit
from trustportal.errors import PortalError
from trustportal.servers.roles import DATABASE

FORMAT = "trustportal-backup-1"
#: The portal's database on its own server, and the one in which a restore is put together.
PORTAL, BESIDE = DATABASE, f"{DATABASE}_restoring"
_MANIFEST, _DUMP = "manifest.json", "database.dump"
#: Mail of the queue that is not to go before somebody says so. PostgreSQL's "infinity" is no date in Python.
_HELD = datetime(9999, 1, 1, tzinfo=UTC)
_BLOCK = 1 << 20


class BackupFailed(PortalError):
    """A backup could not be made, or is not one that may be restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `rows`: table to (trust's id, or "" for tables of no trust) to number of rows."""

    format: str
    made_at: str
    revision: str
    sha256: str
    rows: dict[str, dict[str, int]]


# -- making one --------------------------------------------------------------------------------------------------


def make(url: str, file: Path, *, programs: Path | None = None) -> Manifest:
    """Write a backup of the database that `url` names (the backup role's address). Raises `BackupFailed`."""
    if file.exists():
        raise BackupFailed(f"{file} exists already. Name another file.")
    dump = file.with_name(f".{file.name}.dump")
    whole = file.with_name(f".{file.name}.new")
    try:
        with psycopg.connect(url, prepare_threshold=None) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            _may_read_everything(connection)
            snapshot = str(_one(connection, "SELECT pg_export_snapshot()"))
            for path in (dump, whole):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            _run(
                programs,
                "pg_dump",
                ["--format=custom", "--no-password", f"--snapshot={snapshot}", f"--file={dump}"],
                url,
            )
            manifest = Manifest(
                FORMAT,
                datetime.now(UTC).isoformat(timespec="seconds"),
                str(_one(connection, "SELECT version_num FROM alembic_version")),
                _sha256(dump),
                _rows(connection),
            )
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
            archive.write(dump, _DUMP)
        whole.rename(file)
    finally:
        dump.unlink(missing_ok=True)
        whole.unlink(missing_ok=True)
    return manifest


def _may_read_everything(connection: psycopg.Connection[Any]) -> None:
    """A dump by a role that row-level security binds succeeds, with no rows in it."""
    if not _one(
        connection,
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user",
    ):
        raise BackupFailed(
            "This role does not see the trusts' rows. Name the backup role with BACKUP_DATABASE_URL."
        )


# -- reading one -------------------------------------------------------------------------------------------------


def unpack(file: Path, folder: Path) -> tuple[Manifest, Path]:
    """The manifest of a backup and its dump, unpacked into `folder`. Raises `BackupFailed` unless it is whole."""
    dump = folder / _DUMP
    try:
        with zipfile.ZipFile(file) as archive:
            said = json.loads(archive.read(_MANIFEST))
            manifest = Manifest(**said)
            if manifest.format != FORMAT:
                raise BackupFailed(f"{file.name} was made by another version of TrustPortal.")
            descriptor = os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as output, archive.open(_DUMP) as packed:
                shutil.copyfileobj(packed, output, _BLOCK)
    except FileNotFoundError:
        raise BackupFailed(f"{file} does not exist.") from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise BackupFailed(
            f"{file.name} is not a backup of TrustPortal, or a damaged one ({type(error).__name__})."
        ) from None
    if _sha256(dump) != manifest.sha256:
        raise BackupFailed(f"{file.name} is damaged: its content is not what was written.")
    return manifest, dump


def restore(manifest: Manifest, dump: Path, url: str, *, programs: Path | None = None) -> int:
    """Fill the empty database that `url` names (a superuser's address), and check it. How many mails are held.

    Raises `BackupFailed`: the database is then good for nothing but dropping.
    """
    with psycopg.connect(url, prepare_threshold=None) as connection:
        if _tables(connection):
            raise BackupFailed("The database is not empty. Restore into an empty one.")
    _run(programs, "pg_restore", ["--no-password", "--exit-on-error", "--single-transaction", str(dump)], url)
    with psycopg.connect(url, prepare_threshold=None) as connection:
        faults = list(check(connection, manifest))
        if faults:
            raise BackupFailed("What was restored is not what was backed up:\n" + "\n".join(faults[:20]))
        held = connection.execute(
            "UPDATE outbox SET not_before = %s, dispatched_at = NULL"
            " WHERE queue = 'mail' AND done_at IS NULL AND failed_at IS NULL",
            [_HELD],
        ).rowcount
        connection.execute("DELETE FROM web_session")
    return held


def check(connection: psycopg.Connection[Any], manifest: Manifest) -> Iterator[str]:
    """What a restored database lacks, in words."""
    found = _rows(connection)
    for table in sorted(manifest.rows.keys() | found.keys()):
        if manifest.rows.get(table) != found.get(table):
            yield f"{table}: {manifest.rows.get(table)} rows were backed up, {found.get(table)} are there"
    for (table,) in connection.execute(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'trust_id'"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND NOT (relrowsecurity AND relforcerowsecurity)"
    ):
        yield f"{table}: row-level security is not on"
    for trust, digest in connection.execute(
        "SELECT trust_id, hash FROM blob WHERE encode(sha256(content), 'hex') <> hash"
    ):
        yield f"trust {trust}: stored file {digest[:12]} is damaged"
    for trust in found.get("trust", {}):
        for fault in _chain(connection, UUID(trust)):
            yield f"trust {trust}: audit link {fault.position}: {fault.what}"


class _Chain(NamedTuple):
    links: list[Any]
    payloads: list[Any]
    head: Any


def _chain(connection: psycopg.Connection[Any], trust_id: UUID) -> Iterator[audit.Fault]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        chain = _Chain(
            cursor.execute(
                "SELECT * FROM audit_event WHERE trust_id = %s ORDER BY position", [trust_id]
            ).fetchall(),
            cursor.execute("SELECT * FROM audit_payload WHERE trust_id = %s", [trust_id]).fetchall(),
            cursor.execute("SELECT * FROM audit_head WHERE trust_id = %s", [trust_id]).fetchone(),
        )
    return audit.check(*chain)


def release_mail(url: str) -> int:
    """Let go what a restore has held; how many. `url`: an address that sees all rows and may write (a superuser's)."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        return connection.execute(
            "UPDATE outbox SET not_before = now() WHERE not_before = %s", [_HELD]
        ).rowcount


# -- PostgreSQL --------------------------------------------------------------------------------------------------


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    return [name for (name,) in rows]


def _rows(connection: psycopg.Connection[Any]) -> dict[str, dict[str, int]]:
    """How many rows each trust has in each table."""
    owned = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'trust_id'"
        )
    }
    counted = {}
    for table in _tables(connection):
        trust = "trust_id" if table in owned else "id" if table == "trust" else None
        if trust is None:
            statement = sql.SQL("SELECT '', count(*) FROM {}").format(sql.Identifier(table))
        else:
            statement = sql.SQL("SELECT {0}::text, count(*) FROM {1} GROUP BY 1 ORDER BY 1").format(
                sql.Identifier(trust), sql.Identifier(table)
            )
        counted[table] = {trust_id: int(number) for trust_id, number in connection.execute(statement)}
    return counted


def _one(connection: psycopg.Connection[Any], statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def _run(programs: Path | None, program: str, arguments: list[str], url: str) -> None:
    found = programs / program if programs else shutil.which(program)
    if found is None:
        raise BackupFailed(f"{program} is not installed (Debian: apt-get install postgresql-client).")
    try:
        done = subprocess.run(
            [str(found), *arguments, *(["--dbname=" + _database(url)] if program == "pg_restore" else [])],
            env={**os.environ, **_environment(url)},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BackupFailed(f"{program} does not run: {error.strerror}.") from None
    if done.returncode != 0:
        raise BackupFailed(f"{program} failed:\n{done.stderr.strip()[-2000:]}")


def _database(url: str) -> str:
    return str(conninfo_to_dict(url).get("dbname") or "")


def _environment(url: str) -> Mapping[str, str]:
    """The address as variables: a password on a command line is seen by everybody on the machine."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
    }
    given = conninfo_to_dict(url)
    return {names[key]: str(value) for key, value in given.items() if key in names and value is not None}


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
