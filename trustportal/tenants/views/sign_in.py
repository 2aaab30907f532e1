"""Signing in and out: password, second factor, a new password by mail, an invitation.

Between the password and the code nobody is signed in: the session holds only who is half way, and since when.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import segno
from flask import Blueprint, Response, request, session, url_for

from trustportal.errors import NotFound, RuleBroken
from trustportal.sessions import PortalSession
from trustportal.tenants import domain, queries, sealing
from trustportal.tenants.forms import AddressForm, CodeForm, NewPasswordForm, SignInForm
from trustportal.tenants.services import accounts
from trustportal.tenants.services.accounts import Known, Step
from trustportal.tenants.views.demonstration import shown_accounts
from trustportal.times import now, today
from trustportal.web import page, public, safe_next, see_other

blueprint = Blueprint("sign_in", __name__)
#: Asking for a link takes at least so long, whoever asks: how long it took says nothing.
RESET_SECONDS = 0.35


def portal_session() -> PortalSession:
    """The session of this request."""
    return cast(PortalSession, session._get_current_object())  # type: ignore[attr-defined]


def complete(account_id: UUID, method: str, *, then: str = "") -> Response:
    """Sign somebody in: a new token, nothing of the old session but where they wanted to go."""
    mine = portal_session()
    target = safe_next(then or mine.get("next"), url_for("pages.front"))
    mine.clear()
    mine.renew = True
    mine.account_id, mine.method, mine.authenticated_at = account_id, method, now()
    accounts.record_sign_in(account_id=account_id, method=method, now=now(), today=today())
    return see_other(target)


def _go_on(known: Known) -> Response:
    """What follows a right password."""
    if known.step is Step.DONE:
        return complete(known.account_id, "password")
    mine = portal_session()
    target = mine.get("next")
    mine.clear()
    mine.renew = True
    mine.account_id = None
    mine["half_way"] = {
        "account": str(known.account_id),
        "at": now().isoformat(),
        "step": str(known.step),
        "stamp": queries.get_account(known.account_id).fs_uniquifier,
    }
    if target:
        mine["next"] = target
    if known.step is Step.SET_UP:
        mine["secret"] = sealing.seal(sealing.new_totp_secret())
    return see_other(url_for("sign_in.second_factor"))


def _half_way() -> dict[str, Any] | None:
    found = session.get("half_way")
    if not found or now() - datetime.fromisoformat(found["at"]) > domain.HALF_WAY:
        return None
    account = queries.get_account(UUID(found["account"]))
    if not account.active or account.fs_uniquifier != found.get("stamp"):
        return None  # the password was changed meanwhile: the one that was right is worthless
    return dict(found)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Response:
    """E-mail address and password."""
    if request.method == "GET" and request.args.get("next"):
        session["next"] = safe_next(request.args["next"], "/")
    shown = shown_accounts()
    if request.method == "GET" and portal_session().account_id is not None and not shown:
        return see_other(safe_next(request.args.get("next"), url_for("pages.front")))
    form = SignInForm()
    known = form.is_submitted() and form.carry_out(
        lambda: accounts.check_password(
            email=form.email.data or "", password=form.password.data or "", now=now(), today=today()
        )
    )
    if isinstance(known, Known):
        return _go_on(known)
    return page("tenants/sign_in.html", form=form, shown=shown, status=form.status)


@blueprint.route("/second-factor", methods=["GET", "POST"])
@public
def second_factor() -> Response:
    """The code; or, for those who need one and have none yet, setting it up."""
    half_way = _half_way()
    if half_way is None:
        return see_other(url_for("sign_in.sign_in"))
    account_id, form = UUID(half_way["account"]), CodeForm()
    if half_way["step"] == Step.SET_UP:
        return _set_up(account_id, form)
    if form.is_submitted():
        method = form.carry_out(
            lambda: accounts.check_code(account_id=account_id, code=form.code.data or "", now=now())
        )
        if isinstance(method, str):
            return complete(account_id, method)
    return page("tenants/second_factor.html", form=form, status=form.status)


def _set_up(account_id: UUID, form: CodeForm) -> Response:
    secret = sealing.unseal(session["secret"])
    if form.is_submitted():
        codes = form.carry_out(
            lambda: accounts.set_up_code(
                account_id=account_id,
                secret=secret,
                code=form.code.data or "",
                now=now(),
                in_place_of_another=False,
            )
        )
        if isinstance(codes, list):
            target = session.get("next", "")
            complete(account_id, "password and code")
            return page(
                "tenants/recovery_codes.html", codes=codes, onward=safe_next(target, url_for("pages.front"))
            )
    return page(
        "tenants/second_factor_set_up.html",
        form=form,
        picture=qr_code(account_id, secret),
        secret=secret,
        compulsory=True,
        status=form.status,
    )


def qr_code(account_id: UUID, secret: str) -> str:
    """The picture that an authenticator reads, as a `data:` address."""
    address = sealing.totp_address(secret, account=queries.get_account(account_id).email)
    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=2))


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    """The session ends here and on the server."""
    mine = portal_session()
    mine.account_id, mine.method, mine.authenticated_at = None, "", None
    mine.clear()
    mine.modified = True
    return see_other(url_for("sign_in.sign_in"))


@blueprint.route("/reset-password", methods=["GET", "POST"])
@public
def ask_reset() -> Response:
    """Ask for a link. The answer is the same, and takes as long, whether or not there is such an account."""
    form = AddressForm()
    if form.is_submitted():
        begun = time.monotonic()
        asked = form.carry_out(
            lambda: accounts.ask_reset(email=form.email.data or "", now=now(), today=today())
        )
        if asked:
            time.sleep(max(0.0, RESET_SECONDS - (time.monotonic() - begun)))
            return page("tenants/reset_asked.html", email=form.email.data)
    return page("tenants/reset_ask.html", form=form, status=form.status)


@blueprint.route("/reset-password/<token>", methods=["GET", "POST"])
@public
def reset_password(token: str) -> Response:
    """Choose a new password."""
    try:
        account = accounts.account_of_reset(token)
    except (RuleBroken, NotFound) as refused:
        return page("tenants/link_refused.html", message=refused.message, status=422)
    form = NewPasswordForm()
    known = form.is_submitted() and form.carry_out(
        lambda: accounts.reset_password(
            token=token, password=form.password.data or "", now=now(), today=today()
        )
    )
    if isinstance(known, Known):
        return _go_on(known)
    return page("tenants/reset_password.html", form=form, email=account.email, status=form.status)


@blueprint.route("/invitation/<token>", methods=["GET", "POST"])
@public
def invitation(token: str) -> Response:
    """Join a trust: choose a password, or confirm with the account that one has."""
    try:
        invited = accounts.read_invitation(token, now=now())
    except RuleBroken as refused:
        return page("tenants/link_refused.html", message=refused.message, status=422)
    mine = portal_session()
    signed_in_as = mine.account_id
    form = NewPasswordForm()
    if invited.has_account:
        del form.password
    known = form.is_submitted() and form.carry_out(
        lambda: accounts.accept_invitation(
            token=token,
            password=None if invited.has_account else form.password.data,
            signed_in_as=signed_in_as,
            now=now(),
            today=today(),
        )
    )
    if isinstance(known, Known):
        if invited.has_account:
            return see_other(url_for("pages.front"), f"You have joined {invited.trust_name}.")
        return _go_on(known)
    return page(
        "tenants/invitation.html",
        form=form,
        invited=invited,
        mine=invited.has_account and signed_in_as is not None,
        token=token,
        status=form.status,
    )


def keep_nothing(response: Response) -> Response:
    """Pages of signing in are not kept by browsers."""
    response.headers["Cache-Control"] = "no-store"
    return response


blueprint.after_request(keep_nothing)
