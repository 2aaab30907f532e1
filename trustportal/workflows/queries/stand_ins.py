"""Who stands in for the data protection officer where a record is disposed of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import select

from trustportal.access import Actor, Role
from trustportal.db import db
from trustportal.tenants import queries as tenants
from trustportal.workflows.allegation_models import DisposalAsk, StandIn
from trustportal.workflows.domain import keeping

#: Whose posts let them stand in. Neither who gives the other consent, nor who looks after the portal.
ROLES = (Role.TRUSTEE, Role.HR_LEAD, Role.CENTRAL_STAFF)


def list_stand_ins() -> list[StandIn]:
    """Those who stand in now, in the order in which they are asked."""
    return list(
        db.session.scalars(
            select(StandIn).where(StandIn.ended_at.is_(None)).order_by(StandIn.named_at, StandIn.id)
        )
    )


def still_asked(actor: Actor, asks: Iterable[DisposalAsk]) -> list[DisposalAsk]:
    """Those of somebody's asks for which they still hold the post, or stand in for it."""
    stands_in = any(one.person_id == actor.person_id for one in list_stand_ins())
    return [one for one in asks if keeping.may_consent(one.seat, actor.trust_roles, stands_in=stands_in)]


def nameable(on: date) -> dict[UUID, str]:
    """Who can be named: names by id, in the order of names."""
    found = {person for role in ROLES for person in tenants.people_with_role(role, on=on)}
    found -= {
        person
        for role in (Role.CHAIR_OF_TRUST_BOARD, Role.VICE_CHAIR_OF_TRUST_BOARD, Role.NETWORK_MANAGER)
        for person in tenants.people_with_role(role, on=on)
    }
    return dict(sorted(tenants.names_of(found).items(), key=lambda pair: pair[1]))
