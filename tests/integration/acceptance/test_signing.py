"""Signing: the evidence, once, by the right person, of the text that was read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.world import World
from trustportal import audit
from trustportal.acceptance import services
from trustportal.acceptance.domain.evidence import record_hash
from trustportal.acceptance.models import Signature, SignatureTrace
from trustportal.acceptance.queries import mine
from trustportal.acceptance.services import reminding
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.errors import Conflict, NotFound, RuleBroken
from trustportal.policies import texts
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Asked, Desk


def as_read(world: World, person: Any, assignment: mine.MyAssignment) -> dict[str, Any]:
    """What the form of somebody carries who has just opened the page, and ticked."""
    with world.acting(person) as actor:
        shown = services.to_read(actor, assignment_id=assignment.id, today=today())
    return {
        "assignment_id": assignment.id,
        "edition_id": shown.edition_id,
        "statement_seen": shown.statement_version,
        "confirmed": True,
        "now": now(),
        "today": today(),
    }


def signatures(world: World) -> list[Signature]:
    with world.looking():
        return list(db.session.scalars(select(Signature)))


def test_a_signature_keeps_everything_as_it_was(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove), (Role.DSL, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove))
    signature = desk.sign(ann, desk.open_of(ann)[0])
    assert signature.statement == (
        "I have read and understood Social media, edition 1.1, as it applies at Ashgrove Primary School,"
        " and I agree to follow it."
    )
    assert signature.person_name == "Ann Staff"
    assert [one["label"] for one in signature.roles] == ["Designated safeguarding lead", "Member of staff"]
    assert signature.place_name == "Ashgrove Primary School"
    assert signature.method == "password and code"
    assert signature.authenticated_at is not None
    assert desk.open_of(ann) == []
    with world.looking():
        verified = services.verify_signature(signature.id)
        assert verified.faults == ()
        assert verified.audit_position
        assert record_hash(verified.record) == signature.record_hash
        assert list(audit.verify()) == []
        assert db.session.scalars(select(SignatureTrace.user_agent)).all() == ["A browser"]


def test_signing_needs_the_tick(world: World, asking: Asked) -> None:
    desk, ann = asking.desk, asking.ann
    form = as_read(world, ann, desk.open_of(ann)[0])
    with world.acting(ann) as actor, pytest.raises(RuleBroken) as refused:
        services.sign(actor, **{**form, "confirmed": False})
    assert refused.value.field == "confirmed"
    assert signatures(world) == []


def test_a_superseded_edition_is_not_signed(world: World, asking: Asked) -> None:
    desk, ashgrove, ann, social = asking.desk, asking.ashgrove, asking.ann, asking.social
    (asked,) = desk.open_of(ann)
    form = as_read(world, ann, asked)
    newer = desk.edition(social, ashgrove, ["Be kinder."])
    with world.acting(ann) as actor:
        with pytest.raises(Conflict, match="changed since you opened"):
            services.sign(actor, **form)
        # The page shows the newer edition at once, before any job has moved the assignment, and the difference.
        shown = services.to_read(actor, assignment_id=asked.id, today=today(), seen_id=form["edition_id"])
        assert shown.edition_id == newer
        assert [change.key for change in shown.changes_meanwhile] == ["clause-1"]
        signature = services.sign(
            actor, **{**form, "edition_id": newer, "statement_seen": shown.statement_version}
        )
        assert signature.edition_id == newer
    world.run_jobs()
    assert desk.open_of(ann) == []


def test_nothing_is_signed_while_the_newest_pdf_is_made(world: World, asking: Asked) -> None:
    desk, ashgrove, ann, social = asking.desk, asking.ashgrove, asking.ann, asking.social
    (asked,) = desk.open_of(ann)
    form = as_read(world, ann, asked)
    desk.edition(social, ashgrove, ["Be kinder."], ready=False)
    with world.acting(ann) as actor:
        assert services.to_read(actor, assignment_id=asked.id, today=today()).waits_for_pdf
        with pytest.raises(Conflict, match="prepared"):
            services.sign(actor, **form)


def test_other_words_than_were_seen_are_not_signed(world: World, asking: Asked) -> None:
    desk, ann = asking.desk, asking.ann
    form = as_read(world, ann, desk.open_of(ann)[0])
    with world.acting(ann) as actor, pytest.raises(Conflict):
        services.sign(actor, **{**form, "statement_seen": "0" * 64})


def test_nobody_signs_for_somebody_else(world: World, other_world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    ben = world.person("Ben Staff", (Role.STAFF, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove))
    form = as_read(world, ann, desk.open_of(ann)[0])
    for other, place in ((ben, world), (world.manager, world), (other_world.manager, other_world)):
        with place.acting(other) as actor:
            with pytest.raises(NotFound):
                services.sign(actor, **form)
            with pytest.raises(NotFound):
                services.to_read(actor, assignment_id=form["assignment_id"], today=today())
    with world.acting(ann) as actor, pytest.raises(NotFound):
        services.sign(actor, **{**form, "assignment_id": uuid4()})
    assert signatures(world) == []


def test_signing_twice_gives_one_signature(world: World, asking: Asked) -> None:
    desk, ann = asking.desk, asking.ann
    form = as_read(world, ann, desk.open_of(ann)[0])
    with world.acting(ann) as actor:
        first = services.sign(actor, **form)
    with world.acting(ann) as actor:
        assert services.sign(actor, **form).id == first.id


def test_two_clicks_at_once_give_one_signature(world: World, asking: Asked) -> None:
    desk, ann = asking.desk, asking.ann
    form = as_read(world, ann, desk.open_of(ann)[0])

    def click(_number: int) -> Any:
        with world.acting(ann) as actor:
            return services.sign(actor, **form).id

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(click, range(8)))
    assert len(ids) == 1
    assert [one.id for one in signatures(world)] == list(ids)
    with world.looking():
        assert list(audit.verify()) == []


def test_a_leaver_cannot_sign(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove), (Role.STAFF, birch))
    desk.campaign(desk.policy("Social media", ashgrove))
    form = as_read(world, ann, desk.open_of(ann)[0])
    left = replace(world.actor(ann), school_roles={birch.id: frozenset({Role.STAFF})})
    with world.app.app_context(), scope(Scope.of(left)), pytest.raises(NotFound):
        services.sign(left, **form)


# -- what the database itself refuses ----------------------------------------------------------------------------


def test_a_signature_is_never_changed_or_removed(world: World, asking: Asked) -> None:
    desk, ann = asking.desk, asking.ann
    desk.sign(ann, desk.open_of(ann)[0])
    for app in (world.app, world.worker_app):
        for statement in (update(Signature).values(statement="No."), delete(Signature)):
            with app.app_context(), scope(Scope.job(world.trust_id)), pytest.raises(DBAPIError):
                db.session.execute(statement.execution_options(synchronize_session=False))


def test_people_of_one_school_see_nothing_of_another(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    ben = world.person("Ben Head", (Role.HEADTEACHER, birch))
    desk.campaign(desk.policy("Social media", ashgrove, birch))
    signature = desk.sign(ann, desk.open_of(ann)[0])
    unscoped = {"unscoped_because": "the database itself is tested"}
    with world.acting(ben):
        with pytest.raises(NotFound):
            mine.get_signature(signature.id)
        for table in ("assignment", "signature", "signature_trace"):
            found = db.session.execute(
                text(f"SELECT count(*) FROM {table} WHERE school_id = :school"),
                {"school": ashgrove.id},
                execution_options=unscoped,
            ).scalar()
            assert found == 0, table


# -- verifying ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE signature SET statement = 'I read nothing.'", "record of the signature"),
        ("UPDATE signature SET person_name = 'Somebody Else'", "record of the signature"),
        ("UPDATE signature SET signed_at = signed_at + interval '1 day'", "record of the signature"),
        ("UPDATE signature SET record_hash = repeat('0', 64)", "record of the signature"),
        ("UPDATE clause_text SET text = 'Be rude.' WHERE text = 'Be kind.'", "text of the edition"),
        ("DELETE FROM clause_text", "text of the edition"),
        ("UPDATE blob SET content = 'other'::bytea", "The PDF is not"),
        ("DELETE FROM blob", "PDF that was signed is missing"),
        (
            "UPDATE audit_event SET entry = replace(entry, 'a', 'b') WHERE action = 'signature.given'",
            "audit trail",
        ),
        ("UPDATE audit_payload SET payload = replace(payload, 'a', 'b')", "audit trail"),
        ("DELETE FROM audit_payload", "no event"),
    ],
)
def test_what_was_altered_is_found_and_named(
    world: World, asking: Asked, database: Any, sql: str, words: str
) -> None:
    desk, ann = asking.desk, asking.ann
    signature = desk.sign(ann, desk.open_of(ann)[0])
    texts._kept.clear()
    tamper(database, sql)
    with world.looking():
        named = services.verify_signature(signature.id).faults
    assert any(words in one for one in named), named


def tamper(database: Any, sql: str) -> None:
    """Somebody with the owner's powers, and triggers switched off."""
    with psycopg.connect(database.migration, autocommit=False) as connection:
        tables = ("signature", "clause_text", "blob", "audit_event", "audit_payload", "outside_edition")
        for table in tables:
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        changed = connection.execute(sql)
        assert changed.rowcount
        for table in tables:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def test_traces_are_disposed_of_and_signatures_stay(world: World, asking: Asked) -> None:
    desk, ann = asking.desk, asking.ann
    signature = desk.sign(ann, desk.open_of(ann)[0])
    with world.looking(), unit_of_work():
        reminding.forget_traces(now=now() + timedelta(days=366))
    with world.looking():
        assert db.session.scalars(select(SignatureTrace)).all() == []
        assert services.verify_signature(signature.id).is_whole
