"""Roles as bits: what was written with them stays what it said."""

from __future__ import annotations

import runpy
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trustportal.acceptance.domain.counting import BITS, as_bits, from_bits
from trustportal.access import Role

MIGRATION = Path(__file__).parents[3] / "migrations" / "versions" / "0018_counted.py"


def test_every_role_has_a_bit_of_its_own_and_those_that_were_written_keep_theirs() -> None:
    assert set(BITS) == set(Role)
    assert len(BITS) == len(set(BITS))
    written = runpy.run_path(str(MIGRATION))["_ROLES"]
    assert BITS[: len(written)] == written


@given(st.sets(st.sampled_from(Role)))
def test_the_roles_come_back(roles: set[Role]) -> None:
    assert from_bits(as_bits(roles)) == [role for role in Role if role in roles]
    assert as_bits(str(role) for role in roles) == as_bits(roles)
