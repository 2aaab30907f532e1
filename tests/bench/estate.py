"""A trust of a given size with one large policy in force: made through the services once, then multiplied as rows.

Two schools are pattern: each has changed five clauses, and the second one among them the clause that the trust will
change. The others are copies of the first, every tenth one of the second, each with words of its own.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from tests.integration.policies.given import Social, social, with_tree
from tests.world import Someone, World
from trustportal import jobs
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.kernel_models import WebSession
from trustportal.policies import queries, reading
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, Tree, Weight, Words, words_hash
from trustportal.policies.services import approvals, drafts
from trustportal.sessions import cookie_name, token_hash
from trustportal.times import now, today

CLAUSES = 120
WORDS = 9_000
#: The clause that the trust changes, and those that the pattern schools change.
CHANGED = "clause-3-4"
ANSWERED = ("clause-2-2", "clause-5-3", "clause-7-6", "clause-9-1")
_PATTERNS = ("Ashgrove", "Birchwood")
_VOCABULARY = """
every account school staff pupil parent photograph consent record head office before after must may never always named
person keeps asks answers writes reads shares removes reports within five working days of the request and in writing
unless law requires otherwise trust policy review safe private public message reply image device
"""


def large_tree() -> Tree:
    """Twelve sections with nine clauses each: 120 clauses and 9,000 words, the same in every run."""
    chance = random.Random(7)  # noqa: S311 (words, not secrets)
    vocabulary, per_clause = _VOCABULARY.split(), WORDS // 108
    clauses: list[Clause] = []
    for section in range(1, 13):
        top = f"section-{section}"
        clauses.append(Clause(top, None, Kind.SECTION, f"Part {section} of the policy"))
        for place in range(1, 10):
            words = " ".join(chance.choice(vocabulary) for _ in range(per_clause)).capitalize()
            if place == 5:
                words += " at {{school.name}}, as the {{role.headteacher}} decides."
            elif place == 8:
                words += f" as [[clause-{section}-1]] says."
            mode = Mode.LOCKED if place == 9 else Mode.EXTEND if place == 8 else Mode.ADAPTABLE
            clauses.append(Clause(f"clause-{section}-{place}", top, Kind.CLAUSE, "", words, mode))
    return tuple(clauses)


class QuietWorld(World):
    """A world whose inline jobs make no PDFs: the bench measures those by themselves."""

    def run_jobs(self) -> int:
        with self.worker_app.app_context(), scope(Scope.job(self.trust_id)):
            return jobs.run_inline(queues=("default",))


def cookie_of(app: Flask, person: Someone) -> str:
    """The header of somebody who is signed in."""
    token = secrets.token_urlsafe(32)
    with app.app_context(), Session(db.engine) as own, own.begin():
        own.add(
            WebSession(
                token_hash=token_hash(token),
                account_id=person.account_id,
                content={"csrf_token": secrets.token_hex(20)},
                created_at=now(),
                seen_at=now(),
                authenticated_at=now(),
                method="password and code",
                user_agent="bench",
            )
        )
    return f"{cookie_name(app)}={token}"


@dataclass
class Estate:
    """A trust with `size` schools; `patterns`: the two that were made through the services."""

    size: int
    world: World
    patterns: tuple[Social, Social]

    @property
    def policy_id(self) -> UUID:
        """The large policy."""
        return self.patterns[0].policy_id

    def cookie(self, person: Someone) -> str:
        """The header of somebody who is signed in."""
        return cookie_of(self.world.app, person)

    def floor_clauses(self) -> list[dict[str, Any]]:
        """What the first school's edition prints, ready for the floor: the same words as our page."""
        from trustportal.markdown import to_html

        with self.world.looking():
            edition = queries.find_latest_edition(self.policy_id, self.patterns[0].school.id)
            assert edition is not None
            return [
                {
                    "key": one.key,
                    "number": one.number,
                    "heading": one.heading,
                    "html": to_html(one.text),
                    "origin": one.origin.value,
                }
                for one in reading.clauses_of(edition)
            ]

    def approved_version(self) -> UUID:
        """A next version in which one clause says something else, approved and not yet published."""
        first, world = self.patterns[0], self.world
        with world.acting(world.manager) as actor:
            version = drafts.start_draft(actor, policy_id=self.policy_id, now=now())
            tree = tuple(
                replace(one, text=f"From September on, {one.text}") if one.key == CHANGED else one
                for one in large_tree()
            )
            with_tree(actor, version.id, tree)
        with world.acting(world.manager) as actor:
            run = approvals.submit_version(
                actor,
                version_id=version.id,
                reason="After the spring review.",
                marks={CHANGED: Mark(Weight.MATERIAL, "The law changed.")},
                now=now(),
            )
            run_id, content_hash = run.id, run.content_hash
        for trustee in first.trustees:
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
        world.run_jobs()
        return version.id


def build(app: Flask, worker_app: Flask, superuser_url: str, *, slug: str, size: int) -> Estate:
    """A trust with `size` schools (two at least), each with an edition in force and five answers."""
    world = QuietWorld(app, worker_app, name=f"{slug.capitalize()} Academies Trust", slug=slug)
    first = social(world, tree=large_tree(), school=_PATTERNS[0])
    place = world.school(_PATTERNS[1])
    second = replace(
        first,
        school=place,
        head=world.person("Hugo Head", (Role.HEADTEACHER, place)),
        chair=world.person("Cora Chair", (Role.CHAIR_OF_GOVERNORS, place)),
        teacher=world.person("Tina Teacher", (Role.STAFF, place)),
    )
    world.run_jobs()
    for one, name, keys in (
        (first, _PATTERNS[0], (*ANSWERED, "clause-11-3")),
        (second, _PATTERNS[1], (*ANSWERED, CHANGED)),
    ):
        for key in keys:
            one.answer(
                key, f"At {name} the office keeps this for {key}: " + "as we agreed with parents. " * 12
            )
        one.submit_and_approve()
    with psycopg.connect(superuser_url, autocommit=False, row_factory=dict_row) as connection:
        _multiply(connection, (first, second), size)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return Estate(size, world, (first, second))


_COPIED = ("school", "standing", "override", "edition", "membership")


def _multiply(
    connection: psycopg.Connection[dict[str, Any]], patterns: tuple[Social, Social], size: int
) -> None:
    kept = [_rows_of(connection, one) for one in patterns]
    made: dict[str, list[dict[str, Any]]] = {table: [] for table in ("person", *_COPIED)}
    words: dict[str, Words] = {}
    for number in range(size - len(patterns)):
        which = 1 if number % 10 == 0 else 0
        _copy(kept[which], patterns[which], _PATTERNS[which], f"School {number:04}", made, words)
    trust_id = patterns[0].world.trust_id
    _insert(
        connection,
        "clause_text",
        [
            {"trust_id": trust_id, "hash": digest, "heading": one.heading, "text": one.text}
            for digest, one in words.items()
        ],
    )
    for table in ("person", *_COPIED):
        _insert(connection, table, made[table])


@dataclass
class _Pattern:
    rows: dict[str, list[dict[str, Any]]]
    words: dict[str, Words]


def _rows_of(connection: psycopg.Connection[dict[str, Any]], one: Social) -> _Pattern:
    """The rows of a pattern school, its newest edition only, and the words in which its name stands."""
    place = [one.school.id]
    rows = {
        "school": connection.execute("SELECT * FROM school WHERE id = %s", place).fetchall(),
        "standing": connection.execute("SELECT * FROM standing WHERE school_id = %s", place).fetchall(),
        "override": connection.execute("SELECT * FROM override WHERE school_id = %s", place).fetchall(),
        "edition": connection.execute(
            "SELECT * FROM edition WHERE school_id = %s AND state = 'approved' ORDER BY major DESC, minor DESC LIMIT 1",
            place,
        ).fetchall(),
        "membership": connection.execute(
            "SELECT * FROM membership WHERE school_id = %s AND role = 'headteacher'", place
        ).fetchall(),
    }
    found = connection.execute(
        "SELECT hash, heading, text FROM clause_text WHERE trust_id = %s AND heading || text LIKE %s",
        [one.world.trust_id, f"%{one.school.short_name}%"],
    ).fetchall()
    return _Pattern(rows, {row["hash"]: Words(row["heading"], row["text"]) for row in found})


def _copy(
    pattern: _Pattern,
    of: Social,
    name: str,
    new_name: str,
    made: dict[str, list[dict[str, Any]]],
    words: dict[str, Words],
) -> None:
    """One more school: the pattern's rows under other ids, with its name where the pattern's stood."""
    school_id, person_id = uuid4(), uuid4()
    swap = {name: new_name, str(of.school.id): str(school_id)}
    for digest, one in pattern.words.items():
        own = Words(one.heading.replace(name, new_name), one.text.replace(name, new_name))
        words[words_hash(own)] = own
        swap[digest] = words_hash(own)

    def own_words(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(name, new_name)
        if isinstance(value, (dict, list)):
            text = json.dumps(value)
            for old, new in swap.items():
                text = text.replace(old, new)
            return Jsonb(json.loads(text))
        return value

    made["person"].append(
        {
            "id": person_id,
            "trust_id": of.world.trust_id,
            "name": f"Head of {new_name}",
            "email": None,
            "job_title": "",
            "created_at": now(),
        }
    )
    for table in _COPIED:
        for row in pattern.rows[table]:
            copied = {column: own_words(value) for column, value in row.items()} | {"id": uuid4()}
            if table == "school":
                copied |= {"id": school_id, "slug": new_name.lower().replace(" ", "-")}
            else:
                copied["school_id"] = school_id
            if table == "edition":
                copied |= {"previous_id": None, "content_hash": sha256(school_id.bytes).hexdigest()}
            if table == "membership":
                copied["person_id"] = person_id
            made[table].append(copied)


def _insert(connection: psycopg.Connection[Any], table: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if not rows:
        return
    columns = list(rows[0])
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f"%({column})s" for column in columns)
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})", rows)
