"""Bringing an approved version to every place: each is rebased in a job of its own, never overwritten."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries
from trustportal.policies.domain.lifecycle import next_version
from trustportal.policies.domain.outlook import Answers, Detail, Outcome
from trustportal.policies.domain.plan import Pending, Plan
from trustportal.policies.domain.reconcile import Decision, kept_decisions
from trustportal.policies.models import (
    Edition,
    Policy,
    Publication,
    PublicationPlace,
    Reconcile,
    ReconcileClause,
    Standing,
    TemplateVersion,
)
from trustportal.policies.services import approvals, drafts, local, placing, writing
from trustportal.policies.services.foreseeing import AtPlace, Made, detail_of, look_at_place, outcome_of
from trustportal.tenants.models import School


def publish_version(
    actor: Actor,
    *,
    version_id: UUID,
    effective_on: date,
    decide_by: date | None = None,
    now: datetime,
    today: date,
) -> TemplateVersion:
    """Give an approved version its number and its day, and bring it to every place of the policy."""
    policy = queries.get_policy_by_id(queries.get_version(version_id).policy_id)
    if policy.school_id is None:
        actor.require(Permission.TEMPLATE_PUBLISH)
    else:
        writing.require_writer(actor, policy)
    if effective_on < today:
        raise RuleBroken(
            "A version takes effect today or later, not on a day that has passed.", "effective_on"
        )
    if decide_by is not None and decide_by < today:
        raise RuleBroken("The day by which schools decide has passed.", "decide_by")
    with unit_of_work() as uow:
        version = queries.get_version(version_id, lock=True)
        if version.state != "approved":
            raise RuleBroken("Only a version that was approved can be published.")
        policy = queries.get_policy_by_id(version.policy_id)
        latest = queries.find_latest_version(policy.id)
        if latest is not None and latest.effective_on is not None and effective_on < latest.effective_on:
            raise RuleBroken(
                "The version before this one takes effect later than that. Choose its day or a later one.",
                "effective_on",
            )
        version.number = next_version(one.number for one in queries.list_versions(policy.id) if one.number)
        version.state, version.published_by, version.published_at = "published", actor.person_id, now
        version.effective_on, version.decide_by = effective_on, decide_by
        placing.refuse_withdrawn(policy)
        drafts.show_as(policy, version)
        placing.take_effect(actor, policy, version, now=now)
        publication = Publication(id=uuid4(), version_id=version.id, started_at=now)
        db.session.add(publication)
        db.session.flush()
        for school_id in queries.places_of(policy, today):
            _bring_to(publication.id, school_id)
        audit.record(
            actor,
            Action.VERSION_PUBLISHED,
            policy_id=policy.id,
            version_id=version.id,
            number=version.number,
            effective_on=effective_on,
            content_hash=version.content_hash,
        )
        uow.announce(Event.VERSION_PUBLISHED, version_id=version.id)
    return version


def _bring_to(publication_id: UUID, school_id: UUID | None) -> None:
    place = PublicationPlace(
        id=uuid4(), publication_id=publication_id, school_id=school_id, outcome="waiting"
    )
    db.session.add(place)
    current_unit().announce(Event.PLACE_TO_REBASE, place_id=place.id)


def adopt_everything(actor: Actor, *, school_id: UUID, today: date) -> int:
    """A new school adopts the versions in force as its first editions. Returns how many policies it takes."""
    with unit_of_work():
        adopted = 0
        for policy in queries.policies_at(school_id):
            if policy.withdrawn_on is not None or queries.find_standing(policy.id, school_id) is not None:
                continue
            latest = queries.find_latest_version(policy.id)
            if latest is not None:
                publication = queries.get_publication(latest.id)
                if any(one.school_id == school_id for one in queries.publication_places(publication.id)):
                    continue
                _bring_to(publication.id, school_id)
                adopted += 1
    return adopted


def rebase_place(*, place_id: UUID, now: datetime, today: date) -> str:
    """Bring a version to one place; one transaction. Returns the outcome, which the publication's page shows.

    Where no decision is needed, the edition is made and approved by the template's own approval. Where any is, the
    edition in force stays, and the head is asked. What the school had not yet submitted is carried along, but is
    never approved by the trust's approval.
    """
    with unit_of_work() as uow:
        found = queries.get_place_to_bring(place_id)
        place, version, policy = found.place, found.version, found.policy
        if place.outcome not in {Outcome.WAITING, Outcome.VALUES_MISSING}:
            return place.outcome
        actor = Actor.portal(version.trust_id)
        at = look_at_place(policy, version, place.school_id, lock=True)
        if at.standing is not None and (at.stands_on(version).number or 0) > (version.number or 0):
            place.outcome, place.done_at = Outcome.FOLLOWS, now
            return place.outcome
        # A place that lacked a value did not have the version before today, whatever day the others have it from.
        earliest = today if place.outcome == Outcome.VALUES_MISSING else date.min
        outcome, detail = _bring(actor, policy, version, found.school, at, now, today, earliest)
        # What ends by itself may never have been in an edition: its words are kept here, where the school reads them.
        ended = [one.to_json() for one in at.plan.ended]
        place.outcome, place.detail, place.done_at = outcome, detail.to_json() | {"ended": ended}, now
        if ended:
            uow.announce(Event.ANSWERS_ENDED, place_id=place.id)
        if outcome is Outcome.TO_DECIDE:
            reconcile = queries.find_open_reconcile(policy.id, _some(place.school_id))
            assert reconcile is not None
            uow.announce(Event.RECONCILE_OPENED, reconcile_id=reconcile.id)
    return outcome


def _bring(
    actor: Actor,
    policy: Policy,
    version: TemplateVersion,
    school: School | None,
    at: AtPlace,
    now: datetime,
    today: date,
    earliest: date,
) -> tuple[Outcome, Detail]:
    school_id = school.id if school is not None else None
    standing = at.standing
    if standing is None:
        standing = Standing(policy_id=policy.id, school_id=school_id, version_id=version.id)
        db.session.add(standing)
        db.session.flush()
    elif at.at_work.submitted and (
        waiting := queries.find_submitted_edition(policy.id, school_id, lock=True)
    ):
        # Its words are the school's working answers, which go on to the new version below.
        local.end_submission(actor, waiting, now)
    plan, made = at.plan, None
    if plan.edition is not None:
        made = take(
            actor,
            policy,
            version,
            school,
            plan.edition,
            at.previous,
            standing,
            now=now,
            today=today,
            earliest=earliest,
        )
    if plan.working is not None and school_id is not None:
        deciding = at.at_work.deciding
        old = queries.find_open_reconcile(policy.id, school_id, lock=True) if deciding else None
        if plan.working.needs_decision:
            _open_reconcile(actor, policy, school_id, at.stands_on(version), version, plan.working, old, now)
            return outcome_of(at, made), detail_of(at, made)
        if old is not None:
            old.state, old.closed_at = "replaced", now
        if (dict(plan.working.overrides), tuple(plan.working.added)) != at.working:
            local.write_answers(actor, policy.id, school_id, plan.working.overrides, plan.working.added, now)
    standing.version_id = version.id
    return outcome_of(at, made), detail_of(at, made)


def take(
    actor: Actor,
    policy: Policy,
    version: TemplateVersion,
    school: School | None,
    answers: Answers,
    previous: Edition | None,
    standing: Standing,
    *,
    now: datetime,
    today: date,
    earliest: date = date.min,
    reason: str = "",
    also: list[dict[str, Any]] | None = None,
    by: str = "template",
) -> Made:
    """Make the place's edition by the template's own approval, or say which values it lacks. In a unit of work.

    `school` None: the trust itself. `previous`: the place's newest approved edition. `earliest`: no edition takes
    effect before that day. `also`: what is printed after the template's approval.
    """
    edition, missing = local.make_edition(
        actor,
        policy=policy,
        version=version,
        school_id=school.id if school is not None else None,
        answers=answers,
        previous=previous,
        reason=reason or version.reason,
        now=now,
    )
    if missing:
        standing.missing = list(missing)
        return Made(missing=tuple(missing))
    standing.missing = []
    local.approve_edition(
        actor,
        edition,
        approvals=[*_approvals_of(version), *(also or ())],
        effective_on=max(version.effective_on or today, _first_day(school, today), earliest),
        # The template's own approval is the edition's: that is the day which is printed.
        now=version.approved_at or now,
        by=by,
        policy=policy,
        taken=_taken(previous, version),
    )
    return Made(changed=len(edition.changes), material=edition.material)


#: By whom a published version was approved never changes; by trust, since trusts share nothing.
_kept_approvals: dict[tuple[UUID, UUID], list[dict[str, str]]] = {}


def _approvals_of(version: TemplateVersion) -> list[dict[str, Any]]:
    """The approval of a published version, as its editions print it."""
    key = (version.trust_id, version.id)
    if key not in _kept_approvals:
        ended = [one for one in queries.list_runs(version_id=version.id) if one.state == "approved"]
        if len(_kept_approvals) > 1_000:
            _kept_approvals.clear()
        _kept_approvals[key] = approvals.printed_approvals(ended[-1]) if ended else []
    return [dict(one) for one in _kept_approvals[key]]


def _taken(previous: Edition | None, version: TemplateVersion) -> list[tuple[int, int]] | None:
    """What the newest edition tells of the numbers that are taken; None where it does not tell enough."""
    if previous is None:
        return []
    return [(previous.major, previous.minor or 0)] if previous.major <= (version.number or 0) else None


def _first_day(school: School | None, today: date) -> date:
    """A school that joins later than the version took effect has its first edition from the day it joined."""
    return school.joined_on if school is not None and school.joined_on > today else date.min


def _open_reconcile(
    actor: Actor,
    policy: Policy,
    school_id: UUID,
    from_version: TemplateVersion,
    to_version: TemplateVersion,
    plan: Plan,
    old: Reconcile | None,
    now: datetime,
) -> None:
    """Ask the head. A newer version replaces an open reconcile and keeps the decisions whose texts did not change."""
    kept: dict[str, Decision] = {}
    who: dict[str, ReconcileClause] = {}
    if old is not None:
        rows = queries.reconcile_clauses(old.id)
        who = {row.clause_key: row for row in rows if row.choice}
        decided = {row.clause_key: decision_of(row) for row in rows if row.choice}
        kept = kept_decisions([Pending.from_json(row.texts) for row in rows], plan, decided)
        old.state, old.closed_at = "replaced", now
        db.session.flush()
    reconcile = Reconcile(
        id=uuid4(),
        school_id=school_id,
        policy_id=policy.id,
        from_version_id=from_version.id,
        to_version_id=to_version.id,
        state="open",
        follows=len(plan.follows) + len(plan.carried),
        due_on=to_version.decide_by,
        created_at=now,
    )
    db.session.add(reconcile)
    db.session.flush()
    for position, pending in enumerate(plan.pending):
        decision = kept.get(pending.key)
        db.session.add(
            ReconcileClause(
                school_id=school_id,
                reconcile_id=reconcile.id,
                clause_key=pending.key,
                position=position,
                situation=pending.situation.value,
                texts=pending.to_json(),
                choice=decision.choice.value if decision else None,
                written_heading=decision.heading if decision else "",
                written_text=decision.text if decision else "",
                reason=decision.reason if decision else "",
                decided_by=who[pending.key].decided_by if decision else None,
                decided_at=who[pending.key].decided_at if decision else None,
            )
        )
    audit.record(
        actor,
        Action.RECONCILE_OPENED,
        policy_id=policy.id,
        school_id=school_id,
        reconcile_id=reconcile.id,
        clauses=[pending.key for pending in plan.pending],
    )


def decision_of(row: ReconcileClause) -> Decision:
    """A decided row as the domain's decision."""
    stored: dict[str, Any] = {
        "choice": row.choice,
        "text": row.written_text,
        "heading": row.written_heading,
        "reason": row.reason,
    }
    return Decision.from_json(stored)


def _some(school_id: UUID | None) -> UUID:
    if school_id is None:
        raise RuntimeError("the trust itself has no answers to decide")
    return school_id


def announce_in_force(*, now: datetime, today: date) -> int:
    """Say of every edition whose day has come that it is in force. Returns how many."""
    with unit_of_work() as uow:
        due = queries.editions_to_announce(today)
        for edition in due:
            edition.in_force_announced_at = now
            uow.announce(Event.EDITION_IN_FORCE, edition_id=edition.id)
    return len(due)
