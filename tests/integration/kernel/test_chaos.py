"""Killing servers and processes while a policy is being published loses nothing and doubles nothing.

Real processes on servers of their own: PostgreSQL, Valkey, the three workers, the clock with its relay. Each is killed
without warning and started again, Valkey always empty. Judged is what stands in the database when the outbox is empty.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest

from tests.integration.conftest import SECRET, Postbox
from tests.integration.nursery import Nursery
from tests.world import Place, Someone, World
from trustportal import audit
from trustportal.acceptance import services as acceptance
from trustportal.access import Role
from trustportal.app import create_app
from trustportal.config import Settings
from trustportal.db import db
from trustportal.jobs import QUEUES
from trustportal.migrate import upgrade
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.services import approvals, drafts, publishing
from trustportal.servers import Servers, ensure_servers
from trustportal.tenants import services as tenants
from trustportal.times import now, today

ROOT = Path(__file__).resolve().parents[3]
#: Shorter than in earnest, so that what a kill left behind is rung again while somebody waits.
LEASE_SECONDS = 15
TREE: Tree = (
    Clause("why", None, Kind.SECTION, "Why we have this policy", "Accounts speak for {{school.name}}."),
    Clause("accounts", None, Kind.SECTION, "Official accounts"),
    Clause("two", "accounts", Kind.CLAUSE, "", "Every account has two administrators.", Mode.ADAPTABLE),
)


@dataclass
class Installation:
    """A portal of real processes, which can be killed one by one."""

    servers: Servers
    environment: dict[str, str]
    nursery: Nursery
    processes: dict[str, psutil.Process] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    log: Path = Path(os.devnull)

    def start(self, name: str) -> None:
        """Start a clock (`clock`, `clock again`) or a worker by its queue's name."""
        what = ("clock",) if name.startswith("clock") else ("worker", name)
        self.processes[name] = self.nursery.start(
            *what, environment=self.environment, log=self.log, lease=LEASE_SECONDS
        )

    def kill(self, kind: str, *, orphans: bool = False) -> None:
        """Kill without warning and start again. `orphans`: a worker's child that is at work lives on."""
        self.kills[kind] += 1
        if kind == "postgres":
            assert self.servers.postgres is not None
            pid = int((self.servers.postgres.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(
                pid, signal.SIGQUIT
            )  # an immediate stop: no farewell to its clients, and recovery at the start
            wait_for(lambda: not psutil.pid_exists(pid), seconds=20)
            self.servers.mend()
        elif kind == "valkey":
            assert self.servers.valkey is not None
            process = self.servers.valkey.process()
            assert process is not None
            process.kill()
            wait_for(lambda: not process.is_running(), seconds=10)
            self.servers.mend()
        else:
            process_of = self.processes[kind]
            assert process_of.is_running(), f"{kind} has ended by itself"
            if orphans:
                process_of.kill()
            else:
                os.killpg(process_of.pid, signal.SIGKILL)
            process_of.wait(20)
            self.start(kind)

    def serves(self, *queues: str) -> bool:
        """Whether each worker has said that it lives."""
        with psycopg.connect(self.servers.superuser_url("trustportal")) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM heartbeat").fetchall()}
        return names >= {f"worker {queue}" for queue in queues}

    def stop(self) -> None:
        """Kill everything that was started."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def wait_for(condition: Callable[[], object], *, seconds: float, what: str = "it") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {seconds} s"
        time.sleep(0.1)


@pytest.fixture
def installation(
    smtp_server: tuple[str, Postbox], nursery: Nursery, tmp_path: Path
) -> Iterator[Installation]:
    """Servers of its own, migrated. No process runs yet: what is announced waits for them."""
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as var,
        ensure_servers(Path(var), env={}, durable=False) as servers,
    ):
        upgrade(servers.database.migration)
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **servers.environment(),
            "PYTHONPATH": str(ROOT),
            "PUBLIC_URL": "http://portal.example",
            "SECRET_KEY": SECRET,
            "SMTP_URL": smtp_server[0],
            "MAIL_BATCH_SECONDS": "0",
            "VAR": var,
        }
        made = Installation(servers, environment, nursery, log=tmp_path / "processes.log")
        try:
            yield made
        finally:
            made.stop()


@dataclass
class Published:
    """What was published where, and who waits for it."""

    world: World
    schools: list[Place]
    trustees: tuple[Someone, Someone]
    teachers: list[Someone]


def publish_everywhere(installation: Installation, schools: int) -> Published:
    """A trust, its schools and people, a policy approved and published, a campaign to sign it."""
    settings = Settings.from_env(installation.environment)
    app, worker_app = create_app(settings), create_app(settings, role="worker")
    world = World(app, worker_app, name="Larkfield Academies Trust", slug="larkfield")
    places = [world.school(f"School {number}") for number in range(1, schools + 1)]
    teachers = [world.person(f"Teacher {place.short_name}", (Role.STAFF, place)) for place in places]
    trustees = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    header = PolicyHeader(
        "Social media policy", person_responsible="Chief executive", approving_body="Board of trustees"
    )
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor, header=header, numbering=NumberingStyle.DECIMAL, tree=TREE, now=now()
        )
        policy_id, version_id = version.policy_id, version.id
        due_on = today() + timedelta(days=30)
        acceptance.open_campaign(
            actor,
            title="Annual signing",
            academic_year=due_on.year if due_on.month >= 9 else due_on.year - 1,
            policy_ids=[policy_id],
            roles=[Role.STAFF],
            opens_on=today(),
            due_on=due_on,
            now=now(),
            today=today(),
        )
        for place in places:
            newcomer = tenants.add_person(
                actor,
                name=f"Newcomer {place.short_name}",
                email=f"{place.slug}@larkfield.example",
                now=now(),
            )
            tenants.invite(actor, person_id=newcomer.id, now=now())
    _publish(world, trustees, version_id)
    return Published(world, places, trustees, teachers)


def _publish(world: World, trustees: tuple[Someone, Someone], version_id: UUID) -> None:
    """Submit, approve and publish; nothing of what it announces is done yet."""
    with world.acting(world.manager) as actor:
        run = approvals.submit_version(
            actor, version_id=version_id, reason="It is time.", marks={}, now=now()
        )
        run_id, content_hash = run.id, run.content_hash
    for trustee in trustees:
        with world.acting(trustee) as actor:
            approvals.decide(
                actor,
                run_id=run_id,
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=content_hash,
                now=now(),
                today=today(),
            )
    with world.acting(world.manager) as actor:
        publishing.publish_version(
            actor, version_id=version_id, effective_on=today(), decide_by=None, now=now(), today=today()
        )


def undone(installation: Installation) -> list[tuple[Any, ...]]:
    """What the outbox still holds."""
    with psycopg.connect(installation.servers.superuser_url("trustportal")) as connection:
        return connection.execute(
            "SELECT job, attempts, last_error, dispatched_at FROM outbox WHERE done_at IS NULL AND failed_at IS NULL"
        ).fetchall()


def work_off(installation: Installation) -> None:
    """Wait until everything that was announced is done, for as long as anything of it is being done.

    What was taken by somebody who was killed is free again after `LEASE_SECONDS`; how long the rest takes is the
    machine's affair, but standing still for many times as long is a fault.
    """
    before: set[tuple[Any, ...]] = set()
    deadline = time.monotonic()
    while left := undone(installation):
        if (seen := {(row[0], row[1]) for row in left}) != before or len(left) != len(before):
            before, deadline = seen, time.monotonic() + 8 * LEASE_SECONDS
        assert time.monotonic() < deadline, f"nothing more was done of {left}"
        time.sleep(0.2)


def judge(installation: Installation, published: Published) -> None:
    """Nothing lost, nothing doubled."""
    schools = len(published.schools)
    with psycopg.connect(installation.servers.superuser_url("trustportal")) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

        assert ask("SELECT job, attempts, last_error FROM outbox WHERE failed_at IS NOT NULL") == []
        # Editions: one at each school, with its PDF.
        assert ask(
            "SELECT state, major, minor, count(*), count(DISTINCT school_id) FROM edition GROUP BY 1, 2, 3"
        ) == [("approved", 1, 1, schools, schools)]
        assert ask("SELECT count(*) FROM edition WHERE in_force_announced_at IS NULL") == [(0,)]
        stored = ask(
            "SELECT count(*), count(DISTINCT b.hash), bool_and(substr(b.content, 1, 5) = convert_to('%PDF-', 'UTF8'))"
            " FROM edition e JOIN blob b ON b.trust_id = e.trust_id AND b.hash = e.pdf_hash"
        )
        assert stored == [(schools, schools, True)]
        assert ask("SELECT count(*) FROM version_pdf v JOIN blob b ON b.hash = v.blob_hash") == [(1,)]
        assert ask("SELECT count(*) FROM blob") == [(schools + 1,)]
        # Recorded once.
        approved = (
            "SELECT count(*), count(DISTINCT school_id) FROM audit_event WHERE action = 'edition.approved'"
        )
        assert ask(approved) == [(schools, schools)]
        # Everybody who teaches is asked once.
        assert ask("SELECT state, count(*), count(DISTINCT person_id) FROM assignment GROUP BY 1") == [
            ("open", schools, schools)
        ]
        # Everybody is told once, in mails that went.
        doubled = "SELECT person_id, subject, body FROM notice GROUP BY 1, 2, 3 HAVING count(*) > 1"
        assert ask(doubled) == [], ask("SELECT id, job, payload, attempts, created_at, done_at FROM outbox")
        told = Counter(
            name
            for (name,) in ask(
                "SELECT p.name FROM notice n JOIN person p ON p.id = n.person_id"
                " WHERE n.subject NOT LIKE 'The audit trail on %' ORDER BY 1"
            )
        )
        assert told["Nora Network"] == 1, "that it was approved"
        # The trustees were quick: who was asked after they had voted was not asked at all.
        assert max(told["Una Trustee"], told["Vera Trustee"]) <= 1
        invited = ask("SELECT p.name, count(*) FROM mail m JOIN person p ON p.id = m.person_id GROUP BY 1")
        assert {row for row in invited if row[0].startswith("Newcomer")} == {
            (f"Newcomer {place.short_name}", 1) for place in published.schools
        }
        assert ask("SELECT count(*) FROM notice WHERE mail_id IS NULL") == [(0,)]
        assert ask("SELECT DISTINCT state, sent_at IS NOT NULL FROM mail") == [("sent", True)]
        assert ask("SELECT message_id FROM mail GROUP BY 1 HAVING count(*) > 1") == []
    with published.world.looking():
        assert list(audit.verify()) == []


def close(published: Published) -> None:
    for app in (published.world.app, published.world.worker_app):
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def run(
    installation: Installation, postbox: Postbox, *, schools: int, kinds: list[str], pause: float
) -> None:
    chance = random.Random(len(kinds))  # noqa: S311
    published = publish_everywhere(installation, schools)
    close(published)  # connections that the kills would break
    try:
        assert len(undone(installation)) > 20
        for name in (*QUEUES, "clock"):
            installation.start(name)
        wait_for(lambda: installation.serves(*QUEUES), seconds=60, what="a worker")
        chance.shuffle(kinds)
        for number, kind in enumerate(kinds):
            time.sleep(pause * chance.uniform(0.5, 1.5))
            installation.kill(kind, orphans=number % 2 == 0)
        work_off(installation)
        judge(installation, published)
        with psycopg.connect(installation.servers.superuser_url("trustportal")) as connection:
            sent = {row[0] for row in connection.execute("SELECT message_id FROM mail").fetchall()}
        assert {str(mail["Message-ID"]) for mail in postbox.received} == sent
    finally:
        close(published)


def test_three_kills_of_each_kind_lose_nothing(installation: Installation, postbox: Postbox) -> None:
    workers = list(QUEUES)
    run(installation, postbox, schools=4, kinds=["valkey", "postgres", "clock"] * 3 + workers, pause=0.6)
    assert [installation.kills[kind] for kind in ("valkey", "postgres", "clock")] == [3, 3, 3]
    assert sum(installation.kills[queue] for queue in workers) == 3


@pytest.mark.slow
def test_fifty_kills_lose_nothing(installation: Installation, postbox: Postbox) -> None:
    run(
        installation,
        postbox,
        schools=30,
        kinds=["valkey", "postgres", "clock", *QUEUES] * 9,
        pause=1.5,
    )
    assert installation.kills.total() >= 50
