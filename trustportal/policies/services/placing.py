"""Where policies apply: said in a draft, decided with it, and true from its publication on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete

from trustportal.access import Actor
from trustportal.db import db
from trustportal.errors import RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain.places import Where
from trustportal.policies.ending_models import PlaceEnding
from trustportal.policies.models import Policy, PolicyPlace, TemplateVersion
from trustportal.policies.services import local
from trustportal.times import day_of


def where_of(policy: Policy, version: TemplateVersion | None) -> Where:
    """Where a version will apply, as it says; one that says nothing leaves it as it is."""
    if version is not None and version.header.get("where"):
        return Where.from_json(version.header["where"])
    return queries.where_now(policy)


def take_effect(actor: Actor, policy: Policy, version: TemplateVersion, *, now: datetime) -> None:
    """Make a policy apply where its version says. Inside the unit of work that publishes it.

    At a place that is taken out it ends today, and with it what is being decided or approved there.
    """
    where, before = where_of(policy, version), queries.where_now(policy)
    if where == before:
        return
    _end(actor, policy, version, before, where, now)
    db.session.execute(delete(PolicyPlace).where(PolicyPlace.policy_id == policy.id))
    policy.places = "all" if where.schools is None else "some"
    if where.trust:
        db.session.add(PolicyPlace(policy_id=policy.id, school_id=None))
    db.session.add_all(
        PolicyPlace(policy_id=policy.id, school_id=UUID(one)) for one in sorted(where.schools or ())
    )
    db.session.flush()


def _end(
    actor: Actor, policy: Policy, version: TemplateVersion, before: Where, after: Where, now: datetime
) -> None:
    gone = [
        standing.school_id
        for standing in queries.list_standings(policy.id)
        if before.takes_in(standing.school_id) and not after.takes_in(standing.school_id)
    ]
    for school_id in gone:
        db.session.add(
            PlaceEnding(
                policy_id=policy.id,
                school_id=school_id,
                version_id=version.id,
                number=version.number,
                ended_on=day_of(now),
            )
        )
        waiting = queries.find_submitted_edition(policy.id, school_id, lock=True)
        if waiting is not None:
            local.end_submission(actor, waiting, now)
    for reconcile in queries.open_reconciles(policy.id):
        if reconcile.school_id in gone:
            reconcile.state, reconcile.closed_at = "replaced", now


def refuse_withdrawn(policy: Policy) -> None:
    """Raise `RuleBroken` where a policy has been withdrawn, or will be: nothing new is made of it."""
    if policy.withdrawn_on is not None:
        raise RuleBroken("This policy has been withdrawn: it can be read, but no longer changed.")
