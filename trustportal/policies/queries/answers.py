"""A school's working answers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from trustportal.db import db
from trustportal.policies.models import (
    AddedClause,
    Override,
)


def list_overrides(policy_id: UUID, school_id: UUID | None) -> Sequence[Override]:
    """A school's working answers."""
    if school_id is None:
        return []
    return db.session.scalars(
        select(Override).where(Override.policy_id == policy_id, Override.school_id == school_id)
    ).all()


def find_override(policy_id: UUID, school_id: UUID, key: str) -> Override | None:
    """A school's working answer about one clause."""
    return db.session.scalars(
        select(Override).where(
            Override.policy_id == policy_id, Override.school_id == school_id, Override.clause_key == key
        )
    ).one_or_none()


def list_added(policy_id: UUID, school_id: UUID | None) -> Sequence[AddedClause]:
    """The clauses that a school adds, in their order."""
    if school_id is None:
        return []
    return db.session.scalars(
        select(AddedClause)
        .where(AddedClause.policy_id == policy_id, AddedClause.school_id == school_id)
        .order_by(AddedClause.position, AddedClause.key)
    ).all()


def find_added(policy_id: UUID, school_id: UUID, key: str) -> AddedClause | None:
    """One clause that a school added."""
    return db.session.scalars(
        select(AddedClause).where(
            AddedClause.policy_id == policy_id, AddedClause.school_id == school_id, AddedClause.key == key
        )
    ).one_or_none()
