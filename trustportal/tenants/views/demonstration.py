"""Signing in with one click, and the mailbox: only in demonstration mode, otherwise these pages are not there."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, request

from trustportal.db import Scope, scope
from trustportal.errors import NotFound
from trustportal.tenants import queries
from trustportal.tenants.queries import Shown
from trustportal.times import today
from trustportal.web import page, public

blueprint = Blueprint("demonstration", __name__)


def _only_here() -> None:
    if not current_app.config["PORTAL"].demo:
        raise NotFound()


def shown_accounts() -> list[tuple[str, list[Shown]]]:
    """The people that one can sign in as, by trust; empty outside demonstration mode."""
    if not current_app.config["PORTAL"].demo:
        return []
    found = []
    for trust in queries.list_demonstration_trusts(on=today()):
        with scope(Scope.job(trust.trust_id)):
            found.append((trust.name, queries.list_shown(on=today())))
    return found


@blueprint.post("/demo/sign-in")
@public
def demo_sign_in() -> Response:
    """Sign in as one of the people shown, without a password or a second factor."""
    from trustportal.tenants.views.sign_in import complete

    _only_here()
    try:
        account = queries.get_account(UUID(request.form.get("account", "")))
    except ValueError:
        raise NotFound() from None
    if not any(one.account_id == account.id for _, people in shown_accounts() for one in people):
        raise NotFound()
    return complete(account.id, "demonstration")


@blueprint.get("/demo/mailbox")
@public
def mailbox() -> Response:
    """The mails that the portal has written, newest first."""
    _only_here()
    mails = []
    for trust in queries.list_demonstration_trusts(on=today()):
        with scope(Scope.job(trust.trust_id)):
            mails += queries.list_newest_mails(100)
    mails.sort(key=lambda mail: mail.created_at, reverse=True)
    return page("tenants/mailbox.html", mails=mails[:100])
