"""Roles as bits of a number: how a campaign's people are kept to be counted. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from trustportal.access import Role

#: A role's place here is its bit from the right, in every row that was ever written: a new role is added at the end.
BITS: tuple[Role, ...] = (
    Role.NETWORK_MANAGER,
    Role.TRUSTEE,
    Role.CHAIR_OF_TRUST_BOARD,
    Role.VICE_CHAIR_OF_TRUST_BOARD,
    Role.CLERK,
    Role.CEO,
    Role.HR_LEAD,
    Role.DPO,
    Role.CENTRAL_STAFF,
    Role.HEADTEACHER,
    Role.DEPUTY_HEADTEACHER,
    Role.CHAIR_OF_GOVERNORS,
    Role.VICE_CHAIR_OF_GOVERNORS,
    Role.GOVERNOR,
    Role.DSL,
    Role.BUSINESS_MANAGER,
    Role.LINE_MANAGER,
    Role.STAFF,
    Role.SUPPLY,
    Role.CONTRACTOR,
    Role.VOLUNTEER,
)


def as_bits(roles: Iterable[Role | str]) -> int:
    """Some roles as one number."""
    return sum(1 << BITS.index(Role(role)) for role in set(roles))


def from_bits(number: int) -> list[Role]:
    """The roles of a number, in the order in which they are named everywhere."""
    return [role for role in Role if number >> BITS.index(role) & 1]
