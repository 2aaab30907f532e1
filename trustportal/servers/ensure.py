"""Which servers this process uses: the named ones, or the portal's own, started or joined and let go of at the end."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis

from trustportal.servers.errors import ServersFailed
from trustportal.servers.place import Place
from trustportal.servers.postgres import Postgres
from trustportal.servers.roles import (
    BACKUP,
    DATABASE,
    LOGIN_ROLES,
    MIGRATOR,
    OWNER,
    WEB,
    WORKER,
    DatabaseUrls,
    access_statements,
    role_statements,
    schema_statements,
    socket_url,
)
from trustportal.servers.valkey import Valkey

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers in use. `postgres` and `valkey` are None where a named server serves."""

    database: DatabaseUrls
    redis_url: str
    place: Place
    passwords: Mapping[str, str] = field(repr=False)
    postgres: Postgres | None = None
    valkey: Valkey | None = None

    def environment(self) -> dict[str, str]:
        """The variables that tell another process of these servers."""
        return {**self.database.environment(), "REDIS_URL": self.redis_url}

    def queue_url(self, number: int) -> str:
        """A numbered database of the queue server (0 to 63 on the portal's own), emptied."""
        url = f"{self.redis_url}?db={number}" if self.valkey else f"{self.redis_url.rstrip('/')}/{number}"
        client = redis.Redis.from_url(url)
        client.flushdb()
        client.close()
        return url

    def mend(self) -> list[str]:
        """Start again what has died of the portal's own servers; the names of what was started."""
        mended = []
        if (self.postgres and not self.postgres.runs()) or (self.valkey and not self.valkey.answers()):
            with self.place.deciding():
                if self.postgres and self.postgres.start():
                    mended.append("PostgreSQL")
                if self.valkey and self.valkey.start():
                    mended.append("Valkey")
        return mended

    def urls(self, database: str) -> DatabaseUrls:
        """The addresses of another database of the portal's own server."""
        postgres = self._own_postgres()
        return _urls(postgres, self.passwords, database)

    def superuser_url(self, database: str = "postgres") -> str:
        """For setting up and for tests that look at the catalogue; never given to the web or to workers."""
        return self._own_postgres().url(database)

    def template(self, name: str, *, prepare: Callable[[str], Any]) -> None:
        """Make a database to copy from, once: `prepare(migration_url)` fills it. Others asking meanwhile wait."""
        postgres = self._own_postgres()
        with self.place.deciding(), _superuser(postgres) as connection:
            ready = connection.execute(
                "SELECT datistemplate FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
            if ready and ready[0]:
                return
            _make_database(postgres, name)
            prepare(self.urls(name).migration)
            connection.execute(f"ALTER DATABASE {_name(name)} IS_TEMPLATE true ALLOW_CONNECTIONS false")

    def fresh_database(self, name: str, *, template: str) -> DatabaseUrls:
        """A copy of a template, under a name of one's own; what stood there is dropped."""
        postgres = self._own_postgres()
        # Copying files costs half of copying pages through the log, unless each file must reach the disk.
        how = "" if postgres.durable else "STRATEGY file_copy"
        with _superuser(postgres) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE)")
            connection.execute(
                f"CREATE DATABASE {_name(name)} TEMPLATE {_name(template)} {how} OWNER {OWNER}"
            )
            for line in access_statements(_name(name)):
                connection.execute(line)
        return self.urls(name)

    def drop_database(self, name: str) -> None:
        """Drop a database that `fresh_database` made, whoever is connected."""
        with _superuser(self._own_postgres()) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE)")

    def fill(self, fill: Callable[[DatabaseUrls], bool]) -> None:
        """Fill the portal's database, all or nothing: `fill(urls)` works on a copy, which takes the database's place
        when it says True. Interrupted, it leaves the database as it was. Nobody else may be using it.
        """
        copy = f"{DATABASE}_filling"
        urls = self.fresh_database(copy, template=DATABASE)
        if not fill(urls):
            self.drop_database(copy)
            return
        with _superuser(self._own_postgres()) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
            connection.execute(f"ALTER DATABASE {copy} RENAME TO {DATABASE}")

    def empty_database(self, name: str) -> str:
        """An empty database with its access rules; what stood there is dropped. Its address for the superuser."""
        postgres = self._own_postgres()
        _make_database(postgres, name)
        return postgres.url(name)

    def put_in_place(self, name: str) -> str:
        """Let a database take the portal's place; the name under which the one before it is kept."""
        before = f"{DATABASE}_before"
        with _superuser(self._own_postgres()) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {before} WITH (FORCE)")
            connection.execute(f"ALTER DATABASE {DATABASE} RENAME TO {before}")
            connection.execute(f"ALTER DATABASE {_name(name)} RENAME TO {DATABASE}")
        return before

    def is_empty(self) -> bool:
        """Whether no trust is in the portal's database yet."""
        with _superuser(self._own_postgres(), DATABASE) as connection:
            return connection.execute("SELECT 1 FROM trust LIMIT 1").fetchone() is None

    def _own_postgres(self) -> Postgres:
        if self.postgres is None:
            raise ServersFailed("This needs the portal's own PostgreSQL: unset DATABASE_URL.")
        return self.postgres


@contextmanager
def ensure_servers(
    var: Path, *, env: Mapping[str, str], durable: bool = True, in_memory: bool = False
) -> Iterator[Servers]:
    """The servers for as long as the block runs; see the package's docstring. Raises ServersFailed.

    `var`: the folder of this installation. `env`: where `DATABASE_URL`, `REDIS_URL` and the rest are looked up.
    `durable=False`: a test server that forgoes safety for speed. `in_memory=True`: one whose data goes with the last
    who lets go of it.
    """
    named = _named_database(env)
    named_queue = env.get("REDIS_URL", "")
    place = Place(var)
    if named and named_queue:
        yield Servers(named, named_queue, place, {})
        return
    with ExitStack() as undo:
        with place.deciding():
            kept = place.record()
            passwords = kept["passwords"]
            postgres = (
                None
                if named
                else Postgres.at(place, kept, durable=durable, in_memory=in_memory and not durable)
            )
            valkey = None if named_queue else Valkey.at(place)
            lease = place.lease()
            # From here on, however this ends, the last user stops what runs.
            undo.callback(_let_go, place, lease, postgres, valkey)
            if valkey:
                left_behind = place.folder_before("valkey", kept)
                if left_behind is not None:
                    Valkey(left_behind).stop()
                    place.leave(left_behind)
                valkey.start()
            if postgres:
                postgres.start()
                _set_up(postgres, passwords)
        yield Servers(
            named or _urls(_some(postgres), passwords, DATABASE),
            named_queue or _some(valkey).url,
            place,
            passwords,
            postgres,
            valkey,
        )


def join(var: Path, *, env: Mapping[str, str] | None = None) -> Servers:
    """The servers until this process ends, written into `os.environ` for whatever reads it later. For commands."""
    stack = ExitStack()
    servers = stack.enter_context(ensure_servers(var, env=os.environ if env is None else env))
    atexit.register(stack.close)
    os.environ.update(servers.environment())
    return servers


def _let_go(place: Place, lease: Any, postgres: Postgres | None, valkey: Valkey | None) -> None:
    with place.deciding():
        if place.give_back(lease):
            if valkey:
                valkey.stop()
                place.leave(valkey.folder)
            if postgres:
                postgres.stop()
                postgres.forget()
                place.leave(postgres.sockets)


def _named_database(env: Mapping[str, str]) -> DatabaseUrls | None:
    web = env.get("DATABASE_URL", "")
    if not web:
        return None
    missing = [name for name in ("WORKER_DATABASE_URL", "MIGRATION_DATABASE_URL") if not env.get(name)]
    if missing:
        raise ServersFailed(
            f"DATABASE_URL is set, so {' and '.join(missing)} must be too: each names a role of its own."
            " `flask --app trustportal.app portal database-roles` prints the SQL that makes them."
        )
    return DatabaseUrls(
        web, env["WORKER_DATABASE_URL"], env["MIGRATION_DATABASE_URL"], env.get("BACKUP_DATABASE_URL", "")
    )


def _urls(postgres: Postgres, passwords: Mapping[str, str], database: str) -> DatabaseUrls:
    web, worker, migration, backup = (
        socket_url(role, passwords[role], database, str(postgres.sockets))
        for role in (WEB, WORKER, MIGRATOR, BACKUP)
    )
    return DatabaseUrls(web, worker, migration, backup)


def _superuser(postgres: Postgres, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(postgres.url(database), autocommit=True, prepare_threshold=None)


def _set_up(postgres: Postgres, passwords: Mapping[str, str]) -> None:
    """Roles and database as they should be. Repeats itself until it has once gone through to the end."""
    with _superuser(postgres) as connection:
        found = {
            row[0]
            for row in connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) AND NOT rolsuper", [list(LOGIN_ROLES)]
            )
        }
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if exists and found == set(LOGIN_ROLES):
            return
        for line in role_statements(passwords):
            connection.execute(line)
        # Filled under another name, so that a database of the right name is always a finished one.
        making = f"{DATABASE}_making"
        _make_database(postgres, making)
        connection.execute(f"ALTER DATABASE {making} RENAME TO {DATABASE}")


def _make_database(postgres: Postgres, name: str) -> None:
    """An empty database with its access rules; what stood there half-made is dropped."""
    with _superuser(postgres) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_name(name)} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {_name(name)} OWNER {OWNER} ENCODING 'UTF8' TEMPLATE template0")
        for line in access_statements(_name(name)):
            connection.execute(line)
    with _superuser(postgres, name) as connection:
        for line in schema_statements():
            connection.execute(line)


def _name(database: str) -> str:
    """A database's name that is safe to write into SQL. Raises ValueError for any other."""
    if (
        not database.isidentifier()
        or not database.isascii()
        or database != database.lower()
        or len(database) > 63
    ):
        raise ValueError(f"not a plain database name: {database!r}")
    return database


def _some(value: _T | None) -> _T:
    assert value is not None
    return value
