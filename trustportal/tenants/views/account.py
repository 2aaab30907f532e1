"""One's own account: browsers that are signed in, password, authenticator, recovery codes. Before any trust."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, request, session, url_for

from trustportal.tenants import domain, queries, sealing
from trustportal.tenants.forms import ChangePasswordForm, CodeForm, ProveForm
from trustportal.tenants.services import accounts
from trustportal.tenants.views.sign_in import portal_session, qr_code
from trustportal.times import now, today
from trustportal.web import page, see_other, with_account

blueprint = Blueprint("account", __name__)


def _mine() -> UUID:
    found = portal_session().account_id
    assert found is not None
    return found


@blueprint.get("/account")
@with_account
def account() -> Response:
    """How one signs in, and where one is signed in."""
    found = queries.get_account(_mine())
    return page(
        "tenants/account.html",
        account=found,
        sessions=queries.list_sessions(found.id),
        this=portal_session().row_id,
        browser_words=domain.browser_words,
        trusts=queries.list_trusts_of_account(found.id, on=today()),
    )


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@with_account
def end_session(session_id: UUID) -> Response:
    """Sign another browser out."""
    accounts.end_one_session(account_id=_mine(), session_id=session_id)
    return see_other(url_for("account.account"), "That browser is signed out.")


@blueprint.post("/account/sessions/end-others")
@with_account
def end_others() -> Response:
    """Sign every other browser out."""
    accounts.end_other_sessions(account_id=_mine(), keep=portal_session().row_id)
    return see_other(url_for("account.account"), "Every other browser is signed out.")


@blueprint.route("/account/password", methods=["GET", "POST"])
@with_account
def change_password() -> Response:
    """Another password."""
    form = ChangePasswordForm()
    if form.is_submitted() and form.carry_out(
        lambda: accounts.change_password(
            account_id=_mine(),
            current=form.current.data or "",
            new=form.password.data or "",
            keep_session=portal_session().row_id,
            now=now(),
            today=today(),
        )
    ):
        portal_session().renew = True
        return see_other(
            url_for("account.account"), "Your password was changed. Every other browser is signed out."
        )
    return page("tenants/password_change.html", form=form, status=form.status)


def _is_fresh() -> bool:
    """Whether whoever sits here has shown within the last minutes that it is them."""
    proved = session.get("proved_at")
    shown = [portal_session().authenticated_at, datetime.fromisoformat(proved) if proved else None]
    return domain.is_fresh([one for one in shown if one is not None], now=now())


@blueprint.route("/account/prove", methods=["GET", "POST"])
@with_account
def prove() -> Response:
    """The password once more, before what would let somebody else in for good."""
    target = request.args.get("next", "")
    of_a_case = re.fullmatch(r"/t/[a-z0-9-]+/(archives|cases/[0-9a-f-]{36}(/[a-z0-9./-]*)?)", target)
    allowed = target == url_for("account.authenticator") or of_a_case is not None
    onward = target if allowed else url_for("account.account")
    form = ProveForm()
    if form.is_submitted() and form.carry_out(
        lambda: accounts.prove_password(account_id=_mine(), password=form.password.data or "", now=now())
    ):
        session["proved_at"] = now().isoformat()
        return see_other(onward, "Thank you. You can go on for ten minutes.")
    return page(
        "tenants/prove.html",
        of_a_case=of_a_case is not None,
        form=form,
        has_password=queries.get_account(_mine()).password is not None,
        status=form.status,
    )


@blueprint.route("/account/authenticator", methods=["GET", "POST"])
@with_account
def authenticator() -> Response:
    """Set up an authenticator, or another one in place of the old."""
    if not _is_fresh():
        return see_other(url_for("account.prove", next=url_for("account.authenticator")))
    form = CodeForm()
    if not form.is_submitted() or "secret" not in session:
        session["secret"] = sealing.seal(sealing.new_totp_secret())
    secret = sealing.unseal(session["secret"])
    if form.is_submitted():
        codes = form.carry_out(
            lambda: accounts.set_up_code(
                account_id=_mine(),
                secret=secret,
                code=form.code.data or "",
                now=now(),
                in_place_of_another=True,
            )
        )
        if isinstance(codes, list):
            session.pop("secret")
            return page("tenants/recovery_codes.html", codes=codes, onward=url_for("account.account"))
    return page(
        "tenants/second_factor_set_up.html",
        form=form,
        picture=qr_code(_mine(), secret),
        secret=secret,
        compulsory=False,
        status=form.status,
    )


@blueprint.post("/account/recovery-codes")
@with_account
def recovery_codes() -> Response:
    """New recovery codes, shown once."""
    if not _is_fresh():
        return see_other(
            url_for("account.prove"), "Type your password first, then press “Make new recovery codes” again."
        )
    codes = accounts.renew_recovery_codes(account_id=_mine(), now=now())
    return page("tenants/recovery_codes.html", codes=codes, onward=url_for("account.account"))
