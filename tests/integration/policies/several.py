"""Several schools with one policy, versions that wait to be published, and everybody's signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from tests.integration.policies.given import Social, run_quick_jobs, with_tree
from tests.world import Someone, World
from trustportal import blobs
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.queries import mine
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.jobs import Event
from trustportal.policies import queries, reading
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Mode, Weight
from trustportal.policies.models import Edition
from trustportal.policies.services import approvals, drafts, publishing
from trustportal.times import now, today


def beside(first: Social, name: str) -> Social:
    """Another school of the same trust, with its people; it has adopted the policy."""
    world = first.world
    place = world.school(name)
    made = replace(
        first,
        school=place,
        head=world.person(f"Hal {name}", (Role.HEADTEACHER, place)),
        chair=world.person(f"Cam {name}", (Role.CHAIR_OF_GOVERNORS, place)),
        teacher=world.person(f"Tam {name}", (Role.STAFF, place)),
    )
    run_quick_jobs(world)
    return made


def approved_version(
    first: Social,
    texts: dict[str, str | None],
    *,
    weights: dict[str, Weight] | None = None,
    modes: dict[str, Mode] | None = None,
) -> UUID:
    """The next version of the trust's text, approved and not yet published; None removes a clause."""
    world = first.world
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=first.policy_id, now=now())
        tree = tuple(
            replace(
                one,
                text=texts.get(one.key) or one.text,
                mode=(modes or {}).get(one.key, one.mode),
            )
            for one in reading.tree_of_version(version)
            if texts.get(one.key, "") is not None
        )
        with_tree(actor, version.id, tree)
    changed = {*texts, *(modes or ())}
    marks = {
        key: Mark((weights or {}).get(key, Weight.MATERIAL), "After the spring review.") for key in changed
    }
    with world.acting(world.manager) as actor:
        run = approvals.submit_version(
            actor, version_id=version.id, reason="After the spring review.", marks=marks, now=now()
        )
        run_id, content_hash = run.id, run.content_hash
    for trustee in first.trustees:
        with world.acting(trustee) as actor:
            approvals.decide(
                actor,
                run_id=run_id,
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=content_hash,
                now=now(),
                today=today(),
            )
    run_quick_jobs(world)
    return version.id


def publish_now(first: Social, version_id: UUID, *, decide_by: date | None = None) -> None:
    """Publish a version from today on, and bring it to its places."""
    world = first.world
    with world.acting(world.manager) as actor:
        publishing.publish_version(
            actor,
            version_id=version_id,
            effective_on=today(),
            decide_by=decide_by,
            now=now(),
            today=today(),
        )
    run_quick_jobs(world)


def store_pdfs(world: World) -> None:
    """A file in the place of every PDF that is still to be made."""
    with world.looking(), unit_of_work() as uow:
        for edition in db.session.scalars(select(Edition).where(Edition.state == "approved")):
            if edition.pdf_hash is None:
                edition.pdf_hash = blobs.put(b"%PDF-1.7 " + edition.id.bytes, "application/pdf")
                uow.announce(Event.PDF_STORED, edition_id=edition.id)
    run_quick_jobs(world)


def open_campaign(first: Social) -> None:
    """Everybody of the trust is asked to sign the policy."""
    world = first.world
    due_on = today() + timedelta(days=20)
    with world.acting(world.manager) as actor:
        acceptance.open_campaign(
            actor,
            title="Annual signing",
            policy_ids=[first.policy_id],
            academic_year=academic_year(due_on),
            roles=[role for role in Role if role is not Role.NETWORK_MANAGER],
            opens_on=today(),
            due_on=due_on,
            now=now(),
            today=today(),
        )
    run_quick_jobs(world)


def sign(first: Social, person: Someone) -> None:
    """Somebody signs all that they are asked to."""
    with first.world.acting(person):
        asked = mine.list_open(person.id)
    assert asked, f"{person.name} is not asked to sign"
    for one in asked:
        with first.world.acting(person) as actor:
            shown = acceptance.to_read(actor, assignment_id=one.id, today=today())
            acceptance.sign(
                actor,
                assignment_id=one.id,
                edition_id=shown.edition_id,
                statement_seen=shown.statement_version,
                confirmed=True,
                now=now(),
                today=today(),
                user_agent="A browser",
            )


def edition_of(one: Social) -> Edition | None:
    """The newest approved edition at a school."""
    with one.world.looking():
        return queries.find_latest_edition(one.policy_id, one.school.id)
