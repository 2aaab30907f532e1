"""Thin doors for workers: each calls one service. Who is told what is decided here, since mail is an effect."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import current_app

from trustportal.access import Actor, Role
from trustportal.db import current_scope
from trustportal.jobs import Event, job
from trustportal.mail import notify
from trustportal.policies import queries
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.models import Reconcile
from trustportal.policies.queries import consultations
from trustportal.policies.services import (
    approvals,
    consulting,
    documents,
    foreseeing,
    import_queue,
    lint,
    publishing,
    reconciling,
    redlines,
    reviewing,
    values,
)
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.words import day, plural


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


@job("default", on=Event.APPROVAL_ENDED)
def foresee_version(*, run_id: str) -> None:
    """A version that was approved can be published: its effect is worked out."""
    run = queries.get_run(UUID(run_id))
    if run.state == "approved" and run.version_id is not None:
        foreseeing.begin_outlook(run.version_id, now=now(), today=today(), unless_since=run.ended_at)


@job("default", on=Event.PLACE_TO_FORESEE)
def foresee_place(*, place_id: str) -> None:
    """What a version will do at one place."""
    foreseeing.foresee_place(place_id=UUID(place_id), now=now(), today=today())


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


@job("default", on=Event.DAY_BEGAN)
def look_at_guidance(*, slot: str) -> None:
    """Records of the dictionary end on their day: what still names them in force is to be reviewed."""
    lint.look_at_guidance(trust_id=_trust_id(), now=now(), today=today())


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


@job("documents", on=Event.REDLINE_WANTED)
def make_redline_pdf(*, redline_id: str) -> None:
    """Make the PDF of a redline, once."""
    redlines.make_redline_pdf(redline_id=UUID(redline_id))


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
    if run.edition_id is not None and run.school_id is not None:
        school = tenants.get_school(run.school_id)
        path = f"/t/{trust.slug}/schools/{school.slug}/policies/{policy.slug}"
    else:
        path = f"/t/{trust.slug}/policies/{policy.slug}"
    if run.state == "approved":
        said = "was approved." if run.edition_id else "was approved. It can be published now."
    elif any(row.comment for row in queries.decisions_of([run.id])):
        said = "came back with comments."
    else:
        said = "came back: too few of those who were asked may still vote on it."
    notify(
        run.submitted_by,
        subject=f"{policy.title}: {'approved' if run.state == 'approved' else 'changes asked for'}",
        body=f"What you sent for approval of “{policy.title}” {said}",
        path=path,
        school_id=run.school_id,
    )


@job("default", on=Event.CONSULTATION_OPENED)
def ask_for_comments(*, consultation_id: str) -> None:
    """Tell everybody who is asked that a draft is open for comment."""
    found = consultations.get_consultation(UUID(consultation_id))
    if found.closed_at is not None:
        return
    policy = queries.get_policy_by_id(queries.get_version(found.version_id).policy_id)
    roles = [Role(role) for role in found.roles]
    people = {one.person_id for one in tenants.list_serving(on=today(), roles=roles)}
    for person_id in sorted(people - {found.opened_by}, key=str):
        notify(
            person_id,
            subject=f"What do you think? A new draft of {policy.title}",
            body=f"A draft of “{policy.title}” is open for your comments until {found.until:%-d %B %Y}."
            f" {found.question}".rstrip(),
            path=f"/t/{tenants.get_trust().slug}/policies/{policy.slug}/comments",
        )


@job("default", on=Event.CONSULTATION_CLOSED)
def tell_of_comments(*, consultation_id: str) -> None:
    """Tell whoever asked how many comments came."""
    found = consultations.get_consultation(UUID(consultation_id))
    if found.opened_by is None:
        return
    policy = queries.get_policy_by_id(queries.get_version(found.version_id).policy_id)
    said = consultations.list_comments([found.id])
    notify(
        found.opened_by,
        subject=f"{policy.title}: the time for comments has ended",
        body=f"{plural(len(said), 'comment')} on the draft of “{policy.title}”,"
        f" {sum(one.answered_at is None for one in said)} not answered yet.",
        path=f"/t/{tenants.get_trust().slug}/policies/{policy.slug}/comments",
    )


@job("default", on=Event.DAY_BEGAN)
def close_consultations(*, slot: str) -> None:
    """Comments end with their last day."""
    consulting.close_what_is_over(Actor.portal(_trust_id()), now=now(), today=today())


@job("default", on=Event.REMINDERS_DUE)
def remind_of_reviews(*, slot: str) -> None:
    """Remind whoever answers for a policy whose review comes near or has passed."""
    reviewing.remind(Actor.portal(_trust_id()), now=now())


@job("default", on=Event.APPROVAL_RATIFIED)
def tell_of_ratification(*, run_id: str) -> None:
    """Tell whoever sent it what the body said about its chair's action."""
    run, found = queries.get_run(UUID(run_id)), queries.find_ratification(UUID(run_id))
    if found is None:
        return
    policy = queries.get_policy_by_id(run.policy_id)
    yes = found.outcome == "ratified"
    notify(
        run.submitted_by,
        subject=f"{policy.title}: chair’s action {'ratified' if yes else 'not ratified'}",
        body=f"{found.body} {'ratified' if yes else 'did not ratify'} its chair’s action about “{policy.title}”"
        f" ({found.minute_reference}).{' ' + found.comment if found.comment else ''}",
        path=f"/t/{tenants.get_trust().slug}/approvals/{run.id}",
    )


@job("default", on=Event.MEMBERSHIP_CHANGED)
def settle_approvals(*, person_id: str, membership_id: str = "", school_id: str = "") -> None:
    """Somebody lost a post: approvals in which they were asked go on without them."""
    approvals.settle(Actor.portal(_trust_id()), now=now(), today=today())


@job("default", on=Event.DAY_BEGAN)
def settle_approvals_of_the_day(*, slot: str) -> None:
    """Roles ended yesterday: approvals go on without those who held them."""
    approvals.settle(Actor.portal(_trust_id()), now=now(), today=today())


@job("default", on=Event.RECONCILE_OPENED)
def ask_head(*, reconcile_id: str) -> None:
    """Tell the head that the trust's new version touches what the school changed."""
    reconcile = queries.get_reconcile(UUID(reconcile_id))
    if reconcile.state != "open":
        return
    by = f" The trust asks for your decision by {day(reconcile.due_on)}." if reconcile.due_on else ""
    _tell_school(
        reconcile,
        "{policy}: decide {clauses} for {school}",
        "The trust published a new version. It changes words that your school had changed too, in {clauses}."
        f" Until you decide, your present edition stays in force.{by}",
    )


@job("default", on=Event.REMINDERS_DUE)
def remind_heads(*, slot: str) -> None:
    """Remind heads of what they still have to decide: before the deadline, on the day, and weekly after it."""
    on = date.fromisoformat(slot)
    for reconcile in reconciling.due_reminders(on):
        if reconcile.due_on is None:
            when = ""
        elif reconcile.due_on < on:
            late = plural((on - reconcile.due_on).days, "day")
            when = (
                f" The trust had asked for your decision by {day(reconcile.due_on)}, {late} ago."
                " It may now take its own text instead."
            )
        else:
            when = f" The trust asks for your decision by {day(reconcile.due_on)}."
        _tell_school(
            reconcile,
            "{policy}: {clauses} still to decide for {school}",
            "Your school has {clauses} to decide before the trust's new version comes into force there."
            f"{when} What you decided already is kept.",
        )


@job("default", on=Event.RECONCILE_DUE_CHANGED)
def tell_deadline(*, reconcile_id: str) -> None:
    """Tell the head by when the trust asks for the decision now."""
    reconcile = queries.get_reconcile(UUID(reconcile_id))
    if reconcile.state == "open":
        _tell_school(
            reconcile,
            "{policy}: decide by " + day(reconcile.due_on),
            f"The trust asks for your decision about {{clauses}} by {day(reconcile.due_on)}."
            " Afterwards it may take its own text there.",
        )


@job("default", on=Event.RECONCILE_FORCED)
def tell_forced(*, reconcile_id: str) -> None:
    """Tell the school that the trust took its own text: the head, and whoever approves there."""
    reconcile = queries.get_reconcile(UUID(reconcile_id))
    _tell_school(
        reconcile,
        "{policy}: the trust's text is in force at {school}",
        f"The deadline for your decision had passed, so the trust took its own text: “{reconcile.forced_reason}”"
        " Your own words stay in the earlier editions, and you can change the clauses again as before.",
        path="history",
        roles=(Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS),
    )


@job("default", on=Event.ANSWERS_ENDED)
def tell_ended(*, place_id: str) -> None:
    """Tell the head which of the school's answers ended with a new version, without a decision."""
    place = queries.get_publication_place(UUID(place_id))
    if place.school_id is None:
        return
    version = queries.get_version(queries.version_of_publication(place.publication_id))
    policy, school = queries.get_policy_by_id(version.policy_id), tenants.get_school(place.school_id)
    ended = place.detail.get("ended", [])
    answers = "one of your answers" if len(ended) == 1 else f"{len(ended)} of your answers"
    why = " ".join(dict.fromkeys(one["message"] for one in ended))
    for person_id in tenants.people_with_role(Role.HEADTEACHER, on=today(), school_id=school.id):
        notify(
            person_id,
            subject=f"{policy.title}: {answers} at {school.short_name} ended"[:200],
            body=f"With the trust's version {version.number}, {answers} ended by itself. {why}"
            if len(ended) == 1
            else f"With the trust's version {version.number}, {answers} ended by themselves. {why}",
            path=f"/t/{tenants.get_trust().slug}/schools/{school.slug}/policies/{policy.slug}/history#ended",
            school_id=school.id,
        )


@job("default", on=Event.JOINING_PREPARED)
def ask_about_own_policy(*, joining_id: str) -> None:
    """Tell the head that the trust's office laid the school's old policy beside the trust's and prepared decisions."""
    joining = queries.get_joining(UUID(joining_id))
    if joining.state != "open":
        return
    policy, school = queries.get_policy_by_id(joining.policy_id), tenants.get_school(joining.school_id)
    for person_id in tenants.people_with_role(Role.HEADTEACHER, on=today(), school_id=school.id):
        notify(
            person_id,
            subject=f"{policy.title}: decide what {school.short_name} keeps of its own policy"[:200],
            body=f"The trust compared your own policy ({joining.filename}) with its {policy.title}, and suggests"
            " which of your words to take over. Nothing is decided, and nothing changes, before you do.",
            path=f"/t/{tenants.get_trust().slug}/schools/{school.slug}/policies/{policy.slug}/joining",
            school_id=school.id,
        )


def _tell_school(
    reconcile: Reconcile,
    subject: str,
    body: str,
    *,
    path: str = "reconcile",
    roles: tuple[Role, ...] = (Role.HEADTEACHER,),
) -> None:
    policy = queries.get_policy_by_id(reconcile.policy_id)
    school = tenants.get_school(reconcile.school_id)
    waiting = queries.count_undecided([reconcile.id]).get(reconcile.id, 0)
    words = {
        "policy": policy.title,
        "school": school.short_name,
        "clauses": "one clause" if waiting == 1 else f"{waiting} clauses",
    }
    told = [one for role in roles for one in tenants.people_with_role(role, on=today(), school_id=school.id)]
    for person_id in dict.fromkeys(told):
        notify(
            person_id,
            subject=subject.format(**words)[:200],
            body=body.replace("{clauses}", words["clauses"]),
            path=f"/t/{tenants.get_trust().slug}/schools/{school.slug}/policies/{policy.slug}/{path}",
            school_id=school.id,
        )


@job("default", on=Event.GUIDANCE_REVIEW_OPENED)
def tell_of_superseded_guidance(*, review_id: str) -> None:
    """Tell those who are responsible that policies in force name something that no longer holds; one mail for all."""
    review = queries.get_guidance_review(UUID(review_id))
    record = load_dictionary().by_id.get(review.record)
    if review.state != "open" or record is None:
        return
    clauses = "one clause" if review.clauses == 1 else f"{review.clauses} clauses"
    places = "one place" if review.places == 1 else f"{review.places} places"
    told = {
        person for role in review.roles for person in tenants.people_with_role(Role(role), on=today())
    } or set(tenants.people_with_role(Role.NETWORK_MANAGER, on=today()))
    for person_id in sorted(told):
        notify(
            person_id,
            subject=f"No longer holds: {record.name}",
            body=f"{record.name} no longer holds. It is named in {clauses} in force, at {places}."
            " The page lists each of them.",
            path=f"/t/{tenants.get_trust().slug}/guidance/{review.record}",
        )
