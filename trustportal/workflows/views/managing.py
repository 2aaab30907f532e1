"""An allegation beyond its steps: what the case manager records, whom it is about, legal hold, taking it up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, url_for

from trustportal.access import Actor, Permission
from trustportal.errors import NotFound
from trustportal.forms import PortalForm
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other, signed_in
from trustportal.words import instant
from trustportal.workflows.domain import answers
from trustportal.workflows.domain.case_records import KINDS, Clock, Kind
from trustportal.workflows.domain.keeping import BASIS_WORDS
from trustportal.workflows.domain.recipients import ALLEGATION, Contact
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.forms.answers import answers_form
from trustportal.workflows.forms.cases import DisposalForm, ReasonForm, StandInForm, SubjectForm
from trustportal.workflows.queries import allegations, recipients, stand_ins
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries.allegations import PolicyThen
from trustportal.workflows.queries.case_lists import Listed
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services import documents, keeping, managing, standing_in
from trustportal.workflows.views import waking
from trustportal.workflows.views.blueprint import cases as blueprint

CASE = "/t/<trust>/cases/<uuid:case_id>"


@dataclass(frozen=True, slots=True)
class ShownAllegation:
    """What the page of a case shows more where it is an allegation."""

    is_manager: bool
    contact: Contact | None
    clocks: list[Clock]
    subjects: list[str]
    #: title, when, by whom, [(question, answer)]
    records: list[tuple[str, str, str, list[tuple[str, str]]]]
    kinds: list[tuple[Kind, str]]
    pattern: list[Listed]
    policies_on: date
    policies: list[PolicyThen]
    legal_hold: bool
    keep_until: date | None


def shown(actor_: Actor, case: Case) -> ShownAllegation | None:
    """None for every other workflow."""
    if case.definition.key != ALLEGATION:
        return None
    rows = allegations.list_records(case)
    names = tenants.names_of({one.by for one in rows if one.by} | case.subjects)
    on, policies = allegations.policies_then(case)
    manages = managing.is_manager(case, actor_)
    records = []
    for one in reversed(rows):
        text = KINDS[one.kind]
        says = [
            (field.label, words)
            for field in text.fields
            if (words := documents.answer_words(field, one.says.get(field.key), {}))
        ]
        records.append((text.title, instant(one.at), names.get(one.by, "Somebody") if one.by else "", says))
    return ShownAllegation(
        is_manager=manages,
        contact=recipients.get_table().contact(case.row.school_id),
        clocks=allegations.list_clocks(case, rows),
        subjects=sorted(names[one] for one in case.subjects if one in names),
        records=records,
        kinds=[(kind, text.button) for kind, text in KINDS.items()]
        if manages and not case.state.closed
        else [],
        pattern=allegations.pattern(case) if manages else [],
        policies_on=on,
        policies=policies,
        legal_hold=case.row.legal_hold,
        keep_until=case.row.keep_until,
    )


def _mine(case_id: UUID) -> Case:
    case = queries.get_case(case_id)
    if not managing.is_manager(case, actor()):
        raise NotFound()
    waking.ask_again(case)
    return case


def _step(
    case: Case,
    form: PortalForm,
    use_case: Callable[[], Any],
    *,
    title: str,
    hint: str,
    button: str,
    done: str,
    refused: Callable[[], Any] | None = None,
) -> Response:
    """A page of one form; afterwards back to the case. `refused`: notes what else is wrong beside the first fault."""
    back = url_for("cases.show", trust=tenants.get_trust().slug, case_id=case.row.id)
    if form.is_submitted():
        if form.carry_out(use_case):
            return see_other(back, done)
        if refused is not None:
            refused()
    return page(
        "workflows/case_step.html",
        case=case,
        form=form,
        title=title,
        hint=hint,
        button=button,
        status=form.status,
    )


@blueprint.route(f"{CASE}/records/<kind>", methods=["GET", "POST"])
@signed_in
def record(trust: str, case_id: UUID, kind: str) -> Response:
    """Record something in an allegation."""
    case = _mine(case_id)
    if kind not in set(Kind):
        raise NotFound()
    text = KINDS[Kind(kind)]
    form = answers_form(case.definition, text.fields)

    def refused() -> None:
        says = answers.tidy(text.fields, form.given())
        form.note(
            answers.faults(case.definition, text.fields, says, starter=None, may_be_named=(), today=today())
        )

    return _step(
        case,
        form,
        lambda: managing.record(actor(), case_id=case_id, kind=Kind(kind), given=form.given(), now=now()),
        title=text.title,
        hint=text.hint,
        button="Record it",
        done="Recorded. It stays as it is: put a mistake right with another record.",
        refused=refused,
    )


@blueprint.route(f"{CASE}/subjects", methods=["GET", "POST"])
@signed_in
def add_subject(trust: str, case_id: UUID) -> Response:
    """It is about somebody else too."""
    case = _mine(case_id)
    people = managing.may_be_subjects(case, now())
    form = SubjectForm().offer(people)
    chosen = next((one for one in people if str(one) == form.person.data), None)
    response = _step(
        case,
        form,
        lambda: managing.add_subject(
            actor(), case_id=case_id, person_id=chosen, reason=form.reason.data or "", now=now()
        ),
        title="It is about somebody else too",
        hint="From that moment they see nothing of it, whatever they saw before. This cannot be taken back.",
        button="Add this person",
        done="Noted. They see nothing of it from now on.",
    )
    if response.status_code == 303 and chosen == actor().person_id:
        return see_other(url_for("cases.mine", trust=trust), "Noted. Somebody else has it now.")
    return response


@blueprint.route(f"{CASE}/hold", methods=["GET", "POST"])
@signed_in
def hold(trust: str, case_id: UUID) -> Response:
    """Put a case under a legal hold, or end it."""
    case = _mine(case_id)
    held = case.row.legal_hold
    form = ReasonForm()
    return _step(
        case,
        form,
        lambda: managing.set_hold(
            actor(), case_id=case_id, hold=not held, reason=form.reason.data or "", now=now()
        ),
        title="End the legal hold" if held else "Put this under a legal hold",
        hint="While it holds, nothing of this is disposed of, whatever its time says: for an inquiry, a claim, an"
        " insurer, or records about sexual abuse.",
        button="End the hold" if held else "Hold it",
        done="The hold has ended." if held else "It is held.",
    )


@blueprint.route(f"{CASE}/again", methods=["GET", "POST"])
@signed_in
def take_up_again(trust: str, case_id: UUID) -> Response:
    """Take a closed case up again."""
    case = _mine(case_id)
    if not case.state.closed:
        raise NotFound()
    form = ReasonForm()
    return _step(
        case,
        form,
        lambda: managing.take_up_again(actor(), case_id=case_id, reason=form.reason.data or "", now=now()),
        title="Take it up again",
        hint="Something new came to light, or several concerns show a pattern. It is assessed anew, and the time for"
        " the LADO begins again today.",
        button="Take it up again",
        done="It is open again.",
    )


# -- the two who agree that something is disposed of -----------------------------------------------------------------


@blueprint.get("/t/<trust>/kept")
@signed_in
def kept(trust: str) -> Response:
    """What I am asked to agree to."""
    return _kept()


def _kept(form: DisposalForm | None = None, *, stand_in: StandInForm | None = None) -> Response:
    names_them = actor().can(Permission.STAND_IN_NAME)
    there = stand_ins.list_stand_ins() if names_them else []
    sent = form or stand_in
    return page(
        "workflows/kept.html",
        asks=allegations.list_asks(actor()),
        words=BASIS_WORDS,
        form=form or DisposalForm(formdata=None),
        names_them=names_them,
        stand_ins=there,
        names=tenants.names_of({one.person_id for one in there}),
        stand_in=(stand_in or StandInForm(formdata=None)).offer(stand_ins.nameable(today()))
        if names_them
        else None,
        summary=sent.summary if sent else [],
        status=sent.status if sent else 200,
    )


@blueprint.post("/t/<trust>/kept/stand-ins")
@allow(Permission.STAND_IN_NAME, at="trust")
def name_stand_in(trust: str) -> Response:
    """Name who gives the data protection officer's consent where that post may not."""
    form = StandInForm()
    chosen = next(iter(people_in(form.person.data or "")), None)
    if form.carry_out(
        lambda: standing_in.name(actor(), person_id=chosen, reason=form.reason.data or "", now=now())
    ):
        return see_other(url_for("cases.kept", trust=trust), "Named. Whatever waited for it is asked now.")
    return _kept(stand_in=form)


@blueprint.post("/t/<trust>/kept/stand-ins/<uuid:stand_in_id>/end")
@allow(Permission.STAND_IN_NAME, at="trust")
def end_stand_in(trust: str, stand_in_id: UUID) -> Response:
    """Somebody stands in no more."""
    standing_in.end(actor(), stand_in_id=stand_in_id, now=now())
    return see_other(url_for("cases.kept", trust=trust), "They stand in no more.")


@blueprint.post("/t/<trust>/kept/<uuid:ask_id>")
@signed_in
def decide_kept(trust: str, ask_id: UUID) -> Response:
    """Agree, or say why it has to be kept."""
    form = DisposalForm()
    agree = form.answer.data == "agree"
    if not any(one.id == ask_id for one in allegations.list_asks(actor())):
        raise NotFound()
    done = form.carry_out(
        lambda: keeping.answer(actor(), ask_id=ask_id, agree=agree, reason=form.reason.data or "", now=now())
    )
    if done:
        words = "It goes as soon as both of you have agreed." if agree else "It is kept for another year."
        return see_other(url_for("cases.kept", trust=trust), words)
    return _kept(form)
