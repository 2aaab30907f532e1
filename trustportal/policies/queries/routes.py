"""Who approves what: the routes that the trust has set, and what holds where it has set none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from trustportal.db import db
from trustportal.policies.domain import routes
from trustportal.policies.domain.routes import Step
from trustportal.policies.governance_models import ApprovalRoute, Ratification
from trustportal.policies.models import Policy


def _is(column: Any, value: UUID | None) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def find_route(
    kind: str, *, policy_id: UUID | None = None, school_id: UUID | None = None, lock: bool = False
) -> ApprovalRoute | None:
    """The route that was set for exactly this: a policy's versions, all versions, or a school's changes."""
    statement = select(ApprovalRoute).where(
        ApprovalRoute.kind == kind,
        _is(ApprovalRoute.policy_id, policy_id),
        _is(ApprovalRoute.school_id, school_id),
    )
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement).one_or_none()


def list_routes(kind: str) -> Sequence[ApprovalRoute]:
    """Every route of a kind that was set and that the scope sees."""
    return db.session.scalars(select(ApprovalRoute).where(ApprovalRoute.kind == kind)).all()


def route_of_versions(policy: Policy | None) -> tuple[Step, ...]:
    """Who approves a policy's versions: its own route, else the trust's, else the one it was made with."""
    own = find_route("version", policy_id=policy.id) if policy is not None else None
    found = own or find_route("version")
    if found is not None:
        return routes.steps_from_json(found.steps)
    if policy is not None and policy.route:
        return routes.steps_from_json(policy.route)
    return (routes.DEFAULT,)


def route_of_changes(school_id: UUID) -> tuple[Step, ...]:
    """Who approves a school's own changes: as the trust delegated it; () where it did not say."""
    found = find_route("edition", school_id=school_id)
    return routes.steps_from_json(found.steps) if found is not None else ()


def find_ratification(run_id: UUID) -> Ratification | None:
    """What the body decided about its chair's action."""
    return db.session.scalars(select(Ratification).where(Ratification.run_id == run_id)).one_or_none()
