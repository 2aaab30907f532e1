"""A trust full of people who are asked to sign: schools, people, roles and assignments, written as rows.

How they come to be asked is tried elsewhere; here only their number counts.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
from flask import Flask

from tests.integration.acceptance.conftest import Desk
from tests.world import World
from trustportal.acceptance.domain.counting import BITS
from trustportal.db import db
from trustportal.policies.models import Edition
from trustportal.times import now, today

ROLES = ("staff", "staff", "staff", "staff", "governor", "supply", "volunteer", "dsl")


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was written, in a trust of its own."""

    world: World
    campaign_id: UUID
    people: int


def write_crowd(app: Flask, worker_app: Flask, superuser_url: str, *, schools: int, people: int) -> Crowd:
    """A trust with a campaign of one policy for `people` at `schools`; two thirds of them have signed."""
    world = World(app, worker_app, name=f"Crowd of {people}", slug=f"crowd-{people}")
    # Where the edition is in force is nothing to those who only count.
    policy_id, trust_id = Desk(world).policy("Social media", None), world.trust_id
    with world.looking():
        edition_id = db.session.query(Edition.id).filter_by(policy_id=policy_id).scalar()
    chance = random.Random(schools * 1_000_003 + people)  # noqa: S311 - the same crowd each time
    at, day = now(), today()
    campaign_id = uuid4()
    school_ids = [uuid4() for _ in range(schools)]
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "INSERT INTO campaign (id, trust_id, academic_year, title, roles, places, statement, opens_on, due_on,"
            " joiner_days, state, created_at) VALUES (%s, %s, %s, %s, %s, '[]', 'I agree to {policy}.', %s, %s, 14,"
            " 'open', %s)",
            [
                campaign_id,
                trust_id,
                day.year - 1,
                f"Crowd of {people}",
                '["staff", "governor", "supply", "volunteer", "dsl"]',
                day - timedelta(days=60),
                day - timedelta(days=10),
                at,
            ],
        )
        connection.execute(
            "INSERT INTO campaign_policy (id, trust_id, campaign_id, policy_id) VALUES (%s, %s, %s, %s)",
            [uuid4(), trust_id, campaign_id, policy_id],
        )
        with connection.cursor() as cursor:
            _copy(
                cursor,
                "school (id, trust_id, slug, name, short_name, phase, joined_on, started_at, role_labels)",
                (
                    (
                        one,
                        trust_id,
                        f"crowd-{one}",
                        f"Crowd School {number:03}",
                        f"Crowd {number:03}",
                        "",
                        "2020-09-01",
                        at,
                        "{}",
                    )
                    for number, one in enumerate(school_ids)
                ),
            )
            ids = [uuid4() for _ in range(people)]
            _copy(
                cursor,
                "person (id, trust_id, name, email, job_title, created_at)",
                ((one, trust_id, f"Person {chance.random():.12f}", None, "", at) for one in ids),
            )
            where = [school_ids[number % schools] for number in range(people)]
            _copy(
                cursor,
                "membership (id, trust_id, school_id, person_id, role, from_on, acting)",
                (
                    (uuid4(), trust_id, school, one, chance.choice(ROLES), "2020-09-01", False)
                    for one, school in zip(ids, where, strict=True)
                ),
            )
            rows = []
            for one, school in zip(ids, where, strict=True):
                signed = chance.random() < 2 / 3
                closed = at - timedelta(days=chance.randrange(1, 60)) if signed else None
                rows.append(
                    (
                        uuid4(),
                        trust_id,
                        school,
                        campaign_id,
                        policy_id,
                        one,
                        edition_id,
                        "signed" if signed else "open",
                        "annual",
                        day - timedelta(days=10),
                        at - timedelta(days=60),
                        closed,
                        0,
                    )
                )
            _copy(
                cursor,
                "assignment (id, trust_id, school_id, campaign_id, policy_id, person_id, edition_id, state, cause,"
                " due_on, created_at, closed_at, escalated)",
                rows,
            )
        connection.execute("SELECT set_config('app.trust_id', %s, true)", [str(trust_id)])
        connection.execute(
            "SELECT count_people(id, NULL, %s) FROM school WHERE trust_id = %s",
            [[str(role) for role in BITS], trust_id],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")
    return Crowd(world, campaign_id, people)


def _copy(cursor: psycopg.Cursor, table: str, rows: object) -> None:  # type: ignore[type-arg]
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:  # type: ignore[attr-defined]
            copy.write_row(row)
