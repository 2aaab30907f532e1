"""Pages of a draft that is open for comment: opening it, reading and commenting, the author's answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, Flask, Response, g, request, url_for

from trustportal.access import ROLE_LABELS, Actor, Permission, Role
from trustportal.errors import NotFound
from trustportal.policies import queries, reading
from trustportal.policies.domain import changes
from trustportal.policies.forms.governance import AnswerForm, CommentForm, ConsultationForm
from trustportal.policies.forms.trust import given
from trustportal.policies.governance_models import Consultation, DraftComment
from trustportal.policies.models import Policy, TemplateVersion
from trustportal.policies.queries import consultations
from trustportal.policies.services import consulting
from trustportal.policies.views.trust import ROOT, rows_of
from trustportal.tenants.tasks import Task, provide_tasks
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, signed_in, trust
from trustportal.words import in_sentence, plural

blueprint = Blueprint("consulting", __name__)
COMMENTS = f"{ROOT}/<policy>/comments"


def _draft(slug: str) -> tuple[Policy, TemplateVersion]:
    g.policy = queries.get_policy(slug)
    version = queries.find_open_version(g.policy.id)
    if version is None:
        raise NotFound("No new version of this policy is being written.")
    return g.policy, version


def _consultation(slug: str) -> tuple[Policy, TemplateVersion, Consultation]:
    """The consultation of the address, for who is asked and for authors; anybody else finds nothing."""
    found, version = _draft(slug)
    one = consultations.find_consultation(version.id)
    if one is None:
        raise NotFound()
    if not actor().can(Permission.TEMPLATE_EDIT) and (
        not consulting.is_asked(actor(), one) or one.closed_at is not None
    ):
        raise NotFound()
    return found, version, one


@blueprint.route(f"{COMMENTS}/ask", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_EDIT, at="trust")
def ask(trust: str, policy: str) -> Response:
    """Open a draft for comment: who is asked, and until when."""
    found, version = _draft(policy)
    form = ConsultationForm()
    form.offer([(role.value, ROLE_LABELS[role]) for role in consulting.ASKABLE])
    if not form.is_submitted():
        form.roles.data, form.until.data = [Role.HEADTEACHER.value], today() + timedelta(days=14)
    elif form.carry_out(
        lambda: consulting.open_for_comment(
            actor(),
            version_id=version.id,
            roles=[Role(one) for one in form.roles.data or ()],
            until=given(form.until),
            question=form.question.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("consulting.show", trust=trust, policy=policy), "The draft is open for comment."
        )
    return page("policies/consulting/ask.html", policy=found, form=form, status=form.status)


@blueprint.get(COMMENTS)
@signed_in
def show(trust: str, policy: str) -> Response:
    """The draft with what people say about each clause."""
    return _page(*_consultation(policy), CommentForm())


def _page(found: Policy, version: TemplateVersion, one: Consultation, form: CommentForm) -> Response:
    tree = reading.tree_of_version(version)
    base = queries.get_version(version.based_on_id) if version.based_on_id else None
    said: dict[str, list[DraftComment]] = {}
    keys = {clause.key for clause in tree}
    everything = consultations.list_comments([one.id])
    for comment in everything:
        # What was said about a clause that is gone stands with the whole.
        said.setdefault(comment.clause_key if comment.clause_key in keys else "", []).append(comment)
    return page(
        "policies/consulting/show.html",
        policy=found,
        version=version,
        consultation=one,
        rows=rows_of(reading.for_people(tree, _my_place()), reading.numbering_of(found, version)),
        changed=set(changes.changed_keys(reading.tree_of_version(base), tree)) if base else set(),
        changes=reading.compare_versions(found, base, version) if base else (),
        base=base,
        said=said,
        marks={clause.key: consulting.mark_of(clause.heading, clause.text) for clause in tree},
        is_open=one.closed_at is None and one.until >= today(),
        may_answer=actor().can(Permission.TEMPLATE_EDIT),
        me=actor().person_id,
        total=len(everything),
        unanswered=sum(not comment.answered_at for comment in everything),
        asked=[ROLE_LABELS[Role(role)] for role in one.roles],
        form=form,
        wrong_at=form.key.data if form.errors or form.form_errors else None,
        status=form.status,
    )


def _my_place() -> UUID | None:
    """Whose words stand in the slots: those of one's own school, where there is one."""
    mine = g.my_schools
    return mine[0].id if len(mine) == 1 else None


@blueprint.post(COMMENTS)
@signed_in
def comment(trust: str, policy: str) -> Response:
    """Say something about a clause, or about the whole."""
    found, version, one = _consultation(policy)
    form = CommentForm()
    if form.carry_out(
        lambda: consulting.comment(
            actor(),
            consultation_id=one.id,
            clause_key=form.key.data or "",
            words=form.words.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            f"{url_for('consulting.show', trust=trust, policy=policy)}#c-{form.key.data or 'whole'}",
            "Thank you. The author sees your comment.",
        )
    return _page(found, version, one, form)


@blueprint.post(f"{COMMENTS}/<uuid:comment_id>/answer")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def answer(trust: str, policy: str, comment_id: UUID) -> Response:
    """The author answers a comment, or marks it as dealt with."""
    _found, _version, one = _consultation(policy)
    stored = consultations.get_comment(comment_id)
    if stored.consultation_id != one.id:
        raise NotFound()
    form = AnswerForm()
    consulting.answer(
        actor(),
        comment_id=stored.id,
        words=form.answer.data or "",
        resolved=request.form.get("resolved") == "yes",
        now=now(),
    )
    where = url_for("consulting.show", trust=trust, policy=policy)
    return see_other(f"{where}#comment-{stored.id}", "Your answer was saved.")


@blueprint.post(f"{COMMENTS}/close")
@allow(Permission.TEMPLATE_EDIT, at="trust")
def close(trust: str, policy: str) -> Response:
    """No more comments."""
    _found, version, _one = _consultation(policy)
    consulting.close(actor(), version_id=version.id, now=now())
    return see_other(
        url_for("consulting.show", trust=trust, policy=policy), "Closed. What was said stays with the draft."
    )


# -- my tasks ----------------------------------------------------------------------------------------------------


def tasks(who: Actor, on: date) -> Iterable[Task]:
    """Drafts about which I am asked and have said nothing; and comments that an author has not answered."""
    opened = consultations.open_consultations()
    mine = [(one, policy) for one, policy in opened if consulting.is_asked(who, one) and one.until >= on]
    edits = who.can(Permission.TEMPLATE_EDIT)
    said = consultations.list_comments([one.id for one, _ in opened]) if mine or (edits and opened) else []
    for one, policy in mine:
        if edits or any(row.consultation_id == one.id and row.person_id == who.person_id for row in said):
            continue
        yield Task(
            title=f"Comment on the new draft of the {in_sentence(policy.title)}",
            url=url_for("consulting.show", trust=trust().slug, policy=policy.slug),
            detail=one.question or "Say what works at your school and what does not, clause by clause.",
            due_on=one.until,
            action_label="Read and comment",
            urgency=2,
        )
    for one, policy in opened if edits else ():
        waiting = sum(row.consultation_id == one.id and row.answered_at is None for row in said)
        if waiting:
            yield Task(
                title=f"Answer {plural(waiting, 'comment')} on the draft of the {in_sentence(policy.title)}",
                url=url_for("consulting.show", trust=trust().slug, policy=policy.slug),
                detail="Answer, or mark as dealt with.",
                action_label="Answer",
                urgency=2,
            )


def install(app: Flask) -> None:
    """Register the pages and tasks."""
    app.register_blueprint(blueprint)
    provide_tasks(tasks)
