"""`flask --app trustportal.app portal …`: every command works whether the portal is running or not."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn
from uuid import uuid4

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import select

from trustportal import audit
from trustportal.acceptance.services import anchoring
from trustportal.acceptance.services.verifying import verify_all
from trustportal.access import Actor
from trustportal.clock import trust_ids
from trustportal.config import Settings
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.errors import PortalError
from trustportal.kernel_models import AuditHead
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.lint import lint
from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.importing.files import read_file
from trustportal.policies.importing.linting import document_of, printed
from trustportal.policies.importing.reading import to_json
from trustportal.servers import LOGIN_ROLES, database_roles_sql
from trustportal.tenants import services as tenants
from trustportal.tenants.queries import get_actor
from trustportal.times import now, today
from trustportal.workflows.domain.checking import Weight, is_usable
from trustportal.workflows.models import CaseHead
from trustportal.workflows.services import anchoring as case_anchors
from trustportal.workflows.services.defining import check_all

portal = AppGroup("portal", help="Commands of TrustPortal.", short_help="Commands of TrustPortal.")


def _fail(message: str, *, status: int = 1) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(status)


@portal.command("import", with_appcontext=False)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the reading as JSON; nothing is saved.")
def import_file(file: Path, as_json: bool) -> None:
    """Read a policy (Word, PDF or plain text) and print what the importer makes of it.

    Nothing is saved: the portal's page does that.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        _fail(f"{file.name}: {error.strerror or 'cannot be read'}.")
    try:
        reading = to_json(read_file(content, file.name))
    except PortalError as refused:
        _fail(f"{file.name}: {refused.message}")
    if as_json:
        click.echo(json.dumps(reading, ensure_ascii=False, indent=2))
        return
    click.echo(reading["title"])
    for clause in reading["clauses"]:
        first = (
            (clause["heading"] or clause["text"]).splitlines()[0]
            if clause["heading"] or clause["text"]
            else ""
        )
        click.echo(f"{'  ' * clause['depth']}{clause['label']} {first[:90]}".rstrip())
    click.echo(f"\n{len(reading['clauses'])} clauses, {len(reading['uncertain'])} places to look at.")
    for left_out in reading.get("left_out", ()):
        click.echo(f"Left out ({left_out['reason']}): {left_out['text'][:90]}")


@portal.command("lint", with_appcontext=False)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--safeguarding/--not-safeguarding",
    default=None,
    help="Whether the policy is about safeguarding; without it, the title decides.",
)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Judge it as on this day (default: today).")
def lint_file(file: Path, as_json: bool, safeguarding: bool | None, on: datetime | None) -> None:
    """Read a policy and print what is wrong with its text. Nothing is saved.

    Exit status: 0 when nothing would block a submission (warnings and information may be printed), 1 when there is
    an error, 2 when the file cannot be read.
    """
    try:
        reading = read_file(file.read_bytes(), file.name)
    except OSError as error:
        _fail(f"{file.name}: {error.strerror or 'cannot be read'}.", status=2)
    except PortalError as refused:
        _fail(f"{file.name}: {refused.message}", status=2)
    document = document_of(reading, safeguarding=safeguarding)
    findings = lint(document, load_dictionary(), on.date() if on else today())
    if as_json:
        report = {"title": document.title, "findings": [finding.to_json() for finding in findings]}
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        click.echo(printed(document, findings))
    if any(finding.severity is Severity.ERROR for finding in findings):
        sys.exit(1)


@portal.command("database-roles", with_appcontext=False)
def database_roles() -> None:
    """Print the SQL that makes the database and its roles, with fresh passwords, for a server of your own."""
    click.echo(database_roles_sql({role: secrets.token_urlsafe(24) for role in LOGIN_ROLES}))


@portal.command("run", with_appcontext=False)
def run() -> None:
    """Run the portal: servers, migrations, web, workers and clock. Ctrl-C stops it."""
    from trustportal.supervise import run_portal

    sys.exit(run_portal(Settings.from_env()))


@portal.command("migrate", with_appcontext=False)
def migrate() -> None:
    """Bring the database to the form that this version expects."""
    from trustportal.migrate import upgrade

    settings = Settings.from_env()
    if not settings.migration_database_url:
        _fail("Set MIGRATION_DATABASE_URL to the address of the migration role.")
    click.echo("Migrated." if upgrade(settings.migration_database_url) else "Nothing to migrate.")


@contextmanager
def _portal() -> Iterator[Flask]:
    """The portal for a command: with the running servers, or the embedded ones for as long as it needs them."""
    from trustportal.app import create_app
    from trustportal.migrate import upgrade
    from trustportal.servers import ensure_servers

    with ensure_servers(Path(os.environ.get("VAR", "var")), env=os.environ) as servers:
        upgrade(servers.database.migration)
        app = create_app(Settings.from_env({**os.environ, **servers.environment()}), role="worker")
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


@portal.command("verify", with_appcontext=False)
def verify() -> None:
    """Recompute every trust's audit chain and every signature from its record, compare the chains with their daily
    anchors and time stamps, and name what was altered.
    """
    faults = 0
    with _portal() as app:
        settings: Settings = app.config["PORTAL"]
        for trust_id in trust_ids():
            with scope(Scope.job(trust_id)):
                for fault in audit.verify():
                    faults += 1
                    click.echo(f"{trust_id}: link {fault.position}: {fault.what}")
                for verified in verify_all():
                    faults += 1
                    found = " ".join(verified.faults)
                    click.echo(f"{trust_id}: signature {verified.signature.id}: {found}")
                for said in anchoring.verify_anchors(settings):
                    faults += 1
                    click.echo(f"{trust_id}: anchor: {said}")
                for case_id, said in case_anchors.verify_anchors():
                    faults += 1
                    click.echo(f"{trust_id}: case {case_id}: {said}")
                for said in case_anchors.verify_stamps(settings):
                    faults += 1
                    click.echo(f"{trust_id}: cases: {said}")
                if settings.timestamp_url and (day := case_anchors.pending(today())) is not None:
                    click.echo(
                        f"{trust_id}: the time stamp of the cases' anchors up to {day.isoformat()} is pending."
                    )
                for waiting in anchoring.pending():
                    click.echo(f"{trust_id}: the time stamp of {waiting.anchored_on.isoformat()} is pending.")
    if faults:
        sys.exit(1)
    click.echo("Every chain and every signature is whole.")


@portal.command("anchors", with_appcontext=False)
def print_anchors() -> None:
    """Print where every chain stands now, those of cases too: for whoever runs the installation, to keep elsewhere."""
    with _portal():
        for trust_id in trust_ids():
            with scope(Scope.job(trust_id)):
                head = db.session.scalars(select(AuditHead)).one_or_none()
                if head is not None:
                    click.echo(f"{trust_id} {head.position} {bytes(head.hash).hex()}")
                for case in db.session.scalars(select(CaseHead).order_by(CaseHead.case_id)):
                    click.echo(f"{trust_id}/{case.case_id} {case.position} {bytes(case.hash).hex()}")


@portal.command("backup", with_appcontext=False)
@click.argument("file", type=click.Path(path_type=Path))
def make_backup(file: Path) -> None:
    """Write everything into one file: database, stored files, audit chains. The portal may be running."""
    from trustportal import backup
    from trustportal.servers import ensure_servers

    with ensure_servers(Path(os.environ.get("VAR", "var")), env=os.environ) as servers:
        if not servers.database.backup:
            _fail("Set BACKUP_DATABASE_URL to the address of the backup role.")
        programs = servers.postgres.programs if servers.postgres else None
        try:
            made = backup.make(servers.database.backup, file, programs=programs)
        except PortalError as failed:
            _fail(failed.message)
    rows = sum(number for table in made.rows.values() for number in table.values())
    click.echo(
        f"{file}: {len(made.rows['trust'])} trusts, {rows} rows."
        " Keep it where the portal's machine cannot take it along, and SECRET_KEY with it."
    )


@portal.command("restore", with_appcontext=False)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--into", "into", help="A superuser's address of an empty database, on a server of your own.")
def restore_backup(file: Path, into: str | None) -> None:
    """Put a backup beside the present database, check it, and let it take the place. The portal must be stopped."""
    from trustportal import backup
    from trustportal.migrate import knows
    from trustportal.servers import ServersFailed, ensure_servers
    from trustportal.supervise import only_one

    var = Path(os.environ.get("VAR", "var"))
    if os.environ.get("DATABASE_URL") and not into:
        _fail(
            "DATABASE_URL names a server of your own: make an empty database there with `portal database-roles`"
            " and name it with --into."
        )
    try:
        with TemporaryDirectory() as folder:
            manifest, dump = backup.unpack(file, Path(folder))
            if not knows(manifest.revision):
                _fail(f"{file.name} was made by a newer version of TrustPortal. Update this one first.")
            if into:
                held, before = backup.restore(manifest, dump, into), ""
            else:
                with only_one(var), ensure_servers(var, env={}) as servers:
                    assert servers.postgres is not None
                    try:
                        held = backup.restore(
                            manifest,
                            dump,
                            servers.empty_database(backup.BESIDE),
                            programs=servers.postgres.programs,
                        )
                        before = servers.put_in_place(backup.BESIDE)
                    finally:
                        servers.drop_database(backup.BESIDE)
    except (PortalError, ServersFailed) as failed:
        _fail(str(failed))
    click.echo(
        f"Restored what was backed up at {manifest.made_at}; every row, file and audit chain was checked."
    )
    if before:
        click.echo(f"The database before it is kept as {before} until the next restore.")
    if held:
        click.echo(f"{held} mails of that time are held. `portal release-mail` lets them go.")


@portal.command("release-mail", with_appcontext=False)
@click.option("--into", "into", help="A superuser's address of the database, on a server of your own.")
def release_mail(into: str | None) -> None:
    """Let go the mail that a restore has held."""
    from trustportal import backup
    from trustportal.servers import ensure_servers

    if os.environ.get("DATABASE_URL") and not into:
        _fail("DATABASE_URL names a server of your own: name the database with --into.")
    if into:
        released = backup.release_mail(into)
    else:
        with ensure_servers(Path(os.environ.get("VAR", "var")), env={}) as servers:
            released = backup.release_mail(servers.superuser_url(backup.PORTAL))
    click.echo(f"{released} mails are on their way.")


@portal.group("workflows")
def workflows() -> None:
    """What cases follow."""


@workflows.command("check", with_appcontext=False)
def check_workflows() -> None:
    """Check every workflow of every trust: a line each, and what is wrong below it."""
    checked = wrong = 0
    with _portal():
        for trust_id in trust_ids():
            with scope(Scope.job(trust_id)):
                for key, number, title, findings in check_all(today=today()):
                    usable = is_usable(findings)
                    checked += 1
                    wrong += not usable
                    click.echo(
                        f"{trust_id}: {key} {number} ({title}): {'in order' if usable else 'falls short'}"
                    )
                    for one in findings:
                        mark = "error" if one.weight is Weight.ERROR else "to think about"
                        click.echo(f"    {mark}: {one.words}")
    click.echo(f"{checked} checked, {wrong} fall short.")
    if wrong:
        sys.exit(1)


@portal.command("create-trust", with_appcontext=False)
@click.option("--name", required=True, help="The trust's name.")
@click.option("--slug", required=True, help="Its name in addresses: small letters, digits, hyphens.")
@click.option("--manager-name", required=True, help="The first network manager.")
@click.option("--manager-email", required=True, help="Where the invitation goes.")
def create_trust(name: str, slug: str, manager_name: str, manager_email: str) -> None:
    """Found a trust and invite its first network manager."""
    trust_id = uuid4()
    with _portal():
        try:
            with scope(Scope.job(trust_id)), unit_of_work():
                founded = tenants.create_trust(
                    Actor.portal(trust_id),
                    name=name,
                    slug=slug,
                    manager_name=manager_name,
                    manager_email=manager_email,
                    now=now(),
                    today=today(),
                )
                manager = get_actor(founded.manager_id, on=today())
                tenants.invite(manager, person_id=founded.manager_id, now=now())
        except PortalError as refused:
            _fail(refused.message)
    click.echo(f"{name} is founded; the invitation to {manager_email} is on its way.")


@portal.command("routes", with_appcontext=False)
def routes() -> None:
    """Print every address and who may use it."""
    with _portal() as app:
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
            access = getattr(app.view_functions[rule.endpoint], "access", None)
            if access is not None:
                said = "public" if access.public else ", ".join(access.permission) or "everybody signed in"
                click.echo(f"{rule.rule}  {said}")


def install(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(portal)
