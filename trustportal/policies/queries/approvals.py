"""Approval runs, their decisions, and for whom they wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import defer

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.governance_models import Ratification
from trustportal.policies.models import (
    ApprovalDecision,
    ApprovalMember,
    ApprovalRun,
    Policy,
    TemplateVersion,
)


def get_run(run_id: UUID, *, lock: bool = False) -> ApprovalRun:
    """An approval run."""
    statement = select(ApprovalRun).where(ApprovalRun.id == run_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_pending_run(*, version_id: UUID | None = None, edition_id: UUID | None = None) -> ApprovalRun | None:
    """The run that judges a version or an edition now."""
    statement = select(ApprovalRun).where(ApprovalRun.state == "pending")
    statement = statement.where(
        ApprovalRun.version_id == version_id if version_id else ApprovalRun.edition_id == edition_id
    )
    return db.session.scalars(statement).one_or_none()


def list_runs(*, version_id: UUID | None = None, edition_ids: Collection[UUID] = ()) -> Sequence[ApprovalRun]:
    """The runs of a version, or of some editions, in order."""
    chosen = ApprovalRun.version_id == version_id if version_id else ApprovalRun.edition_id.in_(edition_ids)
    return db.session.scalars(select(ApprovalRun).where(chosen).order_by(ApprovalRun.submitted_at)).all()


def decisions_of(run_ids: Collection[UUID]) -> Sequence[ApprovalDecision]:
    """The decisions of some runs, in order."""
    return db.session.scalars(
        select(ApprovalDecision)
        .where(ApprovalDecision.run_id.in_(run_ids))
        .order_by(ApprovalDecision.decided_at)
    ).all()


@dataclass(frozen=True, slots=True)
class RunWaiting:
    """A run that waits for a person."""

    run: ApprovalRun
    policy: Policy


def runs_waiting_for(person_id: UUID) -> list[RunWaiting]:
    """The pending runs in whose present stage a person is asked and has not decided."""
    decided = (
        select(ApprovalDecision.id)
        .where(
            ApprovalDecision.trust_id == ApprovalRun.trust_id,
            ApprovalDecision.run_id == ApprovalRun.id,
            ApprovalDecision.stage == ApprovalRun.stage,
            ApprovalDecision.person_id == person_id,
        )
        .exists()
    )
    rows = db.session.execute(
        select(ApprovalRun, Policy)
        .join(Policy, and_(Policy.trust_id == ApprovalRun.trust_id, Policy.id == ApprovalRun.policy_id))
        .join(
            ApprovalMember,
            and_(
                ApprovalMember.trust_id == ApprovalRun.trust_id,
                ApprovalMember.run_id == ApprovalRun.id,
                ApprovalMember.stage == ApprovalRun.stage,
            ),
        )
        .where(ApprovalRun.state == "pending", ApprovalMember.person_id == person_id, ~decided)
        .order_by(ApprovalRun.submitted_at)
    )
    return [RunWaiting(run, policy) for run, policy in rows]


def pending_version_runs() -> list[RunWaiting]:
    """The pending runs about versions of the trust's own policies."""
    rows = db.session.execute(
        select(ApprovalRun, Policy)
        .join(Policy, and_(Policy.trust_id == ApprovalRun.trust_id, Policy.id == ApprovalRun.policy_id))
        .where(
            ApprovalRun.state == "pending",
            ApprovalRun.version_id.is_not(None),
            ApprovalRun.school_id.is_(None),
        )
        .order_by(ApprovalRun.submitted_at)
    )
    return [RunWaiting(run, policy) for run, policy in rows]


def pending_runs() -> Sequence[ApprovalRun]:
    """Every run that is open, locked: for what the clock and the leaving of people do to them."""
    return db.session.scalars(
        select(ApprovalRun)
        .where(ApprovalRun.state == "pending")
        .order_by(ApprovalRun.submitted_at, ApprovalRun.id)
        .with_for_update()
    ).all()


def pending_runs_of(policy_id: UUID) -> Sequence[ApprovalRun]:
    """The open runs about one policy, locked."""
    return db.session.scalars(
        select(ApprovalRun)
        .where(ApprovalRun.state == "pending", ApprovalRun.policy_id == policy_id)
        .with_for_update()
    ).all()


def runs_to_ratify() -> list[RunWaiting]:
    """The approved runs in which a chair acted alone, and whose body has not yet decided about it."""
    acted = (
        select(ApprovalDecision.id)
        .where(
            ApprovalDecision.trust_id == ApprovalRun.trust_id,
            ApprovalDecision.run_id == ApprovalRun.id,
            ApprovalDecision.choice == "chairs_action",
        )
        .exists()
    )
    ratified = (
        select(Ratification.id)
        .where(Ratification.trust_id == ApprovalRun.trust_id, Ratification.run_id == ApprovalRun.id)
        .exists()
    )
    rows = db.session.execute(
        select(ApprovalRun, Policy)
        .join(Policy, and_(Policy.trust_id == ApprovalRun.trust_id, Policy.id == ApprovalRun.policy_id))
        .where(ApprovalRun.version_id.is_not(None), ApprovalRun.state == "approved", acted, ~ratified)
        .order_by(ApprovalRun.ended_at)
    )
    return [RunWaiting(run, policy) for run, policy in rows]


def versions_to_publish() -> list[tuple[Policy, TemplateVersion]]:
    """The versions that were approved and wait for their day."""
    rows = db.session.execute(
        select(Policy, TemplateVersion)
        .join(
            TemplateVersion,
            and_(TemplateVersion.trust_id == Policy.trust_id, TemplateVersion.policy_id == Policy.id),
        )
        .options(defer(TemplateVersion.tree))
        .where(TemplateVersion.state == "approved", Policy.withdrawn_on.is_(None))
    )
    return [(policy, version) for policy, version in rows]
