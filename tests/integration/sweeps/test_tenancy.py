"""One trust never sees another's rows: asked of PostgreSQL with the application's roles, and without its filters.

The session's own filters are tried in test_session.py, without PostgreSQL's. Each has to hold alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import (
    select,
    text,
)

from tests.integration.sweeps import catalogue
from tests.integration.sweeps.conftest import Estate
from trustportal.app import create_app
from trustportal.db import METADATA, Scope, db, scope
from trustportal.migrate import sqlalchemy_url
from trustportal.policies.models import Edition
from trustportal.protection import OF_THE_WEB, Reach, Writes
from trustportal.tenants.models import Trust

RULES = catalogue.declared().protected
#: Tables whose rows are a school's; some of them have rows of the trust itself too.
OR_THE_TRUSTS = {Reach.PLACE, Reach.MINE_TOO}
OF_SCHOOLS = OR_THE_TRUSTS | {Reach.SCHOOL, Reach.SCHOOLS}
Connection = psycopg.Connection[tuple[Any, ...]]


def settings(
    connection: Connection,
    trust_id: UUID | None,
    *,
    person_id: UUID | None = None,
    schools: tuple[UUID, ...] = (),
    everywhere: bool = False,
) -> None:
    """The tenancy settings of the present transaction, as the application sets them."""
    connection.execute(
        "SELECT set_config('app.trust_id', %s, true), set_config('app.person_id', %s, true),"
        " set_config('app.school_ids', %s, true), set_config('app.all_schools', %s, true)",
        [
            str(trust_id or ""),
            str(person_id or ""),
            "{" + ",".join(map(str, schools)) + "}",
            "on" if everywhere else "off",
        ],
    )


def count(connection: Connection, query: str, *values: object) -> int:
    return int(connection.execute(query, values).fetchall()[0][0])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def superuser(estate: Estate) -> Iterator[Connection]:
    with psycopg.connect(estate.superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(params=["web", "worker"])
def connection(request: pytest.FixtureRequest, estate: Estate) -> Iterator[Connection]:
    """The application's own role, without the application."""
    with psycopg.connect(getattr(estate.urls, request.param)) as made:
        yield made
        made.rollback()


# -- the third ring: PostgreSQL ----------------------------------------------------------------------------------


def test_both_trusts_have_rows_in_every_table(estate: Estate, superuser: Connection) -> None:
    """Otherwise the tests below would show nothing."""
    empty = [
        (table, furnished.world.slug)
        for table, rule in RULES.items()
        for furnished in (estate.ours, estate.theirs)
        if not count(
            superuser,
            f"SELECT count(*) FROM {table} WHERE {rule.trust_column} = %s",
            furnished.world.trust_id,
        )
    ]
    assert empty == []


def test_a_trust_sees_its_own_rows_and_no_others(
    estate: Estate, superuser: Connection, connection: Connection
) -> None:
    ours = estate.ours.world.trust_id
    settings(connection, ours, everywhere=True)
    web = connection.info.user == "trustportal_app"
    for table, rule in RULES.items():
        own = f"SELECT count(*) FROM {table} WHERE {rule.trust_column} = %s"
        foreign = f"SELECT count(*) FROM {table} WHERE {rule.trust_column} <> %s"
        assert count(connection, foreign, ours) == 0, table
        if web and rule.reach in OF_THE_WEB:  # seeing every school shows no case: one has to take part
            assert count(connection, own, ours) == 0, table
            continue
        assert count(connection, own, ours) == count(superuser, own, ours), table


def test_without_settings_nothing_is_visible(estate: Estate, connection: Connection) -> None:
    def visible() -> dict[str, int]:
        return {
            table: found for table in RULES if (found := count(connection, f"SELECT count(*) FROM {table}"))
        }

    assert visible() == {}
    connection.rollback()
    # A setting made for one transaction falls back to an empty text, not to nothing: that must not raise, nor show.
    settings(connection, estate.ours.world.trust_id, everywhere=True)
    assert visible()
    connection.commit()
    assert visible() == {}
    settings(connection, None, everywhere=True)
    assert visible() == {}


def test_a_trust_that_is_no_trust_sees_nothing(connection: Connection) -> None:
    settings(connection, uuid4(), everywhere=True)
    assert {table for table in RULES if count(connection, f"SELECT count(*) FROM {table}")} == set()


def _inserting(connection: Connection, table: str) -> str:
    """The beginning of a statement that adds `one` to a table: what PostgreSQL works out itself is left to it."""
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'",
        [table],
    ).fetchall()
    names = [f'"{row[0]}"' for row in rows]
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(f'one.{name}' for name in names)}"


def _only_adds_our_own(
    connection: Connection, superuser: Connection, table: str, ours: UUID, theirs: UUID
) -> None:
    """Of what jobs have to do the web sees no row, changes none, and adds to its own trust alone; of what only they
    keep it adds none at all.
    """
    rule = RULES[table]
    assert count(connection, f"SELECT count(*) FROM {table}") == 0
    if rule.writes is not Writes.APPEND:
        assert connection.execute(f"UPDATE {table} SET trust_id = trust_id").rowcount == 0  # type: ignore[arg-type]
    query = f"SELECT to_jsonb(t)::text FROM {table} t WHERE trust_id = %s LIMIT 1"
    ((row,),) = superuser.execute(query, [ours]).fetchall()  # type: ignore[arg-type]
    adding = f"{_inserting(connection, table)} FROM jsonb_populate_record(NULL::{table}, %s::jsonb || %s::jsonb) one"
    for trust_id in (ours, theirs):
        other = json.dumps({"id": str(uuid4()), "trust_id": str(trust_id)})
        if trust_id == ours and rule.reach is Reach.JOBS:
            assert connection.execute(adding, [row, other]).rowcount == 1  # type: ignore[arg-type]
            continue
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(adding, [row, other])  # type: ignore[arg-type]
        connection.execute("ROLLBACK TO before")


def test_another_trusts_rows_are_neither_changed_nor_removed_nor_made(
    estate: Estate, connection: Connection, superuser: Connection
) -> None:
    ours, theirs = estate.ours.world.trust_id, estate.theirs.world.trust_id
    # Somebody who takes part in a case, so that there are rows to try it with.
    settings(connection, ours, person_id=estate.ours.reader.id, everywhere=True)
    connection.execute("SAVEPOINT before")
    web = connection.info.user == "trustportal_app"
    for table, rule in RULES.items():
        column = rule.trust_column
        if web and rule.reach in {Reach.JOBS, Reach.KEPT}:
            _only_adds_our_own(connection, superuser, table, ours, theirs)
            continue
        if rule.writes in {Writes.FULL, Writes.KEEP}:
            done = connection.execute(f"UPDATE {table} SET {column} = {column} WHERE {column} = %s", [theirs])
            assert done.rowcount == 0, table
            with pytest.raises(psycopg.DatabaseError):  # handing one's own row to another trust
                connection.execute(f"UPDATE {table} SET {column} = %s", [theirs])
            connection.execute("ROLLBACK TO before")
        if rule.writes is Writes.FULL:
            assert connection.execute(f"DELETE FROM {table} WHERE {column} = %s", [theirs]).rowcount == 0, (
                table
            )
        if rule.writes in {Writes.FULL, Writes.KEEP, Writes.APPEND} and column == "trust_id":
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                connection.execute(
                    f"{_inserting(connection, table)} FROM {table} t,"
                    " jsonb_populate_record(t, jsonb_build_object('trust_id', %s::text)) one LIMIT 1",
                    [str(theirs)],
                )
            connection.execute("ROLLBACK TO before")


def test_the_owner_is_bound_too(estate: Estate) -> None:
    with psycopg.connect(estate.urls.migration) as owner:
        assert {table for table in RULES if count(owner, f"SELECT count(*) FROM {table}")} == set()


def test_a_school_sees_its_own_rows_and_the_trusts(
    estate: Estate, superuser: Connection, connection: Connection
) -> None:
    ours, trust_id = estate.ours, estate.ours.world.trust_id
    bitten: set[str] = set()
    for mine, other in ((ours.ashgrove, ours.birchwood), (ours.birchwood, ours.ashgrove)):
        settings(connection, trust_id, schools=(mine.id,))
        for table, rule in RULES.items():
            if rule.reach not in OF_SCHOOLS:
                continue
            column = "id" if rule.reach is Reach.SCHOOLS else "school_id"
            seen = {row[0] for row in connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()}
            assert seen <= ({mine.id, None} if rule.reach in OR_THE_TRUSTS else {mine.id}), table
            allowed = f"{column} = %s" + (f" OR {column} IS NULL" if rule.reach in OR_THE_TRUSTS else "")
            assert count(connection, f"SELECT count(*) FROM {table}") == count(
                superuser,
                f"SELECT count(*) FROM {table} WHERE trust_id = %s AND ({allowed})",
                trust_id,
                mine.id,
            ), table
            if count(superuser, f"SELECT count(*) FROM {table} WHERE {column} = %s", other.id):
                bitten.add(table)
    assert bitten == {table for table, rule in RULES.items() if rule.reach in OF_SCHOOLS}


def test_the_central_team_sees_no_schools_rows(estate: Estate, connection: Connection) -> None:
    settings(connection, estate.ours.world.trust_id)
    for table, rule in RULES.items():
        if rule.reach in OR_THE_TRUSTS:
            assert count(connection, f"SELECT count(*) FROM {table} WHERE school_id IS NOT NULL") == 0, table
        if rule.reach in {Reach.SCHOOL, Reach.SCHOOLS}:
            assert count(connection, f"SELECT count(*) FROM {table}") == 0, table


def test_a_school_makes_no_rows_at_another(estate: Estate, connection: Connection) -> None:
    ours = estate.ours
    settings(connection, ours.world.trust_id, schools=(ours.ashgrove.id,))
    connection.execute("SAVEPOINT before")
    tried = 0
    for table, rule in RULES.items():
        writable = rule.writes in {Writes.FULL, Writes.KEEP, Writes.APPEND}
        if rule.reach not in OF_SCHOOLS - {Reach.SCHOOLS} or not writable:
            continue
        if not count(connection, f"SELECT count(*) FROM {table}"):
            continue
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(
                f"{_inserting(connection, table)} FROM {table} t,"
                " jsonb_populate_record(t, jsonb_build_object('school_id', %s::text)) one LIMIT 1",
                [str(ours.birchwood.id)],
            )
        connection.execute("ROLLBACK TO before")
        tried += 1
    assert tried > 10


def test_people_are_seen_where_they_serve(estate: Estate, connection: Connection) -> None:
    ours = estate.ours
    person = ours.given.teacher

    def names() -> set[str]:
        return {row[0] for row in connection.execute("SELECT name FROM person").fetchall()}

    settings(connection, ours.world.trust_id, person_id=person.id, schools=(ours.ashgrove.id,))
    assert {person.name, ours.given.head.name, "Una Trustee"} <= names()
    assert ours.everything_at_birchwood.name not in names()
    settings(connection, ours.world.trust_id, person_id=person.id)
    assert person.name in names()
    assert ours.given.head.name not in names()


def test_what_somebody_signed_stays_theirs_to_see(estate: Estate, connection: Connection) -> None:
    ours = estate.ours
    own = [table for table, rule in RULES.items() if rule.reach is Reach.MINE_TOO]
    assert "signature" in own
    for table in own:
        settings(connection, ours.world.trust_id, person_id=ours.reader.id)
        assert count(connection, f"SELECT count(*) FROM {table} WHERE person_id = %s", ours.reader.id) > 0
        others = f"SELECT count(*) FROM {table} WHERE person_id <> %s AND school_id IS NOT NULL"
        assert count(connection, others, ours.reader.id) == 0
        settings(connection, estate.theirs.world.trust_id, person_id=ours.reader.id)
        assert count(connection, f"SELECT count(*) FROM {table} WHERE person_id = %s", ours.reader.id) == 0


def test_what_is_only_added_to_stays_as_it_is_whoever_asks(estate: Estate, superuser: Connection) -> None:
    """The triggers refuse the owner and the superuser too."""
    frozen = {table: "" for table, rule in RULES.items() if rule.writes in {Writes.APPEND, Writes.CHAIN}}
    frozen |= {"edition": " WHERE state = 'approved'", "template_version": " WHERE state = 'published'"}
    changes = {"edition": "tree = '[]'", "template_version": "reason = 'other'"}
    for table, which in frozen.items():
        for statement in (
            f"UPDATE {table} SET {changes.get(table, 'trust_id = trust_id')}{which}",
            f"DELETE FROM {table}{which}",
        ):
            with superuser.transaction(force_rollback=True), pytest.raises(psycopg.errors.RestrictViolation):
                superuser.execute(statement)


def test_every_key_refuses_another_trusts_row(estate: Estate, superuser: Connection) -> None:
    """Row-level security does not look behind a foreign key: the composite keys do."""
    ours, theirs = estate.ours.world.trust_id, estate.theirs.world.trust_id
    keys = [
        (table.name, column.name, key.referred_table.name, target.column.name)
        for table in METADATA.tables.values()
        for key in table.foreign_key_constraints
        for column, target in zip(key.columns, key.elements, strict=True)
        if column.name != "trust_id" and key.referred_table.name in RULES
    ]
    assert len(keys) > 50
    tried = 0
    for table, column, target, target_column in keys:
        with superuser.transaction(force_rollback=True):
            superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            superuser.execute("SAVEPOINT before")
            try:
                done = superuser.execute(
                    f"UPDATE {table} SET {column} = (SELECT {target_column} FROM {target} WHERE trust_id = %s LIMIT 1)"
                    f" WHERE ctid = (SELECT ctid FROM {table} WHERE trust_id = %s AND {column} IS NOT NULL LIMIT 1)",
                    [theirs, ours],
                )
            except psycopg.errors.ForeignKeyViolation:
                tried += 1
            else:
                assert done.rowcount == 0, f"{table}.{column} took another trust's {target}"
    assert tried > 40


# -- the application on top --------------------------------------------------------------------------------------

UNFILTERED = {"unscoped_because": "this test looks past the application's filters"}


def _titles() -> set[UUID]:
    rows = db.session.execute(text("SELECT trust_id FROM policy"), execution_options=UNFILTERED)
    return set(rows.scalars())


def test_settings_do_not_outlive_their_transaction(estate: Estate) -> None:
    ours, theirs = estate.ours.world.trust_id, estate.theirs.world.trust_id
    server = text("SELECT pg_backend_pid()")
    with estate.app.app_context():
        for _ in range(10):
            with scope(Scope.job(ours)):
                assert _titles() == {ours}
                first = db.session.execute(server, execution_options=UNFILTERED).scalar()
                db.session.commit()
                assert _titles() == {ours}
            assert _titles() == set()
            assert db.session.execute(server, execution_options=UNFILTERED).scalar() == first, (
                "another connection"
            )
            db.session.rollback()
            with scope(Scope.job(theirs)):
                assert _titles() == {theirs}
                db.session.rollback()
                assert _titles() == {theirs}


def test_threads_at_once_keep_to_their_trusts(estate: Estate) -> None:
    trusts = [estate.ours.world.trust_id, estate.theirs.world.trust_id]

    def serve(number: int) -> int:
        wrong = 0
        with estate.app.app_context():
            for turn in range(60):
                mine = trusts[(number + turn) % 2]
                with scope(Scope.job(mine)):
                    wrong += _titles() != {mine}
                    wrong += set(db.session.scalars(select(Edition.trust_id))) != {mine}
                    if turn % 3 == 0:
                        db.session.rollback()
                        wrong += _titles() != {mine}
                wrong += _titles() != set()
                db.session.remove()
        return wrong

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(serve, range(6))) == 0


@pytest.mark.parametrize("role", ["superuser", "migration", "backup"])
def test_a_role_that_could_bypass_is_not_taken(estate: Estate, role: str) -> None:
    url = estate.superuser_url if role == "superuser" else getattr(estate.urls, role)
    app = create_app(replace(estate.app.config["PORTAL"], database_url=sqlalchemy_url(url)))
    with app.app_context():
        with pytest.raises(RuntimeError, match="could pass by row-level security"):
            db.session.execute(select(Trust.id))
        db.session.remove()
        db.engine.dispose()
