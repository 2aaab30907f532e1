"""Asking instead of signing, and answering."""

from __future__ import annotations

from uuid import UUID

from flask import Response, url_for

from trustportal.acceptance import services
from trustportal.acceptance.domain.questions import Asking, To
from trustportal.acceptance.forms import AnswerForm, QuestionForm
from trustportal.acceptance.queries import mine, people, questions
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.questions import QuestionShown
from trustportal.acceptance.services.questions import get_readable
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.errors import NotFound
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, page, see_other, signed_in


def _me() -> UUID:
    person_id = actor().person_id
    if person_id is None:
        raise NotFound()
    return person_id


def question_form(person_id: UUID, school_id: Place) -> tuple[QuestionForm, bool]:
    """The form for a question at a place, and whether somebody is noted as the line manager there."""
    has_manager = (person_id, school_id) in people.line_managers([person_id], today())
    post = tenants.values_for_place(school_id).get("role.headteacher", "The headteacher")
    head = post if school_id is not None else "The chief executive"
    return QuestionForm().offer(head=head, has_manager=has_manager), has_manager


@blueprint.route("/t/<trust>/sign/<uuid:assignment_id>/question", methods=["GET", "POST"])
@signed_in
def ask(trust: str, assignment_id: UUID) -> Response:
    """A question about what I am to sign, or why I will not."""
    asked = mine.get_mine(assignment_id, _me())
    form, has_manager = question_form(_me(), asked.school_id)
    if form.is_submitted() and form.carry_out(
        lambda: services.ask(
            actor(),
            assignment_id=assignment_id,
            asking=Asking(form.asking.data),
            to=To(form.to.data),
            words=form.words.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("acceptance.my_questions", trust=trust),
            "It has been sent. You will get a mail when there is an answer; nobody reminds you until then.",
        )
    return page(
        "acceptance/ask.html",
        form=form,
        asked=asked,
        has_manager=has_manager,
        errors=form.summary,
        status=form.status,
    )


def _how_told(shown: QuestionShown) -> str:
    """How an answer reaches the one who asked."""
    if shown.asker_has_email:
        return f"{shown.asker} is told by mail."
    return (
        f"{shown.asker} has no e-mail: the answer waits for them with their next code, and stands on the form that"
        " the office prints for them."
    )


@blueprint.get("/t/<trust>/questions")
@signed_in
def my_questions(trust: str) -> Response:
    """What waits for my answer, what I asked, and what I answered."""
    return page(
        "acceptance/questions.html",
        waiting=questions.list_waiting_for(_me()),
        asked=questions.list_asked_by(_me()),
        answered=questions.list_answered_by(_me()),
    )


@blueprint.route("/t/<trust>/questions/<uuid:question_id>", methods=["GET", "POST"])
@signed_in
def question(trust: str, question_id: UUID) -> Response:
    """One question with its answer, or the form for it."""
    shown = get_readable(actor(), question_id=question_id)
    form = AnswerForm()
    if form.is_submitted() and form.carry_out(
        lambda: services.answer(actor(), question_id=question_id, answer=form.answer.data or "", now=now())
    ):
        return see_other(url_for("acceptance.my_questions", trust=trust), f"Noted. {_how_told(shown)}")
    open_still = shown.question.state == "open"
    return page(
        "acceptance/question.html",
        shown=shown,
        form=form,
        may_answer=open_still and str(_me()) in shown.question.routed_to,
        is_mine=shown.question.person_id == _me(),
        errors=form.summary,
        status=form.status,
    )
