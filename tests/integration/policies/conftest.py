"""Fixtures of the tests of policies."""

from __future__ import annotations

from tests.integration.moments import moment
from tests.integration.policies.given import Social, social
from tests.world import World


@moment
def at_ashgrove(world: World) -> Social:
    """A policy in force at one school, word for word the trust's."""
    return social(world)
