"""Where policies apply: said in a draft, decided with it, and true from its publication on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete

from trustportal.db import db
from trustportal.errors import RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain.places import Where
from trustportal.policies.models import Policy, PolicyPlace, TemplateVersion


def where_of(policy: Policy, version: TemplateVersion | None) -> Where:
    """Where a version will apply, as it says; one that says nothing leaves it as it is."""
    if version is not None and version.header.get("where"):
        return Where.from_json(version.header["where"])
    return queries.where_now(policy)


def take_effect(policy: Policy, version: TemplateVersion) -> None:
    """Make a policy apply where its version says. Inside the unit of work that publishes it."""
    where = where_of(policy, version)
    if where == queries.where_now(policy):
        return
    db.session.execute(delete(PolicyPlace).where(PolicyPlace.policy_id == policy.id))
    policy.places = "all" if where.schools is None else "some"
    if where.trust:
        db.session.add(PolicyPlace(policy_id=policy.id, school_id=None))
    db.session.add_all(
        PolicyPlace(policy_id=policy.id, school_id=UUID(one)) for one in sorted(where.schools or ())
    )
    db.session.flush()


def refuse_withdrawn(policy: Policy) -> None:
    """Raise `RuleBroken` where a policy has been withdrawn, or will be: nothing new is made of it."""
    if policy.withdrawn_on is not None:
        raise RuleBroken("This policy has been withdrawn: it can be read, but no longer changed.")
