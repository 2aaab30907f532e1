"""Signing with a printed code at a shared device: a page without account, one sitting, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, cast
from uuid import UUID

from flask import Response, current_app, request, session, url_for

from trustportal.acceptance import services
from trustportal.acceptance.domain.codes import IDLE, sitting_holds
from trustportal.acceptance.domain.questions import Asking, To
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.forms import CodeForm, SignForm
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries import mine, questions
from trustportal.acceptance.services import codes
from trustportal.acceptance.services.codes import Sitting
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.acceptance.views.presenting import done_with, shown_clauses
from trustportal.acceptance.views.questions import question_form
from trustportal.access import Actor
from trustportal.db import enter_scope
from trustportal.errors import NotFound
from trustportal.sessions import PortalSession
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import page, public, see_other

ROOT = "/sign-with-code"
_KEY = "sitting"


def _session() -> PortalSession:
    return cast(PortalSession, session._get_current_object())  # type: ignore[attr-defined]


def _begin(digest: bytes) -> None:
    """A session of its own: whoever was signed in at this device is signed out of it."""
    mine_now = _session()
    mine_now.clear()
    mine_now.renew = True
    mine_now.account_id, mine_now.method, mine_now.authenticated_at = None, "", None
    at = now().isoformat()
    mine_now[_KEY] = {"code": digest.hex(), "began": at, "seen": at}


def _end() -> None:
    ended = _session()
    ended.clear()
    ended.renew = True
    ended.account_id = None


@blueprint.route(ROOT, methods=["GET", "POST"])
@public
def enter_code() -> Response:
    """The code from a slip."""
    form = CodeForm()
    if form.is_submitted():
        digest = form.carry_out(
            lambda: codes.begin_sitting(
                code=form.code.data or "",
                secret=current_app.config["PORTAL"].secret_key,
                address=request.remote_addr or "",
                now=now(),
                today=today(),
            )
        )
        if isinstance(digest, bytes):
            _begin(digest)
            return see_other(url_for("acceptance.kiosk_list"))
        form.code.data = ""
    return page("acceptance/kiosk_code.html", form=form, errors=form.summary, status=form.status)


def sitting_only(view: Callable[..., Response]) -> Callable[..., Response]:
    """The view runs for whoever sits at the device, as its first arguments; anybody else is asked for a code."""

    @wraps(view)
    def checked(**arguments: Any) -> Response:
        held = session.get(_KEY)
        if held is None:
            return see_other(url_for("acceptance.enter_code"))
        began, seen = datetime.fromisoformat(held["began"]), datetime.fromisoformat(held["seen"])
        try:
            if not sitting_holds(began_at=began, seen_at=seen, now=now()):
                raise NotFound()
            sitting = codes.get_sitting(bytes.fromhex(held["code"]), today=today())
        except NotFound:
            _end()
            return see_other(
                url_for("acceptance.enter_code"),
                "The sitting has ended. What was signed is kept; for the rest, ask the office for a new code.",
            )
        enter_scope(sitting.actor_scope)
        session[_KEY] = {**held, "seen": now().isoformat()}
        return view(sitting, codes.actor_of(sitting, today=today()), **arguments)

    return checked


def _common(actor: Actor) -> dict[str, Any]:
    return {
        "sitter": actor.name,
        "trust_name": tenants.get_trust().name,
        "idle_minutes": int(IDLE.total_seconds() // 60),
    }


def _me(actor: Actor) -> UUID:
    assert actor.person_id is not None
    return actor.person_id


@blueprint.get(f"{ROOT}/list")
@public
@sitting_only
def kiosk_list(sitting: Sitting, actor: Actor) -> Response:
    """What this person is to sign."""
    asked = mine.list_open(_me(actor))
    signed = [one for one in mine.list_signatures(_me(actor)) if one.signed_at >= sitting.began_at]
    return page(
        "acceptance/kiosk_list.html",
        asked=asked,
        answers=questions.list_answered_for(_me(actor), [one.id for one in asked]),
        signed=signed,
        today=today(),
        **_common(actor),
    )


@blueprint.route(f"{ROOT}/<uuid:assignment_id>", methods=["GET", "POST"])
@public
@sitting_only
def kiosk_sign(sitting: Sitting, actor: Actor, assignment_id: UUID) -> Response:
    """Read one policy and sign it."""
    form = SignForm()
    if form.is_submitted() and (signed := form.carry_out(lambda: _sign(actor, assignment_id, form))):
        assert isinstance(signed, Signature)
        return see_other(url_for("acceptance.kiosk_list"), f"You have {done_with(signed)}.")
    seen = _id(form.edition_id.data) if form.superseded else None
    shown = services.to_read(actor, assignment_id=assignment_id, today=today(), seen_id=seen)
    if shown.assignment.state == "signed":
        return see_other(url_for("acceptance.kiosk_list"))
    form.edition_id.data, form.statement_seen.data = str(shown.edition_id), shown.statement_version
    if form.superseded:
        form.confirmed.data = False
    return page(
        "acceptance/kiosk_sign.html",
        form=form,
        shown=shown,
        text=shown_clauses(shown.edition, shown.clauses) if shown.edition is not None else None,
        errors=form.summary,
        answers=questions.list_answered_for(_me(actor), [assignment_id]),
        year=year_label(shown.assignment.academic_year),
        status=form.status,
        **_common(actor),
    )


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _sign(actor: Actor, assignment_id: UUID, form: SignForm) -> Signature:
    edition_id = _id(form.edition_id.data)
    if edition_id is None:
        raise NotFound()
    return services.sign(
        actor,
        assignment_id=assignment_id,
        edition_id=edition_id,
        statement_seen=form.statement_seen.data or "",
        confirmed=form.confirmed.data,
        now=now(),
        today=today(),
        user_agent=request.headers.get("User-Agent", ""),
    )


@blueprint.route(f"{ROOT}/<uuid:assignment_id>/question", methods=["GET", "POST"])
@public
@sitting_only
def kiosk_ask(sitting: Sitting, actor: Actor, assignment_id: UUID) -> Response:
    """A question instead of a signature, or why not: the answer is read with the next code, or on paper."""
    asked = mine.get_mine(assignment_id, _me(actor))
    form, has_manager = question_form(_me(actor), asked.school_id)
    if form.is_submitted() and form.carry_out(
        lambda: services.ask(
            actor,
            assignment_id=assignment_id,
            asking=Asking(form.asking.data),
            to=To(form.to.data),
            words=form.words.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("acceptance.kiosk_list"),
            "It has been sent. The answer waits for you when you sign in with a new code; the office can print it too.",
        )
    return page(
        "acceptance/kiosk_ask.html",
        form=form,
        asked=asked,
        has_manager=has_manager,
        errors=form.summary,
        status=form.status,
        **_common(actor),
    )


@blueprint.post(f"{ROOT}/finish")
@public
@sitting_only
def kiosk_finish(sitting: Sitting, actor: Actor) -> Response:
    """Done: the code and the session end, and the device is ready for the next person."""
    codes.end_sitting(sitting, now=now())
    _end()
    return see_other(url_for("acceptance.enter_code"), "Thank you. You can hand the device on.")
