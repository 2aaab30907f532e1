"""Numbers that other pages show: who will be asked to sign again, and how many have signed a school's policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.acceptance.domain.again import Effect, effect_at
from trustportal.acceptance.domain.campaign import reaches
from trustportal.acceptance.domain.planning import plan_assignments
from trustportal.acceptance.queries import facts
from trustportal.acceptance.queries.facts import Place
from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.policies.domain.changes import Mark, marks_from_json
from trustportal.policies.domain.clauses import Tree
from trustportal.policies.models import TemplateVersion
from trustportal.policies.services.local.editions import trust_marks


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """What publishing a version means for signing. People are counted once, signatures once at each place."""

    people: int
    signatures: int
    #: People with something open, who sign the new text instead of the old one.
    move: int
    material: Sequence[Place]
    editorial: Sequence[Place]
    to_decide: Sequence[Place]
    #: Whether a campaign asks people to sign this policy at all.
    campaign: bool


def people_asked_again(version: TemplateVersion, *, today: date) -> AskedAgain:
    """How many people a version asks to sign again, once it is published and everywhere in force.

    Only those whose own edition changes materially are asked: not at a school that says something else in those
    clauses. Schools that have to decide first are told apart. A fixed number of queries for any number of schools.
    """
    policy = policies.get_policy_by_id(version.policy_id)
    effects = _effects(version, today)
    running = [one for one in facts.running_campaigns(today) if policy.id in one.facts.policy_ids]
    reached = [place for place in effects if any(reaches(one.places, place) for one in running)]
    people: set[UUID] = set()
    moving: set[UUID] = set()
    signatures = 0
    for place, found in facts.place_facts(today, running, reached).items():
        plan = plan_assignments(found)
        standing = {person for person, about in plan.stands if about == policy.id}
        if effects[place] is Effect.MATERIAL:
            people |= standing
            signatures += len(standing)
        if effects[place] is not Effect.TO_DECIDE:
            moving |= {one.person_id for one in found.asked if one.policy_id == policy.id}
    return AskedAgain(
        people=len(people),
        signatures=signatures,
        move=len(moving - people),
        material=[place for place, effect in effects.items() if effect is Effect.MATERIAL],
        editorial=[place for place, effect in effects.items() if effect is Effect.EDITORIAL],
        to_decide=[place for place, effect in effects.items() if effect is Effect.TO_DECIDE],
        campaign=bool(running),
    )


def _effects(version: TemplateVersion, today: date) -> dict[Place, Effect]:
    """What the version does at each place that has an edition in force."""
    new = reading.tree_of_version(version)
    based: dict[UUID, tuple[Tree, dict[str, Mark]]] = {}
    found: dict[Place, Effect] = {}
    for edition in policies.editions_in_force(today, [version.policy_id], whole=True):
        base = edition.template_version_id
        if base == version.id:
            continue
        if base not in based:
            marks = trust_marks(edition, version) if base != version.id else {}
            based[base] = (
                reading.tree_of_version(policies.get_version(base)),
                marks or marks_from_json(version.marks),
            )
        old, marks = based[base]
        found[edition.school_id] = effect_at(old, new, marks, reading.answers_in(edition))
    return found
