"""Who writes a policy: the trust's office its own, a school's head the school's."""

from __future__ import annotations

from uuid import UUID

from trustportal.access import Actor, Permission
from trustportal.errors import Forbidden
from trustportal.policies import queries
from trustportal.policies.models import Policy
from trustportal.tenants import queries as tenants
from trustportal.times import today


def may_write(actor: Actor, policy: Policy) -> bool:
    """Whether somebody writes this policy, sends it for approval and publishes what was approved."""
    if policy.school_id is None:
        return actor.can(Permission.TEMPLATE_EDIT)
    closes_on = tenants.get_school(policy.school_id).closes_on
    if closes_on is not None and closes_on <= today():
        return False
    return actor.can(Permission.OWN_POLICY_EDIT, policy.school_id)


def require_writer(actor: Actor, policy: Policy) -> None:
    """Raise `Forbidden` unless `may_write`."""
    if not may_write(actor, policy):
        raise Forbidden()


def require_writer_of(actor: Actor, version_id: UUID) -> None:
    """The same for the policy of a version."""
    require_writer(actor, queries.get_policy_by_id(queries.get_version(version_id).policy_id))
