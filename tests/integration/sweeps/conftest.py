"""The two furnished trusts of the sweeps: made once in a run, whatever process comes to them first.

It keeps the database as it is then, to copy from, and beside it what stands for the trusts in the tests: the other
processes of the run begin with both. Each has a database of its own in which the tests may change what they like.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from jinja2 import BytecodeCache
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from tests.integration.conftest import SECRET, PortalClient, for_tests
from tests.integration.sweeps.estate import Furnished, Grounds, furnish
from tests.world import Someone
from trustportal.app import create_app
from trustportal.config import Settings
from trustportal.db import db
from trustportal.kernel_models import WebSession
from trustportal.policies import texts
from trustportal.servers import DatabaseUrls, Servers
from trustportal.sessions import cookie_name, token_hash
from trustportal.times import now
from trustportal.wire import Wire

#: Tables whose rows come and go with looking: who is signed in and how long ago they were seen.
PULSE = {"heartbeat", "web_session", "sign_in_failure"}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a table holds: how many rows, and a hash of what they say. Two are the same when both are."""

    content: tuple[Any, ...]
    #: How many rows, and a hash of who wrote each of them and where it lies.
    rows: tuple[Any, ...] = field(compare=False)


@dataclass
class Estate:
    """Two furnished trusts on one installation. `ours` is the one that is walked through, `theirs` the other."""

    servers: Servers
    name: str
    #: The database that this run's processes copy the furnished trusts from.
    furnished: str
    urls: DatabaseUrls
    app: Flask
    worker_app: Flask
    ours: Furnished
    theirs: Furnished
    #: Whether either application has committed a change, or a lock, since `keep`, `restore` or `unchanged`.
    touched: bool = True

    def notice_changes(self) -> None:
        """From now on, know when an application commits a transaction that changed something."""

        def note(connection: Connection) -> None:
            # Past SQLAlchemy: this must not be counted among a page's queries.
            own = connection.connection.dbapi_connection
            assert isinstance(own, Wire)
            # With the commit, PostgreSQL is to count at once what was written where: `state` asks for it.
            found = own.execute(
                "SELECT pg_current_xact_id_if_assigned() FROM pg_stat_force_next_flush()"
            ).fetchone()
            self.touched |= found != (None,) or own.holds_back

        for app in (self.app, self.worker_app):
            with app.app_context():
                event.listen(db.engine, "commit", note)

    def state(self, since: Mapping[str, Mark] | None = None) -> dict[str, Mark]:
        """A mark of everything that the database holds, table by table, but for what comes and goes with looking.

        `since`: the marks of an earlier moment of this database, or of the one that it was copied from. Tables in which
        nothing was written since the copy, and those whose rows lie where they lay, are not read again.
        """
        known = since or {}
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:

            def ask(what: str, tables: Iterable[str]) -> dict[str, tuple[Any, ...]]:
                query = " UNION ALL ".join(
                    f"SELECT '{table}', count(*), coalesce(sum(hashtextextended({what}, 0)), 0) FROM \"{table}\" t"
                    for table in tables
                )
                return {row[0]: row[1:] for row in connection.execute(query).fetchall()} if query else {}  # type: ignore[call-overload]

            tables = [
                (table, written)
                for table, written in connection.execute(
                    "SELECT relname, pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)"
                    " + pg_stat_get_tuples_deleted(oid) > 0"
                    " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                ).fetchall()
                if table not in PULSE
            ]
            looked_at = [table for table, written in tables if written or table not in known]
            # Who wrote each row, and where it lies: a copy of a database has both from the one that it was copied from.
            rows = ask("t.xmin::text || t.ctid::text", looked_at)
            content = ask(
                "t::text",
                [table for table in looked_at if table not in known or known[table].rows != rows[table]],
            )
        return {
            table: Mark(content[table], rows[table]) if table in content else known[table]
            for table, _ in tables
        }

    def unchanged(self, before: Mapping[str, Mark]) -> bool:
        """Whether the database still holds what it held; looks only where something was committed meanwhile."""
        if self.touched:
            self.touched = self.state(before) != before
        return not self.touched

    @property
    def superuser_url(self) -> str:
        """The database, past row-level security: to look at what changed."""
        return self.servers.superuser_url(self.name)

    def keep(self) -> None:
        """Remember everything as it is now, for `restore`."""
        _let_go(self.app, self.worker_app)
        self.servers.fresh_database(f"{self.name}_step", template=self.name)
        self.touched = False

    def restore(self) -> None:
        """Bring back what `keep` remembered."""
        self._begin_with(f"{self.name}_step")

    def restore_furnished(self) -> None:
        """Bring back the trusts as they were furnished."""
        self._begin_with(self.furnished)

    def _begin_with(self, kept: str) -> None:
        _let_go(self.app, self.worker_app)
        self.servers.fresh_database(self.name, template=kept)
        texts.forget()
        self.touched = False

    def client_for(self, person: Someone | None) -> PortalClient:
        """A client of somebody who is signed in; of nobody, one that has a session for its forms."""
        token, raw = secrets.token_urlsafe(32), secrets.token_hex(20)
        with self.app.app_context(), Session(db.engine) as own, own.begin():
            own.add(
                WebSession(
                    token_hash=token_hash(token),
                    account_id=person.account_id if person else None,
                    content={"csrf_token": raw},
                    created_at=now(),
                    seen_at=now(),
                    authenticated_at=now() if person else None,
                    method="password and code" if person else "",
                    user_agent="test",
                )
            )
        made = self.app.test_client()
        assert isinstance(made, PortalClient)
        made.set_cookie(cookie_name(self.app), token, secure=self.app.config["SESSION_COOKIE_SECURE"])
        made.csrf = str(URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw))
        return made


@pytest.fixture(scope="session")
def _estate(
    servers: Servers,
    template: str,
    settings: Settings,
    compiled_templates: BytecodeCache,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Estate]:
    name = f"sweep_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}_{os.getpid()}"
    urls = servers.fresh_database(name, template=template)
    own = replace(
        settings,
        database_url=settings.database_url.replace(settings_name(settings), name),
        worker_database_url=settings.worker_database_url.replace(settings_name(settings), name),
        var=Path(tmp_path_factory.mktemp("sweeps")),
    )
    app = for_tests(create_app(own), compiled_templates)
    worker_app = for_tests(create_app(own, role="worker"), compiled_templates)
    try:
        with _furnished(servers, name, {"web": app, "worker": worker_app}) as (kept, ours, theirs):
            made = Estate(servers, name, kept, urls, app, worker_app, ours, theirs)
            made.notice_changes()
            made.touched = False
            yield made
    finally:
        _let_go(app, worker_app)
        servers.drop_database(name)
        servers.drop_database(f"{name}_step")


@contextmanager
def _furnished(
    servers: Servers, name: str, applications: Mapping[str, Flask]
) -> Iterator[tuple[str, Furnished, Furnished]]:
    """The database to copy from, and the two trusts, which are in the database `name` too.

    The first process of the run furnishes them while the others wait; the last one to leave clears them away.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    kept = f"furnished_{hashlib.sha256(run.encode()).hexdigest()[:12]}"
    values = servers.place.var / f"{kept}.pickle"
    with ExitStack() as leaving:
        with _alone(servers):
            # Held for as long as this process uses them; the file goes with the last.
            users = leaving.enter_context((servers.place.var / f"{kept}.users").open("a"))
            fcntl.flock(users, fcntl.LOCK_SH)
            if values.exists():
                servers.fresh_database(name, template=kept)
                with values.open("rb") as handle:
                    ours, theirs = _Unpickler(handle, applications).load()
            else:
                ours, theirs = (
                    furnish(Grounds(applications["web"], applications["worker"], name=trust, slug=slug))
                    for trust, slug in (
                        ("Larkfield Academies Trust", "larkfield"),
                        ("Brookside Learning Trust", "brookside"),
                    )
                )
                _let_go(*applications.values())
                servers.fresh_database(kept, template=name)
                with values.open("wb") as handle:
                    _Pickler(handle, applications).dump((ours, theirs))
                # Here too: nothing has been written yet in what the tests begin with.
                servers.fresh_database(name, template=kept)
                texts.forget()
        try:
            yield kept, ours, theirs
        finally:
            with _alone(servers), suppress(BlockingIOError):  # somebody else uses them still
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                servers.drop_database(kept)
                for path in servers.place.var.glob(f"{kept}.*"):
                    path.unlink()


@contextmanager
def _alone(servers: Servers) -> Iterator[None]:
    """One process at a time."""
    with (servers.place.var / "furnished.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class _Pickler(pickle.Pickler):
    """Writes what the tests know of the trusts; an application by its role."""

    def __init__(self, file: IO[bytes], applications: Mapping[str, Flask]) -> None:
        super().__init__(file)
        self._roles = {id(app): role for role, app in applications.items()}

    def persistent_id(self, obj: Any) -> str | None:
        return self._roles.get(id(obj))


class _Unpickler(pickle.Unpickler):
    """Reads it in another process, with the applications of that one."""

    def __init__(self, file: IO[bytes], applications: Mapping[str, Flask]) -> None:
        super().__init__(file)
        self._applications = applications

    def persistent_load(self, pid: str) -> Flask:
        return self._applications[pid]


def _let_go(*apps: Flask) -> None:
    for app in apps:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def settings_name(settings: Settings) -> str:
    """The database's name in an address."""
    return settings.database_url.rsplit("?", 1)[0].rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def estate(_estate: Estate) -> Iterator[Estate]:
    """The two trusts. A module finds them as they were furnished, whatever another did."""
    yield _estate
    _estate.restore_furnished()
