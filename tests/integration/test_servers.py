"""The portal's own servers: started, joined while they run, taken over from a killed process, and let go of.

Each story runs on servers of its own in a temporary folder, apart from the ones that the other tests share.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from psycopg import errors

from trustportal.servers import (
    LOGIN_ROLES,
    Servers,
    ServersFailed,
    database_roles_sql,
    ensure_servers,
    postgres,
)
from trustportal.servers.place import Place
from trustportal.servers.postgres import SYSTEM_FOLDER
from trustportal.servers.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from trustportal.servers import ensure_servers
with ensure_servers(Path(sys.argv[1]), env={}, durable=False) as servers:
    print(servers.database.web, flush=True)
    sys.stdin.readline()
"""


def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        found = connection.execute(sql)
        return found.fetchall() if found.description else []


def running(servers: Servers) -> bool:
    assert servers.postgres is not None
    assert servers.valkey is not None
    return servers.postgres.answers() or servers.valkey.answers()


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "var"
    yield folder
    record = folder / "servers.json"
    home = json.loads(record.read_text()).get("home") if record.exists() else None
    if home is not None:
        assert Path(home).is_relative_to(SYSTEM_FOLDER)
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("servers")
    with ensure_servers(folder, env={}, durable=False) as servers:
        yield servers
    home = json.loads((folder / "servers.json").read_text()).get("home")
    if home is not None:
        shutil.rmtree(home)


def holder(var: Path) -> subprocess.Popen[str]:
    """Another process that uses the servers of `var` until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(var)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://trustportal_app:")
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


# -- starting, stopping, sharing ---------------------------------------------------------------------------------


def test_data_is_kept_and_nothing_stays_running(var: Path) -> None:
    with ensure_servers(var, env={}, durable=False) as first:
        rows(first.database.migration, "CREATE TABLE kept (word text)")
        rows(first.database.migration, "INSERT INTO kept VALUES ('still here')")
    assert not running(first)
    with ensure_servers(var, env={}, durable=False) as second:
        assert rows(second.database.migration, "SELECT word FROM kept") == [("still here",)]
        assert second.database == first.database
    assert not running(second)


def test_data_in_memory_goes_with_the_last_who_uses_it(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ensure_servers(var, env={}, durable=False, in_memory=True) as first:
        rows(first.database.migration, "CREATE TABLE kept (word text)")
        with ensure_servers(var, env={}, durable=False, in_memory=True) as second:
            assert rows(second.database.migration, "SELECT count(*) FROM kept") == [(0,)]
        assert rows(first.database.migration, "SELECT count(*) FROM kept") == [(0,)]
    assert not running(first)
    assert first.postgres is not None
    if postgres.MEMORY_FOLDER in first.postgres.data.parents:
        assert not first.postgres.data.parent.exists()
    # Where there is too little room it lies on the disk, and is kept.
    monkeypatch.setattr(postgres, "MEMORY_NEEDED", 2**60)
    with ensure_servers(var, env={}, durable=False, in_memory=True) as third:
        assert third.postgres is not None
        assert postgres.MEMORY_FOLDER not in third.postgres.data.parents
        assert rows(third.database.web, "SELECT 1") == [(1,)]
    assert third.postgres.data.exists()


def test_a_place_that_lies_in_memory_keeps_its_data(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was laid there for passing is removed."""
    where = SYSTEM_FOLDER if os.geteuid() == 0 else var.parent
    monkeypatch.setattr(postgres, "MEMORY_FOLDER", where)
    with ensure_servers(var, env={}, durable=False) as first:
        rows(first.database.migration, "CREATE TABLE kept (word text)")
    assert first.postgres is not None
    assert first.postgres.data.exists()
    with ensure_servers(var, env={}, durable=False) as second:
        assert rows(second.database.migration, "SELECT count(*) FROM kept") == [(0,)]


def test_a_second_command_joins_and_does_not_stop_what_another_uses(var: Path) -> None:
    portal = holder(var)
    with ensure_servers(var, env={}, durable=False) as command:
        assert rows(command.database.web, "SELECT 1") == [(1,)]
    assert rows(command.database.web, "SELECT 1") == [(1,)]
    let_go(portal)
    assert not running(command)


def test_the_one_who_started_may_leave_first(var: Path) -> None:
    with ensure_servers(var, env={}, durable=False):
        other = holder(var)
    assert rows(as_a_third_process(var).database.web, "SELECT 1") == [(1,)]
    let_go(other)


def as_a_third_process(var: Path) -> Servers:
    """The servers as a third process sees them, let go of again."""
    with ensure_servers(var, env={}, durable=False) as seen:
        return seen


def test_two_that_start_at_once_share_one_server(var: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(var)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    urls = []
    for process in both:
        assert process.stdout is not None
        urls.append(process.stdout.readline())
    assert urls[0] == urls[1] != ""
    assert rows(urls[0].strip(), "SELECT 1") == [(1,)]
    for process in both:
        let_go(process)


# -- killed processes --------------------------------------------------------------------------------------------


def test_servers_of_a_killed_process_are_taken_over(var: Path) -> None:
    portal = holder(var)
    portal.kill()
    portal.communicate()
    assert psutil.pid_exists(server_process(var))
    with ensure_servers(var, env={}, durable=False) as next_start:
        assert rows(next_start.database.web, "SELECT 1") == [(1,)]
    assert not running(next_start)


def server_process(var: Path) -> int:
    record = json.loads((var / "servers.json").read_text())
    data = next(Path(record.get("home", var)).glob("postgresql-*/postmaster.pid"))
    return int(data.read_text().split()[0])


def test_everything_killed_at_once_starts_again_with_its_data(var: Path) -> None:
    with ensure_servers(var, env={}) as kept:  # durable: this is what it is for
        rows(kept.database.migration, "CREATE TABLE kept AS SELECT 7 AS number")
    portal = holder(var)
    assert kept.valkey is not None
    valkey = kept.valkey.process()
    assert valkey is not None
    portal.kill()
    valkey.kill()
    for process in psutil.Process(server_process(var)).children():
        with suppress(psutil.NoSuchProcess):  # the server lets helpers of its own go at any time
            process.kill()
    os.kill(server_process(var), signal.SIGKILL)
    portal.communicate()
    with ensure_servers(var, env={}) as again:
        assert rows(again.database.migration, "SELECT number FROM kept") == [(7,)]
        assert redis.Redis.from_url(again.redis_url).ping()
    assert not running(again)


def test_an_interrupted_set_up_is_done_again(var: Path) -> None:
    with ensure_servers(var, env={}, durable=False) as servers:
        # What a Ctrl-C between making the roles and naming the database leaves behind.
        rows(servers.superuser_url(), "ALTER DATABASE trustportal RENAME TO trustportal_making")
    with ensure_servers(var, env={}, durable=False) as servers:
        assert rows(servers.database.web, "SELECT current_database()") == [("trustportal",)]
        assert (
            rows(servers.superuser_url(), "SELECT 1 FROM pg_database WHERE datname = 'trustportal_making'")
            == []
        )


def test_a_server_that_dies_is_mended_at_the_same_address(servers: Servers) -> None:
    assert servers.mend() == []
    assert servers.valkey is not None
    process = servers.valkey.process()
    assert process is not None
    redis.Redis.from_url(servers.redis_url).set("word", "gone with the server")
    process.kill()
    assert servers.mend() == ["Valkey"]
    assert servers.mend() == []
    assert redis.Redis.from_url(servers.redis_url).get("word") is None


def test_postgresql_that_dies_is_mended_with_what_was_committed(servers: Servers) -> None:
    rows(servers.database.migration, "CREATE TABLE committed AS SELECT 1 AS number")
    assert servers.postgres is not None
    rows_before = rows(servers.database.migration, "SELECT number FROM committed")
    process = int((servers.postgres.data / "postmaster.pid").read_text().split()[0])
    os.kill(process, signal.SIGQUIT)  # PostgreSQL's immediate stop
    psutil.wait_procs([psutil.Process(process)] if psutil.pid_exists(process) else [], timeout=10)
    assert servers.mend() == ["PostgreSQL"]
    assert rows(servers.database.migration, "SELECT number FROM committed") == rows_before == [(1,)]


def test_a_checkout_that_was_moved_while_its_servers_ran(tmp_path: Path, var: Path) -> None:
    portal = holder(var)
    portal.kill()
    portal.communicate()
    moved = tmp_path / "moved" / "var"
    moved.parent.mkdir()
    var.rename(moved)
    with ensure_servers(moved, env={}, durable=False) as servers:
        assert rows(servers.database.web, "SELECT 1") == [(1,)]
    assert not running(servers)
    moved.rename(var)


def test_a_deep_checkout_that_was_moved_leaves_no_server_and_no_folder_behind(tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-a-long-name/" * 6)
    portal = holder(deep / "var")
    before = Valkey.at(Place(deep / "var"))
    portal.kill()
    portal.communicate()
    assert before.answers()
    moved = tmp_path / "moved"
    deep.rename(moved)
    with ensure_servers(moved / "var", env={}, durable=False) as servers:
        assert not before.answers()
        assert not before.folder.exists()
        assert rows(servers.database.web, "SELECT 1") == [(1,)]
    assert not running(servers)
    home = json.loads((moved / "var" / "servers.json").read_text()).get("home")
    if home is not None:
        shutil.rmtree(home)


# -- who may do what ---------------------------------------------------------------------------------------------


def test_nobody_else_on_the_machine_can_reach_the_servers(servers: Servers) -> None:
    assert servers.postgres is not None
    assert servers.valkey is not None
    for folder in (servers.postgres.data, servers.postgres.sockets, servers.valkey.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert stat.S_IMODE(servers.place.record_path.stat().st_mode) == 0o600
    assert rows(servers.superuser_url(), "SHOW listen_addresses") == [("",)]
    assert redis.Redis.from_url(servers.redis_url).config_get("port") == {"port": "0"}


def test_a_password_is_asked_for(servers: Servers) -> None:
    address = servers.database.web
    wrong = address.replace(servers.passwords["trustportal_app"], "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        rows(wrong, "SELECT 1")


@pytest.mark.parametrize("role", ["web", "worker"])
def test_web_and_workers_own_nothing_and_cannot_get_past_row_level_security(
    servers: Servers, role: str
) -> None:
    name = f"powers_{role}"
    servers.template("trustportal_template_powers", prepare=_one_guarded_table)
    urls = servers.fresh_database(name, template="trustportal_template_powers")
    url = getattr(urls, role)
    powers = (
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert rows(url, powers) == [(False, False, False, False)]
    assert rows(urls.backup, "SELECT word FROM guarded") == [("seen only past the policy",)]
    assert rows(url, "SELECT word FROM guarded") == []
    for forbidden in (
        "CREATE TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (a int)",
        "ALTER TABLE guarded DISABLE ROW LEVEL SECURITY",
        "DROP TABLE guarded",
        "SET ROLE trustportal_owner",
        "SET ROLE trustportal_definer",
        "SET ROLE trustportal_worker" if role == "web" else "SET ROLE trustportal_app",
        "SELECT passed_by()",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            rows(url, forbidden)
    servers.drop_database(name)


def _one_guarded_table(migration_url: str) -> None:
    for line in (
        "CREATE TABLE guarded (word text)",
        "INSERT INTO guarded VALUES ('seen only past the policy')",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
        "CREATE POLICY nobody ON guarded USING (false)",
        "GRANT SELECT ON guarded TO trustportal_app, trustportal_worker, trustportal_definer",
        "CREATE FUNCTION passed_by() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'TABLE public.guarded'",
        "ALTER FUNCTION passed_by() SET search_path = pg_catalog",
        "ALTER FUNCTION passed_by() OWNER TO trustportal_definer",
    ):
        rows(migration_url, line)


def test_a_function_of_the_definer_reads_past_the_policy_for_those_it_was_granted_to(
    servers: Servers,
) -> None:
    servers.template("trustportal_template_powers", prepare=_one_guarded_table)
    urls = servers.fresh_database("definer", template="trustportal_template_powers")
    rows(urls.migration, "GRANT EXECUTE ON FUNCTION passed_by() TO trustportal_worker")
    assert rows(urls.worker, "SELECT passed_by()") == [("seen only past the policy",)]
    with pytest.raises(errors.InsufficientPrivilege):
        rows(urls.web, "SELECT passed_by()")


def test_migrations_act_as_the_owner(servers: Servers) -> None:
    rows(servers.database.migration, "CREATE TABLE made_by_a_migration (a int)")
    owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'made_by_a_migration'"
    assert rows(servers.superuser_url("trustportal"), owner) == [("trustportal_owner",)]


def test_only_our_roles_enter_the_database(servers: Servers) -> None:
    rows(servers.superuser_url(), "DROP ROLE IF EXISTS visitor")
    rows(servers.superuser_url(), "CREATE ROLE visitor LOGIN PASSWORD 'visitor'")
    url = servers.superuser_url("trustportal").replace(
        f"postgres:{servers.passwords['superuser']}", "visitor:visitor"
    )
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        rows(url, "SELECT 1")


# -- named servers -----------------------------------------------------------------------------------------------


def test_the_printed_sql_makes_the_same_roles_on_a_server_of_ones_own(
    servers: Servers, tmp_path: Path
) -> None:
    assert servers.postgres is not None
    script = tmp_path / "roles.sql"
    passwords = {role: servers.passwords[role] for role in LOGIN_ROLES}
    script.write_text(database_roles_sql(passwords, database="elsewhere"))
    psql = servers.postgres.programs / "psql"
    for _ in range(2):  # again changes nothing
        done = subprocess.run(
            [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, servers.superuser_url()],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    urls = servers.urls("elsewhere")
    assert rows(urls.migration, "SELECT current_user::text") == [("trustportal_owner",)]
    with pytest.raises(errors.InsufficientPrivilege):
        rows(urls.web, "CREATE TABLE mine (a int)")
    servers.drop_database("elsewhere")


def test_named_servers_are_used_as_they_are(tmp_path: Path) -> None:
    env = {
        "DATABASE_URL": "postgresql://web@database.example/portal",
        "WORKER_DATABASE_URL": "postgresql://worker@database.example/portal",
        "MIGRATION_DATABASE_URL": "postgresql://migrator@database.example/portal",
        "REDIS_URL": "redis://queue.example:6379/0",
    }
    with ensure_servers(tmp_path / "var", env=env) as named:
        assert named.environment() == env
        assert named.mend() == []


def test_a_named_database_needs_all_its_roles(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://web@database.example/portal"}
    with (
        pytest.raises(ServersFailed, match="WORKER_DATABASE_URL and MIGRATION_DATABASE_URL"),
        ensure_servers(tmp_path / "var", env=env),
    ):
        pass


def test_a_socket_folder_is_short_enough_however_deep_the_checkout(tmp_path: Path) -> None:
    deep = tmp_path / ("a-folder-with-a-long-name/" * 6) / "var"
    folder = Place(deep).socket_folder("valkey")
    assert len(str(folder)) <= 80
    assert folder == Place(deep).socket_folder("valkey")
    folder.rmdir()
