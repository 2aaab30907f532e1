"""The words of clauses: what a process remembers of them never outlives what the database has."""

from __future__ import annotations

from tests.world import World
from trustportal.db import unit_of_work
from trustportal.policies import texts
from trustportal.policies.domain.clauses import Words, words_hash

OURS = Words("Administrators", "Two people look after every account.")


def test_words_of_a_use_case_that_failed_are_stored_by_the_next(world: World) -> None:
    """Somebody's words are lost otherwise: the next edition would refer to them, and they would be nowhere."""
    digest = words_hash(OURS)
    with world.looking():
        try:
            with unit_of_work():
                texts.store([OURS])
                assert texts.load([digest]) == {digest: OURS}
                raise RuntimeError("somebody else was faster")
        except RuntimeError:
            assert texts.read_words([digest]) == {}
        with unit_of_work():
            texts.store([OURS])
    with world.looking():
        assert texts.read_words([digest]) == {digest: OURS}
        assert texts.load([digest]) == {digest: OURS}
