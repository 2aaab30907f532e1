"""Stored files: by their hash, once, in one trust, and never other bytes than were stored."""

from __future__ import annotations

import hashlib

import pytest

from tests.integration.kernel.conftest import Connection
from tests.world import World
from trustportal import blobs
from trustportal.db import unit_of_work
from trustportal.errors import NotFound


def store(world: World, content: bytes) -> str:
    with world.looking(), unit_of_work():
        return blobs.put(content, "application/pdf")


def test_the_same_bytes_are_stored_once(world: World, superuser: Connection) -> None:
    digest = store(world, b"%PDF-1.7 one")
    assert store(world, b"%PDF-1.7 one") == digest == hashlib.sha256(b"%PDF-1.7 one").hexdigest()
    store(world, b"%PDF-1.7 two")
    assert superuser.execute("SELECT count(*) FROM blob").fetchall() == [(2,)]
    with world.looking():
        found = blobs.get(digest)
        assert (bytes(found.content), found.media_type, found.size) == (
            b"%PDF-1.7 one",
            "application/pdf",
            12,
        )


def test_another_trusts_file_is_missing_even_by_its_hash(world: World, other_world: World) -> None:
    digest = store(world, b"ours")
    with other_world.looking(), pytest.raises(NotFound):
        blobs.get(digest)
    assert store(other_world, b"ours") == digest, "and is stored again where it is needed"


def test_altered_bytes_are_never_handed_out(world: World, superuser: Connection) -> None:
    digest = store(world, b"what was signed")
    superuser.execute("UPDATE blob SET content = %s", [b"what was not"])
    with world.looking(), pytest.raises(RuntimeError, match="was altered"):
        blobs.get(digest)


def test_a_file_belongs_to_a_trust(world: World) -> None:
    with world.app.app_context(), pytest.raises(RuntimeError, match="no scope"):
        blobs.put(b"whose?", "text/plain")


def test_a_file_is_stored_with_what_refers_to_it(world: World, superuser: Connection) -> None:
    def store_and_break() -> None:
        with unit_of_work():
            blobs.put(b"half done", "text/plain")
            raise ZeroDivisionError

    with world.looking(), pytest.raises(ZeroDivisionError):
        store_and_break()
    assert superuser.execute("SELECT count(*) FROM blob").fetchall() == [(0,)]
