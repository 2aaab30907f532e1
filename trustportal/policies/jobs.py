"""Thin doors for workers: each calls one service. Who is told what is decided here, since mail is an effect."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from trustportal.access import Actor, Role
from trustportal.db import current_scope
from trustportal.jobs import Event, job
from trustportal.mail import notify
from trustportal.policies import queries
from trustportal.policies.services import documents, import_queue, publishing, values
from trustportal.tenants import queries as tenants
from trustportal.times import now, today


def _trust_id() -> UUID:
    scope = current_scope()
    assert scope is not None
    return scope.trust_id


def _public_url() -> str:
    address: str = current_app.config["PORTAL"].public_url
    return address


@job("default", on=Event.PLACE_TO_REBASE)
def rebase_place(*, place_id: str) -> None:
    """Bring a version to one place."""
    publishing.rebase_place(place_id=UUID(place_id), now=now(), today=today())


@job("default", on=Event.SCHOOL_CREATED)
def adopt_at_new_school(*, school_id: str) -> None:
    """A new school adopts the versions in force."""
    publishing.adopt_everything(Actor.portal(_trust_id()), school_id=UUID(school_id), today=today())


@job("default", on=Event.EDITION_APPROVED)
def announce_if_in_force(*, edition_id: str) -> None:
    """An edition whose day has come already is in force at once."""
    publishing.announce_in_force(now=now(), today=today())


@job("default", on=Event.DAY_BEGAN)
def announce_in_force(*, slot: str) -> None:
    """Editions take effect at 00:00 in England."""
    publishing.announce_in_force(now=now(), today=today())


@job("documents", on=Event.EDITION_APPROVED)
def make_edition_pdf(*, edition_id: str) -> None:
    """Make the PDF of an edition, once."""
    documents.make_edition_pdf(edition_id=UUID(edition_id), public_url=_public_url())


@job("documents", on=Event.VERSION_PUBLISHED)
def make_version_pdf(*, version_id: str) -> None:
    """Make the PDF of a template version, once."""
    documents.make_version_pdf(version_id=UUID(version_id), public_url=_public_url())


@job("documents", on=Event.DRAFT_PDF_WANTED)
def make_draft_pdf(*, version_id: str) -> None:
    """Make the PDF of a draft, with its watermark."""
    documents.make_draft_pdf(version_id=UUID(version_id), public_url=_public_url())


@job("documents", on=Event.IMPORT_WAITS)
def read_import(*, entry_id: str) -> None:
    """Read one file of a ZIP."""
    import_queue.read_entry(entry_id=UUID(entry_id), now=now())


@job("default", on=Event.PLACEHOLDER_CHANGED)
def look_at_values(*, school_id: str) -> None:
    """A value changed at a place: its policies that use it wait for their release, or can be adopted now."""
    values.look_at_place(UUID(school_id) if school_id else None, now=now(), today=today())


# -- who is told -------------------------------------------------------------------------------------------------


@job("default", on=Event.APPROVAL_ASKED)
def ask_approvers(*, run_id: str) -> None:
    """Tell those who are asked in the present stage, and have not decided."""
    run = queries.get_run(UUID(run_id))
    if run.state != "pending":
        return
    policy = queries.get_policy_by_id(run.policy_id)
    decided = {row.person_id for row in queries.decisions_of([run.id]) if row.stage == run.stage}
    trust = tenants.get_trust()
    place = tenants.place_name(run.school_id) if run.school_id else "the trust"
    for member in run.stages[run.stage]["members"]:
        if UUID(member) in decided:
            continue
        notify(
            UUID(member),
            subject=f"Your decision is needed: {policy.title}",
            body=f"A change to “{policy.title}” ({place}) waits for your decision. It shows what changed; two minutes.",
            path=f"/t/{trust.slug}/approvals/{run.id}",
            school_id=run.school_id,
        )


@job("default", on=Event.APPROVAL_ENDED)
def tell_submitter(*, run_id: str) -> None:
    """Tell the submitter how it ended, and the network managers that a version can be published."""
    run = queries.get_run(UUID(run_id))
    policy = queries.get_policy_by_id(run.policy_id)
    trust = tenants.get_trust()
    if run.school_id is not None:
        school = tenants.get_school(run.school_id)
        path = f"/t/{trust.slug}/schools/{school.slug}/policies/{policy.slug}"
    else:
        path = f"/t/{trust.slug}/policies/{policy.slug}"
    if run.state == "approved":
        said = "was approved." if run.school_id else "was approved. It can be published now."
    else:
        said = "came back with comments."
    notify(
        run.submitted_by,
        subject=f"{policy.title}: {'approved' if run.state == 'approved' else 'changes asked for'}",
        body=f"What you sent for approval of “{policy.title}” {said}",
        path=path,
        school_id=run.school_id,
    )


@job("default", on=Event.RECONCILE_OPENED)
def ask_head(*, reconcile_id: str) -> None:
    """Tell the head that the trust's new version touches what the school changed."""
    reconcile = queries.get_reconcile(UUID(reconcile_id))
    if reconcile.state != "open":
        return
    policy = queries.get_policy_by_id(reconcile.policy_id)
    school = tenants.get_school(reconcile.school_id)
    waiting = queries.count_undecided([reconcile.id]).get(reconcile.id, 0)
    clauses = "one clause" if waiting == 1 else f"{waiting} clauses"
    for person_id in tenants.people_with_role(Role.HEADTEACHER, on=today(), school_id=reconcile.school_id):
        notify(
            person_id,
            subject=f"{policy.title}: decide {clauses} for {school.short_name}",
            body="The trust published a new version."
            f" It changes words that {school.name} had changed too, in {clauses}."
            " Until you decide, your present edition stays in force.",
            path=f"/t/{tenants.get_trust().slug}/schools/{school.slug}/policies/{policy.slug}/reconcile",
            school_id=school.id,
        )
