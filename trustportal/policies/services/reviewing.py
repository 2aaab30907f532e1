"""Reviews: who is responsible for each policy, when its review is due, and reminding them by the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert

from trustportal import audit
from trustportal.access import SCHOOL_ROLES, TRUST_ROLES, Actor, Role
from trustportal.audit import Action
from trustportal.db import current_scope, db, unit_of_work
from trustportal.mail import notify
from trustportal.policies import queries, reading
from trustportal.policies.domain.register import post_named, reminder_slot
from trustportal.policies.governance_models import ReviewReminder
from trustportal.policies.models import Policy
from trustportal.policies.queries import register
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


@dataclass(frozen=True, slots=True)
class Review:
    """A policy in force, and when it is to be reviewed. `role`: the post that answers for it, at its place."""

    policy: Policy
    school_id: UUID | None
    responsible: str
    role: Role
    #: Whether the header names a post that the portal knows; otherwise `role` stands in.
    named: bool
    review_on: date


def list_reviews(on: date) -> list[Review]:
    """Every policy in force with its review: the trust's by version, a school's own by edition. A few queries."""
    policies = {one.id: one for one in queries.list_policies()}
    settings, schools = tenants.get_settings(), {one.id: one for one in tenants.list_schools()}
    found: list[Review] = []
    dated: Mapping[UUID, reading.Dated] = {
        **register.versions_in_force(on, whole=False),
        **register.own_editions(on),
    }
    for policy_id, row in dated.items():
        policy = policies.get(policy_id)
        if policy is None or (policy.withdrawn_on is not None and policy.withdrawn_on <= on):
            continue
        school = schools.get(policy.school_id) if policy.school_id else None
        if school is not None and school.closes_on is not None and school.closes_on <= on:
            continue
        header = reading.header_of(row)
        if header.next_review_on is None:
            continue
        labels: list[Mapping[str, str]] = [settings.role_labels]
        if school is not None:
            labels.insert(0, school.role_labels)
        here = SCHOOL_ROLES if school is not None else TRUST_ROLES
        post = post_named(header.person_responsible, labels, [one for one in Role if one in here])
        stand_in = Role.HEADTEACHER if school is not None else Role.NETWORK_MANAGER
        found.append(
            Review(
                policy,
                policy.school_id,
                header.person_responsible,
                post or stand_in,
                post is not None,
                header.next_review_on,
            )
        )
    return sorted(found, key=lambda one: (one.review_on, one.policy.title))


def holders(review: Review, on: date) -> Sequence[UUID]:
    """Who holds the post that answers for a policy; where it is vacant, who stands in."""
    people = tenants.people_with_role(review.role, on=on, school_id=review.school_id)
    if people:
        return people
    stand_in = Role.HEADTEACHER if review.school_id is not None else Role.NETWORK_MANAGER
    return tenants.people_with_role(stand_in, on=on, school_id=review.school_id)


def remind(actor: Actor, *, now: datetime) -> int:
    """Remind whoever answers for a policy: two months, one month, one week before its review, then every week.

    Each slot once, however often this runs; several policies of one person become one mail. Returns how many.
    """
    today, reminded = day_of(now), 0
    with unit_of_work():
        slug = tenants.get_trust().slug
        for review in list_reviews(today):
            slot = reminder_slot(review.review_on, today)
            if slot is None or not _claim(review, slot, now):
                continue
            people = holders(review, today)
            for person_id in people:
                notify(
                    person_id,
                    subject=f"Review {_late(review, today)}: {review.policy.title}",
                    body=f"“{review.policy.title}” is to be reviewed by {review.review_on:%-d %B %Y}"
                    f"{', which has passed' if review.review_on < today else ''}."
                    f" {review.responsible or 'Its owner'} answers for it.",
                    path=_path(review, slug),
                    school_id=review.school_id,
                )
            audit.record(
                actor,
                Action.REVIEW_REMINDED,
                policy_id=review.policy.id,
                school_id=review.school_id,
                review_on=review.review_on,
                slot_on=slot,
                count=len(people),
            )
            reminded += 1
    return reminded


def _claim(review: Review, slot: date, now: datetime) -> bool:
    scope = current_scope()
    assert scope is not None
    taken = db.session.execute(
        insert(ReviewReminder)
        .values(
            id=uuid4(),
            trust_id=scope.trust_id,
            policy_id=review.policy.id,
            school_id=review.school_id,
            review_on=review.review_on,
            slot_on=slot,
            reminded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ReviewReminder.id)
    ).scalar()
    return taken is not None


def _late(review: Review, today: date) -> str:
    return "overdue" if review.review_on < today else "due"


def _path(review: Review, slug: str) -> str:
    if review.school_id is None:
        return f"/t/{slug}/policies/{review.policy.slug}"
    school = tenants.get_school(review.school_id)
    return f"/t/{slug}/schools/{school.slug}/policies/{review.policy.slug}"
