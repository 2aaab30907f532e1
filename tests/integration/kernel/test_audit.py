"""The audit chain: whatever is done to it past the portal is found, and named by its position."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest

from tests.integration.kernel.conftest import Connection
from tests.world import World
from trustportal.access import Actor
from trustportal.audit import FIELDS, Action, Fault, link_hash, record, verify
from trustportal.db import Scope, scope, unit_of_work

LENGTH = 24


@dataclass
class Chain:
    """The chain of a trust, and ways to tamper with it."""

    world: World
    superuser: Connection
    length: int = 0

    def faults(self) -> list[Fault]:
        """What verifying finds."""
        with self.world.looking():
            return list(verify())

    def positions(self) -> set[int]:
        """Where it finds it."""
        return {fault.position for fault in self.faults()}

    def do(self, statement: str, *values: object) -> None:
        """Change something past the portal."""
        done = self.superuser.execute(statement, [*values])  # type: ignore[arg-type]
        assert done.rowcount > 0, "nothing was tampered with"

    def of(self, position: int) -> str:
        """A condition for the payload of a link."""
        return f"event_id = (SELECT id FROM audit_event WHERE position = {position})"


@pytest.fixture
def chain(world: World, superuser: Connection) -> Chain:
    with world.looking():
        for number in range(LENGTH):
            with unit_of_work():
                record(
                    Actor.portal(world.trust_id),
                    Action.SCHOOL_CHANGED,
                    school_id=uuid4(),
                    fields=["name", f"field {number}"],
                )
    made = Chain(world, superuser)
    made.length = superuser.execute("SELECT max(position) FROM audit_event").fetchall()[0][0]
    assert made.length >= LENGTH
    assert made.faults() == []
    return made


Tampering = Callable[[Chain, int], None]


def _edit(what: str) -> Tampering:
    return lambda chain, at: chain.do(f"UPDATE audit_event SET {what} WHERE position = %s", at)


def _edit_payload(what: str) -> Tampering:
    return lambda chain, at: chain.do(f"UPDATE audit_payload SET {what} WHERE {chain.of(at)}")


def _delete(chain: Chain, at: int) -> None:
    chain.do(f"DELETE FROM audit_payload WHERE {chain.of(at)}")
    chain.do("DELETE FROM audit_event WHERE position = %s", at)


def _swap(chain: Chain, at: int) -> None:
    for before, after in ((at, -1), (at + 1, at), (-1, at + 1)):
        chain.do("UPDATE audit_event SET position = %s WHERE position = %s", after, before)


def _swap_payloads(chain: Chain, at: int) -> None:
    ids = [
        row[0]
        for row in chain.superuser.execute(
            "SELECT id FROM audit_event WHERE position IN (%s, %s) ORDER BY position", [at, at + 1]
        ).fetchall()
    ]
    nobody = uuid4()
    for before, after in ((ids[0], nobody), (ids[1], ids[0]), (nobody, ids[1])):
        chain.do("UPDATE audit_payload SET event_id = %s WHERE event_id = %s", after, before)


def _insert(chain: Chain, at: int) -> None:
    """Another link between two, with the right hash for its place and a payload that fits: the rest moves up."""
    chain.superuser.execute("UPDATE audit_event SET position = position + 1000 WHERE position > %s", [at])
    chain.superuser.execute("UPDATE audit_event SET position = position - 999 WHERE position > 1000")
    (previous,) = chain.superuser.execute(
        "SELECT hash FROM audit_event WHERE position = %s", [at]
    ).fetchall()[0]
    event_id = uuid4()
    entry = chain.superuser.execute("SELECT entry FROM audit_event WHERE position = %s", [at]).fetchall()[0][
        0
    ]
    entry = json.dumps({**json.loads(entry), "id": str(event_id)}, sort_keys=True, separators=(",", ":"))
    chain.do(
        "INSERT INTO audit_event SELECT trust_id, position + 1, %s, at, action, school_id, %s, %s"
        " FROM audit_event WHERE position = %s",
        event_id,
        entry,
        link_hash(bytes(previous), at + 1, entry),
        at,
    )
    chain.do(
        "INSERT INTO audit_payload SELECT trust_id, %s, school_id, salt, payload FROM audit_payload"
        f" WHERE {chain.of(at)}",
        event_id,
    )


TAMPERINGS: dict[str, Tampering] = {
    "the entry": _edit("entry = replace(entry, 'portal', 'nobody')"),
    "the entry, to no JSON": _edit("entry = 'gone'"),
    "the entry, to other JSON": _edit("entry = '[]'"),
    "the hash": _edit(r"hash = sha256('other')"),
    "the entry, with a hash that fits": lambda chain, at: chain.do(
        "UPDATE audit_event e SET entry = replace(e.entry, 'portal', 'nobody'),"
        " hash = sha256(coalesce((SELECT hash FROM audit_event WHERE position = e.position - 1), ''::bytea)"
        " || convert_to(e.position || replace(e.entry, 'portal', 'nobody'), 'UTF8')) WHERE position = %s",
        at,
    ),
    "the action": _edit("action = 'trust.created.twice'"),
    "the time": _edit("at = at + interval '1 microsecond'"),
    "the id": _edit("id = gen_random_uuid()"),
    "the school": _edit("school_id = gen_random_uuid()"),
    "the position of the last": lambda chain, _at: chain.do(
        "UPDATE audit_event SET position = position + 1 WHERE position = %s", chain.length
    ),
    "the payload": _edit_payload("payload = payload || ' '"),
    "the payload, to no JSON": _edit_payload("payload = ''"),
    "the salt": _edit_payload("salt = sha256(salt)"),
    "the payload's school": _edit_payload("school_id = gen_random_uuid()"),
    "the payload's link": _edit_payload("event_id = gen_random_uuid()"),
    "a link taken out": _delete,
    "a link taken out, its payload left": lambda chain, at: chain.do(
        "DELETE FROM audit_event WHERE position = %s", at
    ),
    "a payload taken out": lambda chain, at: chain.do(f"DELETE FROM audit_payload WHERE {chain.of(at)}"),
    "two links swapped": _swap,
    "two payloads swapped": _swap_payloads,
    "a link put between": _insert,
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_is_found_and_named(chain: Chain, name: str) -> None:
    at = random.Random(name).randrange(2, chain.length - 1)  # noqa: S311
    TAMPERINGS[name](chain, at)
    found = chain.positions()
    # A link put between fits where it stands: it is the next one that does not follow.
    expected = (
        {at, at + 1, at + 2} if name != "the position of the last" else {chain.length, chain.length + 1}
    )
    assert found & expected, f"{name} at {at}: {chain.faults()}"


@pytest.mark.parametrize("at", ["first", "last"])
@pytest.mark.parametrize("name", ["the entry", "the hash", "the time", "the payload", "a link taken out"])
def test_the_ends_are_watched_too(chain: Chain, name: str, at: str) -> None:
    position = 1 if at == "first" else chain.length
    TAMPERINGS[name](chain, position)
    assert chain.positions() & {position, position + 1, chain.length}


def test_forty_tamperings_at_random_places_are_all_found(chain: Chain) -> None:
    chance = random.Random(20260901)  # noqa: S311
    for _ in range(40):
        name = chance.choice(sorted(TAMPERINGS))
        at = chance.randrange(2, chain.length - 1)
        chain.superuser.execute("CREATE TEMP TABLE kept_event AS SELECT * FROM audit_event")
        chain.superuser.execute("CREATE TEMP TABLE kept_payload AS SELECT * FROM audit_payload")
        TAMPERINGS[name](chain, at)
        assert chain.faults(), f"{name} at {at} was not found"
        chain.superuser.execute("TRUNCATE audit_event, audit_payload")
        chain.superuser.execute("INSERT INTO audit_event SELECT * FROM kept_event")
        chain.superuser.execute("INSERT INTO audit_payload SELECT * FROM kept_payload")
        chain.superuser.execute("DROP TABLE kept_event, kept_payload")
    assert chain.faults() == []


@pytest.mark.parametrize("cut", [1, 5, "all"])
def test_cutting_the_end_off_is_found(chain: Chain, cut: int | str) -> None:
    first = 1 if cut == "all" else chain.length - int(cut) + 1
    chain.do(
        "DELETE FROM audit_payload WHERE event_id IN (SELECT id FROM audit_event WHERE position >= %s)", first
    )
    chain.do("DELETE FROM audit_event WHERE position >= %s", first)
    assert chain.faults() == [Fault(chain.length, "the chain does not end where its head says")]


def test_cutting_the_beginning_off_is_found(chain: Chain) -> None:
    chain.do("DELETE FROM audit_payload WHERE event_id IN (SELECT id FROM audit_event WHERE position <= 3)")
    chain.do("DELETE FROM audit_event WHERE position <= 3")
    assert chain.faults()[0] == Fault(1, "links 1 to 3 are missing")


def test_a_link_before_the_first_is_found(chain: Chain) -> None:
    chain.do("UPDATE audit_event SET position = 0 WHERE position = 1")
    assert 0 in chain.positions()


def test_a_link_at_the_end_that_the_head_does_not_know_is_found(chain: Chain) -> None:
    _insert(chain, chain.length)
    assert chain.faults() == [Fault(chain.length, "the chain does not end where its head says")]


@pytest.mark.parametrize(
    "what", ["position = position - 1", "position = position + 1", "hash = sha256('other')"]
)
def test_a_moved_head_is_found(chain: Chain, what: str) -> None:
    chain.do(f"UPDATE audit_head SET {what}")
    assert chain.faults()


def test_a_missing_head_is_found(chain: Chain) -> None:
    chain.do("DELETE FROM audit_head")
    assert chain.faults() == [Fault(chain.length, "the head is missing")]


def test_a_payload_of_nobody_is_found(chain: Chain) -> None:
    chain.do(
        "INSERT INTO audit_payload SELECT trust_id, gen_random_uuid(), school_id, salt, payload"
        " FROM audit_payload LIMIT 1"
    )
    assert chain.faults() == [Fault(0, "a payload belongs to no link")]


# -- recording ---------------------------------------------------------------------------------------------------


def test_an_undeclared_field_is_refused(world: World) -> None:
    with world.looking(), unit_of_work(), pytest.raises(ValueError, match="does not declare \\['name'\\]"):
        record(Actor.portal(world.trust_id), Action.SCHOOL_CHANGED, school_id=uuid4(), name="Ada Lovelace")


def test_every_action_declares_its_fields() -> None:
    assert set(FIELDS) == set(Action)


def test_nothing_is_recorded_of_what_did_not_happen(chain: Chain) -> None:
    def change_and_break() -> None:
        with unit_of_work():
            record(Actor.portal(chain.world.trust_id), Action.TRUST_CHANGED, fields=["name"])
            raise ZeroDivisionError

    with chain.world.looking(), pytest.raises(ZeroDivisionError):
        change_and_break()
    assert chain.faults() == []
    assert chain.superuser.execute("SELECT max(position) FROM audit_event").fetchall() == [(chain.length,)]


def test_recording_needs_a_unit_of_work(world: World) -> None:
    with world.looking(), pytest.raises(RuntimeError, match="no unit of work"):
        record(Actor.portal(world.trust_id), Action.TRUST_CHANGED)


def test_the_chain_of_another_trust_is_out_of_reach(world: World, other_world: World) -> None:
    with (
        world.looking(),
        pytest.raises(Exception, match="audit trail of another trust") as caught,
        unit_of_work(),
    ):
        record(Actor.portal(other_world.trust_id), Action.TRUST_CHANGED)
    assert isinstance(getattr(caught.value, "orig", None), psycopg.errors.InsufficientPrivilege)


def test_many_at_once_make_one_chain(chain: Chain) -> None:
    begin = threading.Barrier(4)

    def writing() -> None:
        begin.wait()
        with chain.world.app.app_context():
            for _ in range(10):
                with scope(Scope.job(chain.world.trust_id)), unit_of_work():
                    record(Actor.portal(chain.world.trust_id), Action.TRUST_CHANGED, fields=["name"])

    threads = [threading.Thread(target=writing) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain.faults() == []
    assert chain.superuser.execute("SELECT count(*), max(position) FROM audit_event").fetchall() == [
        (chain.length + 40, chain.length + 40)
    ]
