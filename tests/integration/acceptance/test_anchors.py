"""The daily anchor of the audit trail: kept, told, stamped by an authority, and what does not fit it is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import func, select

from tests.integration.acceptance.authority import Authority, serving
from tests.world import World
from trustportal.acceptance import stamping
from trustportal.acceptance.models import AuditAnchor, AuditStamp
from trustportal.acceptance.services import anchoring
from trustportal.access import Role
from trustportal.config import Settings
from trustportal.db import Scope, db, scope
from trustportal.jobs import Event
from trustportal.kernel_models import Notice, Outbox
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk


@pytest.fixture
def authority() -> Iterator[Authority]:
    with serving() as served:
        yield served


def settings_for(world: World, authority: Authority, folder: Path) -> Settings:
    """The operator's settings, with this authority and its roots."""
    roots = folder / "roots.pem"
    roots.write_bytes(authority.roots)
    return replace(world.app.config["PORTAL"], timestamp_url=authority.url, timestamp_roots=roots)


@contextmanager
def working(world: World) -> Iterator[None]:
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        yield


def faults(world: World, settings: Settings) -> list[str]:
    with working(world):
        return list(anchoring.verify_anchors(settings))


def tamper(database: Any, *statements: str) -> None:
    """Somebody with the owner's powers, and triggers switched off."""
    tables = ("audit_event", "audit_payload", "audit_head", "audit_anchor", "audit_stamp")
    with psycopg.connect(database.migration) as connection:
        for table in tables:
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            assert connection.execute(statement).rowcount
        for table in tables:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def test_an_anchor_is_kept_told_and_stamped(
    world: World, desk: Desk, authority: Authority, tmp_path: Path, database: Any
) -> None:
    clerk = world.person("Cleo Clerk", Role.CLERK)
    settings = settings_for(world, authority, tmp_path)
    with working(world):
        made = anchoring.anchor(on=today(), now=now(), settings=settings)
        assert made is not None
        anchor_id, head = made.id, bytes(made.hash).hex()
        # Once a day, and none for a chain that has not grown.
        assert anchoring.anchor(on=today(), now=now(), settings=settings) is None
        assert anchoring.anchor(on=today() + timedelta(days=1), now=now(), settings=settings) is None
        told = db.session.scalars(select(Notice).where(Notice.person_id == clerk.id)).all()
        assert any(head in one.body for one in told)
        assert [one.id for one in anchoring.pending()] == [anchor_id]
        assert anchoring.stamp(anchor_id=anchor_id, now=now(), settings=settings)
        assert anchoring.stamp(anchor_id=anchor_id, now=now(), settings=settings)
        assert authority.asked == 1
        assert anchoring.pending() == []
        stamp = db.session.scalars(select(AuditStamp)).one()
        assert abs(stamp.stamped_at - now()) < timedelta(minutes=1)
    assert faults(world, settings) == []

    # A rewritten anchor no longer is what was stamped; a stamp of another authority is none.
    with serving() as other:
        stranger = settings_for(world, other, tmp_path)
        assert "or not of this authority" in faults(world, stranger)[0]
    settings = settings_for(world, authority, tmp_path)
    assert "cannot be checked" in faults(world, replace(settings, timestamp_roots=None))[0]
    # Somebody rewrites the last link, its head and the anchor, all in the same way: the stamp finds it.
    tamper(
        database,
        "UPDATE audit_event e SET hash = sha256('another') FROM audit_anchor a"
        " WHERE e.trust_id = a.trust_id AND e.position = a.position",
    )
    (said,) = faults(world, settings)
    assert "is not the one with which the chain ended on" in said
    tamper(database, "UPDATE audit_anchor SET hash = sha256('another')")
    (said,) = faults(world, settings)
    assert said.startswith(f"The time stamp of {today().isoformat()} is not of this anchor")


def test_an_authority_that_does_not_answer_leaves_the_anchor_pending(
    world: World, authority: Authority, tmp_path: Path
) -> None:
    settings = settings_for(world, authority, tmp_path)
    authority.away = True
    with working(world):
        made = anchoring.anchor(on=today(), now=now(), settings=settings)
        assert made is not None
        anchor_id, at = made.id, now()
        assert not anchoring.stamp(anchor_id=anchor_id, now=at, settings=settings)
        assert db.session.scalars(select(func.count(AuditStamp.id))).one() == 0
        assert [one.id for one in anchoring.pending()] == [anchor_id]
        again = db.session.scalars(
            select(Outbox.not_before).where(
                Outbox.event == str(Event.STAMP_WANTED), Outbox.done_at.is_(None), Outbox.not_before > at
            )
        ).one()
        assert again == at + timedelta(hours=1)
        authority.away = False
        assert anchoring.stamp(anchor_id=anchor_id, now=now(), settings=settings)
    # Nobody there at all, a redirect, an answer that is none, a wrong nonce: never a stamp.
    for url in ("http://127.0.0.1:9/", "ftp://authority.example/", "file:///etc/hostname"):
        with pytest.raises(stamping.StampingFailed):
            stamping.ask(url, authority.roots, b"words")
    good = stamping.ask(authority.url, authority.roots, b"words")
    for response, words, nonce in (
        (good.response, b"other words", None),
        (good.response[:-1], b"words", None),
        (b"", b"words", None),
        (good.response, b"words", 1),
    ):
        with pytest.raises(stamping.StampingFailed):
            stamping.check(response, authority.roots, words, nonce=nonce)


def test_a_chain_that_was_cut_is_named(world: World, database: Any) -> None:
    settings = world.app.config["PORTAL"]
    with working(world):
        made = anchoring.anchor(on=today(), now=now(), settings=settings)
        assert made is not None
        assert not made.wants_stamp
        assert anchoring.pending() == []
        length = made.position
    # The cut chain ends where its head says: only the anchor knows better.
    tamper(
        database,
        f"DELETE FROM audit_payload WHERE event_id = (SELECT id FROM audit_event WHERE position = {length})",
        f"DELETE FROM audit_event WHERE position = {length}",
        f"UPDATE audit_head SET position = {length - 1},"
        f" hash = (SELECT hash FROM audit_event WHERE position = {length - 1})",
    )
    with working(world):
        (said,) = anchoring.verify_anchors(settings)
        assert f"it had {length} links, and it has {length - 1} now" in said
        # Nobody changes or removes an anchor from inside.
        with pytest.raises(Exception, match=r"denied|append|permission"):
            db.session.query(AuditAnchor).delete()
        db.session.rollback()
