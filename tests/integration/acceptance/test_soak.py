"""The first week of September: five thousand people of one trust sign, forty at once, at two web workers.

Their school is planned again and again meanwhile, as it is when roles change.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import queue
import re
import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg
import pytest
from itsdangerous import URLSafeTimedSerializer
from psycopg.types.json import Jsonb
from sqlalchemy import func, select

from tests.bench.measuring import served
from tests.integration.conftest import SECRET
from tests.world import World
from trustportal import audit
from trustportal.acceptance import services
from trustportal.acceptance.models import Assignment, Campaign, Signature
from trustportal.acceptance.queries import progress
from trustportal.acceptance.queries.progress import Tally
from trustportal.acceptance.services.verifying import verify_all
from trustportal.access import Role
from trustportal.config import Settings
from trustportal.db import Scope, db, scope
from trustportal.servers import Servers
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

PEOPLE, AT_ONCE = int(os.environ.get("SOAK_PEOPLE", "5000")), 40
_HIDDEN = re.compile(r'name="(edition_id|statement_seen)"[^>]*value="([^"]*)"')


@dataclass
class Log:
    """What the clients were answered: the only truth that they have."""

    signed: list[UUID] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@pytest.mark.slow
def test_five_thousand_people_sign_forty_at_once(
    world: World, desk: Desk, servers: Servers, settings: Settings
) -> None:
    ashgrove = world.school("Ashgrove")
    social = desk.policy("Social media", ashgrove, sentences=[f"Rule number {one}." for one in range(60)])
    raw = secrets.token_hex(20)
    tokens = _people(_superuser(servers, settings), world, ashgrove.id, raw)
    _campaign(world, social)
    # The jobs that tell everybody are not what is tried here: the place is planned directly.
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        services.assign_place(ashgrove.id, today=today(), now=now())
    with world.looking():
        asked = {row.person_id: row.id for row in db.session.scalars(select(Assignment))}
    assert len(asked) == PEOPLE
    csrf = str(URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw))
    work: queue.Queue[tuple[UUID, str]] = queue.Queue()
    for person_id, token in tokens.items():
        work.put((asked[person_id], token))
    log = Log()
    environment = {
        "DATABASE_URL": settings.database_url,
        "WORKER_DATABASE_URL": settings.worker_database_url,
        "REDIS_URL": settings.redis_url,
        "PUBLIC_URL": settings.public_url,
        "SECRET_KEY": settings.secret_key,
        "VAR": str(settings.var),
    }
    with served("trustportal.app:create_app()", environment) as port:
        threads = [
            threading.Thread(target=_client, args=(port, world.slug, csrf, work, log)) for _ in range(AT_ONCE)
        ]
        plans: list[int] = []
        signed = threading.Event()
        planner = threading.Thread(target=_plan_again, args=(world, ashgrove.id, signed, plans, log))
        for one in (*threads, planner):
            one.start()
        for one in threads:
            one.join()
        signed.set()
        planner.join()
    assert log.wrong == []
    assert len(plans) > 10
    assert set(plans) == {0}
    with world.looking():
        campaign = db.session.scalars(select(Campaign)).one()
        tally = progress.tallies_of(campaign, [ashgrove.id], today()).places[ashgrove.id]
        assert tally == Tally(asked=PEOPLE, signed=PEOPLE, late=0)
        stored = Counter(db.session.scalars(select(Signature.assignment_id)))
        left = db.session.scalars(select(func.count(Assignment.id)).where(Assignment.state != "signed")).one()
        assert list(audit.verify()) == []
        assert list(verify_all()) == []
    assert left == 0
    assert set(stored) == set(log.signed), "the database and the clients tell different stories"
    assert max(stored.values()) == 1
    assert len(stored) == PEOPLE


def _superuser(servers: Servers, settings: Settings) -> str:
    return servers.superuser_url(settings.database_url.rsplit("?", 1)[0].rsplit("/", 1)[1])


def _campaign(world: World, policy_id: UUID) -> None:
    due_on = today() + timedelta(days=20)
    with world.acting(world.manager) as actor:
        services.open_campaign(
            actor,
            title="Annual signing",
            policy_ids=[policy_id],
            academic_year=due_on.year if due_on.month >= 9 else due_on.year - 1,
            roles=[Role.STAFF],
            opens_on=today(),
            due_on=due_on,
            now=now(),
            today=today(),
        )


def _people(superuser_url: str, world: World, school_id: UUID, raw: str) -> dict[UUID, str]:
    """Staff of one school, each signed in at a browser of their own: person -> the cookie's token."""
    tokens = {uuid4(): secrets.token_urlsafe(32) for _ in range(PEOPLE)}
    at = now()
    with psycopg.connect(superuser_url) as connection, connection.cursor() as cursor:
        for number, (person_id, token) in enumerate(tokens.items()):
            account_id = uuid4()
            cursor.execute(
                "INSERT INTO account (id, email, active, fs_uniquifier, create_datetime, update_datetime)"
                " VALUES (%s, %s, true, %s, %s, %s)",
                [account_id, f"staff.{number}@{world.slug}.example", secrets.token_hex(16), at, at],
            )
            cursor.execute(
                "INSERT INTO person (id, trust_id, account_id, name, email, job_title, created_at)"
                " VALUES (%s, %s, %s, %s, %s, '', %s)",
                [
                    person_id,
                    world.trust_id,
                    account_id,
                    f"Staff {number:05}",
                    f"staff.{number}@{world.slug}.example",
                    at,
                ],
            )
            cursor.execute(
                "INSERT INTO membership (id, trust_id, school_id, person_id, role, from_on, acting)"
                " VALUES (%s, %s, %s, %s, 'staff', '2020-09-01', false)",
                [uuid4(), world.trust_id, school_id, person_id],
            )
            cursor.execute(
                "INSERT INTO web_session (id, token_hash, account_id, content, created_at, seen_at, authenticated_at,"
                " method, user_agent) VALUES (%s, %s, %s, %s, %s, %s, %s, 'password', 'soak')",
                [
                    uuid4(),
                    hashlib.sha256(token.encode()).digest(),
                    account_id,
                    Jsonb({"csrf_token": raw}),
                    at,
                    at,
                    at,
                ],
            )
    return tokens


def _plan_again(world: World, place: UUID, signed: threading.Event, plans: list[int], log: Log) -> None:
    """Roles change meanwhile, so the place is planned again and again: nobody has to be asked anew. What it would
    close, because it was signed after the plan had read it, stays signed.
    """
    while not signed.wait(1):
        try:
            with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
                plan = services.assign_place(place, today=today(), now=now())
        except Exception as fault:
            log.wrong.append(f"planning: {fault!r}")
            return
        plans.append(len(plan.open) + len(plan.move) + len(plan.pause))


def _client(port: int, slug: str, csrf: str, work: queue.Queue[tuple[UUID, str]], log: Log) -> None:
    """Somebody after somebody: read the page, tick, sign; every seventh sends the form twice."""
    while True:
        try:
            assignment_id, token = work.get_nowait()
        except queue.Empty:
            return
        path = f"/t/{slug}/sign/{assignment_id}"
        said = ""
        try:
            status, body = _ask(port, "GET", path, token)
            if status == 200:
                form = urlencode({"csrf_token": csrf, "confirmed": "y", **dict(_HIDDEN.findall(body))})
                statuses = [_ask(port, "POST", path, token, form)[0]]
                if assignment_id.int % 7 == 0:
                    statuses.append(_ask(port, "POST", path, token, form)[0])
                said = "" if set(statuses) == {303} else f"{assignment_id}: {statuses}"
            else:
                said = f"{assignment_id}: the page answered {status}"
        except (OSError, http.client.HTTPException) as error:
            said = f"{assignment_id}: {type(error).__name__}"
        with log.lock:
            if said:
                log.wrong.append(said)
            else:
                log.signed.append(assignment_id)


def _ask(port: int, method: str, path: str, token: str, body: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Cookie": f"portal={token}", "User-Agent": "soak"}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text
