"""Backup and restore: nothing that was there is lost, a wrong file never restores, and no mail goes out twice."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from tests.integration.conftest import Postbox
from tests.integration.nursery import Nursery
from tests.integration.policies import given
from tests.world import World
from trustportal import audit, backup, blobs, jobs
from trustportal.app import create_app
from trustportal.backup import BackupFailed
from trustportal.config import Settings
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.policies.models import TemplateVersion
from trustportal.servers import DatabaseUrls, Servers, ensure_servers
from trustportal.tenants import services
from trustportal.times import now

ROOT = Path(__file__).resolve().parents[3]
OUR_OWN = f"restored_{os.getpid()}"


@pytest.fixture
def programs(servers: Servers) -> Path:
    assert servers.postgres is not None
    return servers.postgres.programs


@pytest.fixture
def empty(servers: Servers) -> Iterator[str]:
    """A superuser's address of an empty database."""
    yield servers.empty_database(OUR_OWN)
    servers.drop_database(OUR_OWN)


@pytest.fixture
def backed_up(
    world: World, other_world: World, database: DatabaseUrls, tmp_path: Path, programs: Path
) -> Path:
    """A backup of two trusts, one of them with a policy and a stored file, the other with an invitation to be sent."""
    given.social(world)
    given.run_quick_jobs(world)
    with world.looking(), unit_of_work():
        blobs.put(b"a stored file", "text/plain")
    with other_world.acting(other_world.manager) as actor:
        person = services.add_person(actor, name="New Person", email="new@brookside.example", now=now())
        services.invite(actor, person_id=person.id, now=now())
    file = tmp_path / "night.backup"
    backup.make(database.backup, file, programs=programs)
    return file


def restored(file: Path, folder: Path, url: str, programs: Path) -> int:
    return backup.restore(*backup.unpack(file, folder), url, programs=programs)


def test_everything_comes_back(
    world: World,
    other_world: World,
    settings: Settings,
    servers: Servers,
    backed_up: Path,
    empty: str,
    tmp_path: Path,
    programs: Path,
) -> None:
    assert backed_up.stat().st_mode & 0o077 == 0, "nobody else may read it"
    restored(backed_up, tmp_path, empty, programs)

    app = create_app(replace(settings, database_url=as_sqlalchemy(servers.urls(OUR_OWN).web)))
    with app.app_context():
        with scope(Scope.job(world.trust_id)):
            assert len(db.session.scalars(select(TemplateVersion)).all()) == 1
            assert list(audit.verify()) == []
        with scope(Scope.job(other_world.trust_id)):
            assert db.session.scalars(select(TemplateVersion)).all() == []
        with scope(Scope.job(other_world.trust_id)):
            assert list(audit.verify()) == []
        db.session.remove()
        db.engine.dispose()


def as_sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def test_mail_of_that_time_is_held_until_somebody_lets_it_go(
    other_world: World,
    settings: Settings,
    servers: Servers,
    backed_up: Path,
    empty: str,
    tmp_path: Path,
    programs: Path,
    postbox: Postbox,
) -> None:
    held = restored(backed_up, tmp_path, empty, programs)
    assert held >= 1
    worker = create_app(
        replace(settings, worker_database_url=as_sqlalchemy(servers.urls(OUR_OWN).worker)), role="worker"
    )

    def send() -> None:
        with worker.app_context():
            with scope(Scope.job(other_world.trust_id)):
                jobs.run_inline()
            db.session.remove()
            db.engine.dispose()

    postbox.received.clear()
    send()
    assert postbox.to("new@brookside.example") == []
    assert backup.release_mail(empty) == held
    send()
    assert len(postbox.to("new@brookside.example")) == 1


def test_what_is_not_whole_is_refused(backed_up: Path, empty: str, tmp_path: Path, programs: Path) -> None:
    def refused(content: bytes, why: str) -> None:
        wrong = tmp_path / "wrong.backup"
        wrong.write_bytes(content)
        with pytest.raises(BackupFailed, match=why):
            backup.unpack(wrong, tmp_path)

    whole = backed_up.read_bytes()
    refused(b"", "not a backup")
    refused(b"PGDMP and something else", "not a backup")
    refused(whole[: len(whole) // 2], "not a backup")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    refused(bytes(flipped), "damaged")

    other = tmp_path / "other.backup"
    with zipfile.ZipFile(backed_up) as archive, zipfile.ZipFile(other, "w") as copy:
        copy.writestr("manifest.json", archive.read("manifest.json").replace(b"backup-1", b"backup-9"))
        copy.writestr("database.dump", archive.read("database.dump"))
    with pytest.raises(BackupFailed, match="another version"):
        backup.unpack(other, tmp_path)
    with pytest.raises(BackupFailed, match="does not exist"):
        backup.unpack(tmp_path / "nothing", tmp_path)


def test_a_database_in_use_is_not_restored_into(
    backed_up: Path, database: DatabaseUrls, tmp_path: Path, programs: Path
) -> None:
    with pytest.raises(BackupFailed, match="not empty"):
        restored(backed_up, tmp_path, database.backup, programs)


def test_a_backup_never_replaces_a_file_and_needs_the_right_role(
    backed_up: Path, database: DatabaseUrls, tmp_path: Path, programs: Path
) -> None:
    with pytest.raises(BackupFailed, match="exists already"):
        backup.make(database.backup, backed_up, programs=programs)
    with pytest.raises(BackupFailed, match="does not see"):
        backup.make(database.web, tmp_path / "empty.backup", programs=programs)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["night.backup"]


HARM = {
    "DELETE FROM standing": "standing: ",
    "UPDATE blob SET content = content || '\\x00'": "stored file",
    "UPDATE audit_payload SET payload = replace(payload, 'e', 'f')": "the payload was changed",
    "DELETE FROM audit_event WHERE position = 3": "links 3 to 3 are missing",
    "ALTER TABLE policy NO FORCE ROW LEVEL SECURITY": "policy: row-level security is not on",
}


def test_what_a_restore_would_miss_is_named(
    backed_up: Path, empty: str, tmp_path: Path, programs: Path
) -> None:
    manifest, dump = backup.unpack(backed_up, tmp_path)
    backup.restore(manifest, dump, empty, programs=programs)
    for harm, found in HARM.items():
        with psycopg.connect(empty) as connection:
            connection.execute("SET session_replication_role = replica")  # the triggers would refuse it
            connection.execute(harm)  # type: ignore[call-overload]
            faults = "\n".join(backup.check(connection, manifest))
            connection.rollback()
        assert found in faults, harm


def test_the_commands_bring_back_what_was(nursery: Nursery, tmp_path: Path) -> None:
    """On the portal's own servers: what was founded after the backup is gone, and kept aside."""
    var, file = tmp_path / "var", tmp_path / "night.backup"
    environment = {**os.environ, "VAR": str(var), "PYTHONPATH": str(ROOT)}

    def portal(*arguments: str) -> subprocess.CompletedProcess[str]:
        return nursery.command(*arguments, environment=environment)

    def found(slug: str) -> None:
        done = portal(
            *("create-trust", "--name", f"{slug.title()} Trust", "--slug", slug),
            *("--manager-name", "Nora Network", "--manager-email", f"nora@{slug}.example"),
        )
        assert done.returncode == 0, done.stderr

    # They run meanwhile, as they do beside a portal: no command has to start and stop them.
    with ensure_servers(var, env={}, durable=False):
        found("larkfield")
        done = portal("backup", str(file))
        assert done.returncode == 0, done.stderr
        assert "1 trusts" in done.stdout
        found("brookside")

        # As it is typed.
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "trustportal.app", "portal", "restore", str(file)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "trustportal_before" in done.stdout
        assert "mails of that time are held" in done.stdout
        done = portal("release-mail")
        assert done.returncode == 0, done.stderr
        found("brookside")  # its name is free again
        done = portal("restore", str(tmp_path / "nothing.backup"))
        assert done.returncode == 1
        assert "does not exist" in done.stderr
