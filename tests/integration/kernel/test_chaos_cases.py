"""Killing servers and processes while cases run: every letter, reminder and escalation once, none missing; two clocks.

What was sent and decided waits in the outbox when the processes start. Judged is what stands in the database when it is
empty.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from tests.integration.conftest import Postbox
from tests.integration.kernel.test_chaos import Installation, installation, undone, wait_for, work_off
from tests.integration.workflows.conftest import Office
from tests.world import World
from trustportal.app import create_app
from trustportal.config import Settings
from trustportal.db import db, unit_of_work
from trustportal.jobs import QUEUES, Event
from trustportal.times import now, today
from trustportal.workflows import chain
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.models import CaseDeadline
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import acting, starting

__all__ = ["installation"]


@dataclass
class Running:
    """Cases, by what is going on with them when the processes start."""

    office: Office
    #: Sent, and not opened yet.
    sent: list[UUID] = field(default_factory=list)
    #: Approved, and no letter printed yet.
    approved: list[UUID] = field(default_factory=list)
    #: Late: a reminder and an escalation are due.
    late: list[UUID] = field(default_factory=list)


def cases_under_way(installation: Installation, count: int) -> Running:
    """A school in which `count` cases of each kind are going on; what follows from it waits in the outbox."""
    settings = Settings.from_env(installation.environment)
    world = World(
        create_app(settings), create_app(settings, role="worker"), name="Larkfield Trust", slug="larkfield"
    )
    office = Office(world)
    found = Running(office)
    found.late = [office.send(site_name=f"Late {number}") for number in range(count)]
    found.approved = [office.send(site_name=f"Approved {number}") for number in range(count)]
    for case_id in found.approved:
        office.act(office.leader, case_id, "sign")
    with office.behind(), unit_of_work() as uow:
        for row in db.session.scalars(
            select(CaseDeadline).where(CaseDeadline.case_id.in_(found.late), CaseDeadline.ended_at.is_(None))
        ):
            row.due_on = today() - timedelta(days=2)
        # The same morning twice: whoever is reminded is reminded once.
        for _ in range(2):
            uow.announce(Event.DEADLINES_DUE, slot=today().isoformat())
    with world.acting(office.head) as actor:
        for case_id in found.approved:
            acting.act(actor, case_id=case_id, action="approve", given=Given(confirmed=True), now=now())
    with world.acting(office.teacher) as actor:
        for number in range(count):
            form = office.form(site_name=f"Sent {number}")
            found.sent.append(
                starting.send(
                    actor, school_id=office.school.id, key="site-approval", given=form, now=now()
                ).id
            )
    return found


def judge(installation: Installation, running: Running) -> None:
    """Nothing lost, nothing doubled."""
    count = len(running.sent)
    with psycopg.connect(installation.servers.superuser_url("trustportal")) as connection:

        def ask(query: str, *values: Any) -> list[tuple[Any, ...]]:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

        assert ask("SELECT job, attempts, last_error FROM outbox WHERE failed_at IS NOT NULL") == []
        # Every form that was sent is a case, which one person has.
        assert ask("SELECT count(*) FROM case_intake") == [(0,)]
        assert ask("SELECT count(*) FROM workflow_case") == [(3 * count,)]
        holders = (
            "SELECT t.case_id, count(*) FROM case_task t JOIN case_assignee a ON a.task_id = t.id"
            " WHERE t.ended_at IS NULL AND a.until_at IS NULL GROUP BY 1"
        )
        assert sorted(ask(holders)) == sorted((case_id, 1) for case_id in (*running.sent, *running.late))
        # Every letter and form, printed, once; and an account for each that was approved.
        papers = "SELECT case_id, key, count(*) FROM case_document WHERE pdf IS NOT NULL GROUP BY 1, 2"
        assert sorted(ask(papers)) == sorted(
            (case_id, key, 1) for case_id in running.approved for key in ("approval", "form")
        )
        assert ask("SELECT count(*) FROM case_document WHERE pdf IS NULL") == [(0,)]
        assert ask("SELECT count(*), count(DISTINCT case_id) FROM register_entry") == [(count, count)]
        # Reminded once, escalated once, and the one above told once.
        clocked = (
            "SELECT case_id, action, count(*) FROM case_event"
            " WHERE action IN ('reminded', 'overdue') GROUP BY 1, 2"
        )
        assert sorted(ask(clocked)) == sorted(
            (case_id, action, 1) for case_id in running.late for action in ("overdue", "reminded")
        )
        told = "SELECT person_id, path, subject, count(*) FROM notice GROUP BY 1, 2, 3 HAVING count(*) > 1"
        assert ask(told) == []
        late = "SELECT count(*) FROM notice WHERE person_id = %s AND subject LIKE '%%late since%%'"
        assert ask(late, running.office.head.id) == [(count,)], "escalated"
        assert ask("SELECT count(*) FROM notice WHERE mail_id IS NULL") == [(0,)]
        assert ask("SELECT DISTINCT state FROM mail") == [("sent",)]
        assert ask("SELECT message_id FROM mail GROUP BY 1 HAVING count(*) > 1") == []
        # Two clocks, one run of each slot: no job of a slot was announced twice, but for the morning that we doubled.
        slots = (
            "SELECT job, payload ->> 'slot', count(*) FROM outbox WHERE event = 'day.began'"
            " GROUP BY 1, 2 HAVING count(*) > 1"
        )
        assert ask(slots) == []
        assert ask("SELECT count(*) > 0 FROM schedule_run WHERE name = 'day'") == [(True,)]
    with running.office.behind():
        seal = Seal.of_trust()
        for case_id in (*running.sent, *running.approved, *running.late):
            assert list(chain.verify(seal, case_id)) == []


def close(running: Running) -> None:
    for app in (running.office.world.app, running.office.world.worker_app):
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def run(installation: Installation, postbox: Postbox, *, count: int, kinds: list[str], pause: float) -> None:
    chance = random.Random(len(kinds))  # noqa: S311
    running = cases_under_way(installation, count)
    before = len(postbox.received)
    close(running)
    try:
        assert len(undone(installation)) >= 4 * count
        for name in (*QUEUES, "clock", "clock again"):
            installation.start(name)
        wait_for(lambda: installation.serves(*QUEUES), seconds=60, what="a worker")
        chance.shuffle(kinds)
        for number, kind in enumerate(kinds):
            time.sleep(pause * chance.uniform(0.5, 1.5))
            installation.kill(kind, orphans=number % 2 == 0)
        work_off(installation)
        judge(installation, running)
        with psycopg.connect(installation.servers.superuser_url("trustportal")) as connection:
            sent = {row[0] for row in connection.execute("SELECT message_id FROM mail").fetchall()}
        assert {str(mail["Message-ID"]) for mail in postbox.received[before:]} <= sent
        assert {str(mail["Message-ID"]) for mail in postbox.received} == sent
    finally:
        close(running)


def test_three_kills_while_cases_run_lose_nothing(installation: Installation, postbox: Postbox) -> None:
    run(installation, postbox, count=2, kinds=["valkey", "postgres", "default"], pause=0.8)
    assert installation.kills.total() == 3


@pytest.mark.slow
def test_fifty_kills_while_cases_run_lose_nothing(installation: Installation, postbox: Postbox) -> None:
    kinds = ["valkey", "postgres", "clock", "clock again", *QUEUES] * 8
    run(installation, postbox, count=30, kinds=kinds, pause=1.5)
    assert installation.kills.total() >= 50
