"""Cases: mine, a school's, one of them, and what can be done in it. Whatever is not mine to see is missing."""

from __future__ import annotations

from uuid import UUID

from flask import Response, make_response, request, url_for

from trustportal.access import Permission
from trustportal.errors import Conflict, NotFound
from trustportal.times import now, today
from trustportal.web import actor, page, school, see_other, signed_in
from trustportal.workflows.domain import engine
from trustportal.workflows.domain.engine import Given, Plan
from trustportal.workflows.domain.keeping import SEATS
from trustportal.workflows.forms.answers import AnswersForm, answers_form, apart
from trustportal.workflows.forms.cases import HandOverForm, NoteForm, StepBackForm
from trustportal.workflows.queries import case_lists, definitions
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.services import acting, starting
from trustportal.workflows.services.documents import CALENDAR
from trustportal.workflows.views import managing, presenting, waking
from trustportal.workflows.views.blueprint import cases as blueprint
from trustportal.workflows.views.offering import offering

CASE = "/t/<trust>/cases/<uuid:case_id>"


def _me() -> UUID:
    person_id = actor().person_id
    if person_id is None:
        raise NotFound()
    return person_id


@blueprint.get("/t/<trust>/cases")
@signed_in
def mine(trust: str) -> Response:
    """What waits for me, what I asked for, what I see besides; my drafts; and where I can ask for something."""
    closed = request.args.get("show") == "closed"
    return page(
        "workflows/mine.html",
        cases=case_lists.list_cases(closed=closed),
        drafts=[pair for pair in case_lists.list_drafts(_me()) if pair[0].state == "draft"],
        disposes=any(actor().trust_roles & set(roles) for roles in SEATS.values()),
        closed=closed,
        today=today(),
    )


@blueprint.get("/t/<trust>/schools/<school>/cases")
@signed_in
def at_school(trust: str, school: str) -> Response:
    """The cases of one school in which I take part."""
    closed = request.args.get("show") == "closed"
    may_ask = any(starting.may_start(actor(), one.definition, _here()) for one in definitions.list_current())
    return page(
        "workflows/at_school.html",
        cases=case_lists.list_cases(school_id=_here(), closed=closed),
        closed=closed,
        may_ask=may_ask,
        may_set=actor().can(Permission.WORKFLOW_OVERRIDE, _here()),
        today=today(),
    )


def _here() -> UUID:
    return school().id


@blueprint.get(CASE)
@signed_in
def show(trust: str, case_id: UUID) -> Response:
    """One case. A form that was sent a moment ago is on its way."""
    try:
        return _page(case_id)
    except NotFound:
        intake = queries.find_intake(case_id)
        if intake is None or intake.state != "sent" or intake.person_id != _me():
            raise
        return page("workflows/on_its_way.html", case_id=case_id)


def _page(
    case_id: UUID,
    *,
    sent: tuple[str, AnswersForm] | None = None,
    note: NoteForm | None = None,
    hand_over: tuple[UUID, HandOverForm] | None = None,
    step_back: StepBackForm | None = None,
) -> Response:
    shown = presenting.shown(actor(), case_id, now=now(), today=today(), sent=sent)
    waking.ask_again(shown.case)
    forms = [form for form in (sent and sent[1], note, hand_over and hand_over[1], step_back) if form]
    return page(
        "workflows/case.html",
        shown=shown,
        case=shown.case,
        allegation=managing.shown(actor(), shown.case),
        note=note or NoteForm(formdata=None),
        hand_over=hand_over,
        hand_over_forms={
            one.task_id: apart(
                hand_over[1]
                if hand_over and hand_over[0] == one.task_id
                else HandOverForm(formdata=None).offer(one.people),
                f"hand-over-{number}",
            )
            for number, one in enumerate(shown.handovers)
        },
        step_back=apart(step_back or StepBackForm(formdata=None), "step-back"),
        step_back_open=step_back is not None,
        errors=[error for form in forms for error in form.summary],
        today=today(),
        status=422 if any(form.errors for form in forms) else 200,
    )


def _revision(form: AnswersForm) -> int | None:
    try:
        return int(form.revision.data or "")
    except ValueError:
        return None


@blueprint.post(f"{CASE}/actions/<action>")
@signed_in
def act(trust: str, case_id: UUID, action: str) -> Response:
    """Do what is mine to do."""
    case = queries.get_case(case_id)
    chosen = next(
        (one for one in engine.possible(case.definition, case.facts(), _me()) if one.key == action), None
    )
    if chosen is None:
        raise NotFound()
    form = presenting.action_form(case, chosen, today())
    given = Given(
        comment=form.comment.data or "" if "comment" in form else "",
        confirmed=bool(form.confirmed.data) if "confirmed" in form else False,
        answers=form.given(),
    )

    def take() -> Plan:
        return acting.act(
            actor(), case_id=case_id, action=action, given=given, now=now(), revision=_revision(form)
        )

    try:
        done = form.carry_out(take)
    except Conflict as conflict:
        form.form_errors.append(conflict.message)
        done = False
    if isinstance(done, Plan):
        target = url_for("cases.show", trust=trust, case_id=case_id)
        if queries.find_mine(case_id) is None:
            target = url_for("cases.mine", trust=trust)
        return see_other(target, f"Done: you {done.said}.")
    return _page(case_id, sent=(action, form))


@blueprint.route(f"{CASE}/form", methods=["GET", "POST"])
@signed_in
def change(trust: str, case_id: UUID) -> Response:
    """Change the form that I sent."""
    case = queries.get_case(case_id)
    if not engine.may_change(case.definition, case.facts(), _me()):
        raise NotFound()
    form = answers_form(
        case.definition,
        case.definition.form,
        values=case.values,
        **offering(case.definition, case.definition.form, case.row.school_id, today()),
    )
    if form.is_submitted():
        form.validate()
        faults = starting.faults_in(case, actor(), form.given(), today=today())
        if not form.note(faults) and not form.errors:
            done = form.carry_out(
                lambda: acting.change_form(
                    actor(), case_id=case_id, given=form.given(), now=now(), revision=_revision(form)
                )
            )
            if isinstance(done, Plan):
                return see_other(
                    url_for("cases.show", trust=trust, case_id=case_id),
                    "The form is changed. Whoever signed it before reads it again.",
                )
    else:
        form.revision.data = str(case.row.revision)
    return page("workflows/change.html", case=case, form=form, status=form.status)


@blueprint.post(f"{CASE}/notes")
@signed_in
def add_note(trust: str, case_id: UUID) -> Response:
    """Write a note."""
    queries.get_case(case_id)
    form = NoteForm()
    if form.carry_out(
        lambda: acting.add_note(actor(), case_id=case_id, text=form.text.data or "", now=now())
    ):
        return see_other(url_for("cases.show", trust=trust, case_id=case_id, _anchor="notes"), "Noted.")
    return _page(case_id, note=form)


@blueprint.post(f"{CASE}/tasks/<uuid:task_id>/hand-over")
@signed_in
def hand_over(trust: str, case_id: UUID, task_id: UUID) -> Response:
    """Give my task to somebody else, or ask somebody to stand in for who is away."""
    case = queries.get_case(case_id)
    offered = next(
        (one for one in acting.handovers(actor(), case, now=now()) if one.task_id == task_id), None
    )
    if offered is None:
        raise NotFound()
    form = HandOverForm().offer(offered.people)
    to = next((one for one in offered.people if str(one) == form.to.data), None)
    if form.carry_out(
        lambda: acting.hand_over(
            actor(), case_id=case_id, task_id=task_id, to=to, reason=form.reason.data or "", now=now()
        )
    ):
        return see_other(
            url_for("cases.show", trust=trust, case_id=case_id),
            f"{offered.people[to] if to else 'They'} is asked to do it, if the rules allow it.",
        )
    return _page(case_id, hand_over=(task_id, form))


@blueprint.post(f"{CASE}/step-back")
@signed_in
def step_back(trust: str, case_id: UUID) -> Response:
    """Step back from a case."""
    queries.get_case(case_id)
    form = StepBackForm()
    if form.carry_out(
        lambda: acting.recuse(actor(), case_id=case_id, reason=form.reason.data or "", now=now())
    ):
        return see_other(
            url_for("cases.mine", trust=trust), "You have stepped back. Somebody else is asked now."
        )
    return _page(case_id, step_back=form)


@blueprint.get(f"{CASE}/documents/<uuid:document_id>.pdf")
@signed_in
def document(trust: str, case_id: UUID, document_id: UUID) -> Response:
    """A letter or the signed form."""
    case = queries.get_case(case_id)
    waking.ask_again(case)
    row = queries.get_document(case_id, document_id)
    if row.key.startswith(CALENDAR):
        raise NotFound()
    if row.pdf is None:
        raise NotFound("This PDF is being made. Try again in a minute.")
    answer = make_response(case.seal.open_bytes(row.pdf, row.id))
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{case.row.reference}-{row.key}.pdf"'
    return answer


@blueprint.get(f"{CASE}/documents/<uuid:document_id>.ics")
@signed_in
def calendar(trust: str, case_id: UUID, document_id: UUID) -> Response:
    """The calendar file of a meeting."""
    case = queries.get_case(case_id)
    waking.ask_again(case)
    row = queries.get_document(case_id, document_id)
    if row.pdf is None or not row.key.startswith(CALENDAR):
        raise NotFound()
    answer = make_response(case.seal.open_bytes(row.pdf, row.id))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{case.row.reference}.ics"'
    return answer
