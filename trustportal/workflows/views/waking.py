"""Confidential cases ask for the password again after fifteen minutes in which nobody opened one.

What is sent is taken all the same: whoever wrote for half an hour loses no word. The page that follows asks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from flask import abort, request, session, url_for

from trustportal.sessions import PortalSession
from trustportal.times import now
from trustportal.web import see_other
from trustportal.workflows.queries.cases import Case

IDLE = timedelta(minutes=15)
_SEEN = "cases_seen_at"


def _session() -> PortalSession:
    return cast(PortalSession, session._get_current_object())  # type: ignore[attr-defined]


def ask_again(case: Case) -> None:
    """Send whoever was away to prove that it is them, before anything of a confidential case is shown."""
    if not case.definition.safeguarding or request.method not in {"GET", "HEAD"}:
        return
    last = prove_first(request.path)
    if now() - last > timedelta(minutes=1):
        _session()[_SEEN] = now().isoformat()


def prove_first(back: str) -> datetime:
    """Send whoever was away to prove that it is them, and then `back`; else, when they last did, or opened a case."""
    mine = _session()
    shown = [datetime.fromisoformat(one) for one in (mine.get("proved_at"), mine.get(_SEEN)) if one]
    shown += [mine.authenticated_at] if mine.authenticated_at else []
    last = max(shown, default=None)
    if last is None or now() - last > IDLE:
        abort(see_other(url_for("account.prove", next=back)))
    return last
