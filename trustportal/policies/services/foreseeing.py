"""What a version does at a place: looked at before publishing, and acted on when it is published.

The dry run (`foresee_place`) goes the same way as publishing up to the point where rows would be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete

from trustportal.access import Actor, Permission
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries, reading, signers
from trustportal.policies.domain.answers import Added, Override
from trustportal.policies.domain.outlook import Answers, Detail, Outcome, PlacePlan, plan_place
from trustportal.policies.domain.reconcile import apply_decisions, forced
from trustportal.policies.models import Edition, Outlook, OutlookPlace, Policy, Standing, TemplateVersion
from trustportal.policies.queries import AtWork
from trustportal.policies.services import local


@dataclass(frozen=True, slots=True)
class AtPlace:
    """How a place stands before a version, and the plan for it. `standing` None: it is new to the policy."""

    standing: Standing | None
    #: The version that its answers stand on.
    version: TemplateVersion | None
    previous: Edition | None
    #: The answers that the school is working on.
    working: tuple[Mapping[str, Override], tuple[Added, ...]]
    plan: PlacePlan
    at_work: AtWork = field(default_factory=AtWork)

    def stands_on(self, version: TemplateVersion) -> TemplateVersion:
        """The version that its answers stand on; for a place that is new to the policy, the one that comes."""
        return self.version or version


def look_at_place(
    policy: Policy, version: TemplateVersion, school_id: UUID | None, *, lock: bool = False
) -> AtPlace:
    """Load a place and plan a version for it. `lock`: nobody changes its answers until the transaction ends."""
    stands = queries.find_standing_with_version(policy.id, school_id, lock=lock)
    previous = queries.find_latest_edition(policy.id, school_id)
    new_tree = reading.tree_of_version(version)
    if stands is None:
        return AtPlace(None, None, previous, ({}, ()), plan_place(new_tree, approved=None, working=None))
    standing, have = stands
    approved = None
    if previous is not None:
        made_of = have
        if previous.template_version_id != have.id:
            made_of = queries.get_version(previous.template_version_id)
        approved = (reading.tree_of_version(made_of), reading.answers_in(previous))
    at_work = queries.what_is_at_work(standing)
    working = reading.answers_of(
        queries.list_overrides(policy.id, school_id) if at_work.overrides else (),
        queries.list_added(policy.id, school_id) if at_work.added else (),
    )
    plan = plan_place(
        new_tree,
        approved=approved,
        working=(reading.tree_of_version(have), working) if school_id is not None else None,
    )
    return AtPlace(standing, have, previous, working, plan, at_work)


@dataclass(frozen=True, slots=True)
class Made:
    """An edition that was made by the template's approval, or would be. With `missing`, none is."""

    changed: int = 0
    material: bool | None = None
    missing: tuple[str, ...] = ()


def outcome_of(at: AtPlace, made: Made | None) -> Outcome:
    """What becomes of the place. `made`: its edition, where one comes by itself."""
    if at.plan.needs_decision:
        return Outcome.TO_DECIDE
    if made is None or made.missing:
        return Outcome.VALUES_MISSING if made else Outcome.FOLLOWS
    if at.standing is None:
        return Outcome.ADOPTED
    return Outcome.FOLLOWS if made.changed or at.previous is None else Outcome.UNCHANGED


def detail_of(at: AtPlace, made: Made | None) -> Detail:
    """Which clauses are touched there, and how heavy its edition is."""
    made = made or Made()
    return Detail.of(at.plan, changed=made.changed, material=made.material, missing=made.missing)


# -- the dry run -------------------------------------------------------------------------------------------------


def begin_outlook(
    version_id: UUID, *, now: datetime, today: date, unless_since: datetime | None = None
) -> None:
    """Work out, or work out again, what an approved version will do: a job for each place.

    `unless_since`: nothing is done where it was begun after that instant.
    """
    with unit_of_work() as uow:
        version = queries.get_version(version_id, lock=True)
        if version.state != "approved":
            return
        begun = queries.find_outlook(version_id)
        if begun is not None and unless_since is not None and begun.started_at >= unless_since:
            return
        db.session.execute(delete(Outlook).where(Outlook.version_id == version.id))
        outlook = Outlook(id=uuid4(), version_id=version.id, on_day=today, started_at=now)
        db.session.add(outlook)
        db.session.flush()
        for school_id in queries.places_of(queries.get_policy_by_id(version.policy_id), today):
            place = OutlookPlace(
                id=uuid4(), outlook_id=outlook.id, school_id=school_id, outcome=Outcome.WAITING.value
            )
            db.session.add(place)
            uow.announce(Event.PLACE_TO_FORESEE, place_id=place.id)


def work_out_again(actor: Actor, *, version_id: UUID, now: datetime, today: date) -> None:
    """The person who publishes asks for the figures of today."""
    actor.require(Permission.TEMPLATE_PUBLISH)
    with unit_of_work():
        if queries.get_version(version_id).state != "approved":
            raise RuleBroken(
                "Only a version that was approved, and is not yet published, can be looked ahead."
            )
        begin_outlook(version_id, now=now, today=today)


def foresee_place(*, place_id: UUID, now: datetime, today: date) -> Outcome | None:
    """What the version will do at one place; nothing but the place's own row is written.

    None when the figures were asked for anew meanwhile, or the version is no longer waiting to be published.
    """
    with unit_of_work():
        place = queries.find_outlook_place(place_id, lock=True)
        if place is None:
            return None
        if place.outcome != Outcome.WAITING:
            return Outcome(place.outcome)
        version = queries.get_version(queries.version_of_outlook(place.outlook_id))
        if version.state != "approved":
            return None
        policy = queries.get_policy_by_id(version.policy_id)
        at = look_at_place(policy, version, place.school_id)
        made = _would_make(policy, version, place.school_id, at, at.plan.edition)
        outcome = outcome_of(at, made)
        place.outcome, place.done_at = outcome.value, now
        place.detail = detail_of(at, made).to_json()
        place.people = _would_ask(policy, version, place.school_id, at, made, today)
    return outcome


def _would_make(
    policy: Policy,
    version: TemplateVersion,
    school_id: UUID | None,
    at: AtPlace,
    answers: Answers | None,
) -> Made | None:
    if answers is None:
        return None
    composed = local.compose(policy, version, school_id, answers, at.previous)
    if composed.missing:
        return Made(missing=composed.missing)
    return Made(len(composed.rows), composed.material)


def _would_ask(
    policy: Policy,
    version: TemplateVersion,
    school_id: UUID | None,
    at: AtPlace,
    made: Made | None,
    today: date,
) -> int | None:
    """How many people sign again. Where the head decides first: as if the trust's text were taken everywhere."""
    if made is None and at.plan.working is not None:
        answers = apply_decisions(at.plan.working, forced(at.plan.working))
        made = _would_make(policy, version, school_id, at, answers)
    if made is None or made.missing:
        return 0
    return signers.would_ask(policy.id, school_id, material=bool(made.material), on=today)


__all__ = [
    "AtPlace",
    "Made",
    "begin_outlook",
    "detail_of",
    "foresee_place",
    "look_at_place",
    "outcome_of",
    "work_out_again",
]
