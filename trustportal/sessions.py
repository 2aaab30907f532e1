"""Server-side sessions: the cookie carries a random token, PostgreSQL keeps its hash and what belongs to it.

A cookie copied before signing out is worthless afterwards: the row is gone. The token changes at sign-in. One look-up
(`sign_on`) answers who this is and who they are in the trust of the address.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import column, delete, select, text, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from trustportal.db import db
from trustportal.kernel_models import WebSession
from trustportal.times import now, today

_TRUST_ADDRESS = re.compile(r"^/t/([a-z0-9-]+)(?:/|$)")


class PortalSession(CallbackDict[str, Any], SessionMixin):
    """Flask's session, kept on the server. `renew` gives it another token when it is saved."""

    def __init__(
        self, initial: dict[str, Any] | None = None, *, row_id: UUID | None = None, token: str = ""
    ) -> None:
        def changed(session: CallbackDict[str, Any]) -> None:
            assert isinstance(session, PortalSession)
            session.modified = True

        super().__init__(initial, changed)
        self.modified = False
        self.new = row_id is None
        self.row_id = row_id
        self.token = token
        self.renew = False
        self.account_id: UUID | None = None
        self.method = ""
        self.authenticated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignedOn:
    """What `sign_on` found: the session, and, at an address of a trust, the person and their roles there."""

    session_id: UUID
    account_id: UUID | None
    content: dict[str, Any]
    authenticated_at: datetime | None
    method: str
    trust_id: UUID | None
    trust_name: str
    colour: str
    logo_hash: str | None
    settings: dict[str, Any]
    person_id: UUID | None
    person_name: str
    roles: list[dict[str, Any]]
    #: Nobody has noted for a minute that this session is in use.
    stale: bool = False


def token_hash(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def cookie_name(app: Flask) -> str:
    """`__Host-` pins the cookie to this host over HTTPS; plain HTTP on one's own machine cannot have it."""
    return "__Host-portal" if app.config["SESSION_COOKIE_SECURE"] else "portal"


#: In the order of the function's columns: named here, so that nobody works out for each request what came back.
_FOUND = (
    "session_id",
    "account_id",
    "content",
    "authenticated_at",
    "method",
    "trust_id",
    "trust_name",
    "colour",
    "logo_hash",
    "settings",
    "person_id",
    "person_name",
    "roles",
    "stale",
)
_SIGN_ON = text(f"SELECT {', '.join(_FOUND)} FROM sign_on(:token, :slug, :now, :today)").columns(  # noqa: S608 (of constants)
    *map(column, _FOUND)
)


def look_up(token: str, slug: str | None) -> SignedOn | None:
    """Ask the database who holds a token; None for an unknown, expired or ended session."""
    row = db.session.execute(
        _SIGN_ON,
        {"token": token_hash(token), "slug": slug, "now": now(), "today": today()},
        execution_options={"unscoped_because": "no trust is known yet; the function returns one session"},
    ).one_or_none()
    if row is None:
        return None
    return SignedOn(
        row.session_id,
        row.account_id,
        row.content,
        row.authenticated_at,
        row.method,
        row.trust_id,
        row.trust_name or "",
        row.colour or "",
        row.logo_hash,
        row.settings or {},
        row.person_id,
        row.person_name or "",
        row.roles or [],
        row.stale,
    )


class PortalSessions(SessionInterface):
    """Opens and saves `PortalSession`s."""

    def open_session(self, app: Flask, request: Request) -> PortalSession:
        token = request.cookies.get(cookie_name(app), "")
        if not token or request.path.startswith("/static/"):
            return PortalSession()
        address = _TRUST_ADDRESS.match(request.path)
        found = look_up(token, address.group(1) if address else None)
        if found is None:
            return PortalSession()
        g.signed_on = found
        if found.stale:
            _note_use(found.session_id)
        session = PortalSession(dict(found.content), row_id=found.session_id, token=token)
        session.account_id = found.account_id
        session.method = found.method
        session.authenticated_at = found.authenticated_at
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, PortalSession)
        name = cookie_name(app)
        if not session and session.row_id is None:
            return
        if not (session.modified or session.renew):
            return
        # A connection of its own: what the request left undone must not be committed with the session.
        with Session(db.engine) as own, own.begin():
            if not session and not session.renew:
                own.execute(delete(WebSession).where(WebSession.id == session.row_id))
                response.delete_cookie(
                    name, path="/", secure=app.config["SESSION_COOKIE_SECURE"], httponly=True
                )
                return
            row = None
            if session.row_id is not None:
                row = own.scalars(
                    select(WebSession).where(WebSession.id == session.row_id).with_for_update()
                ).one_or_none()
            if session.row_id is not None and row is None and not session.renew:
                return  # ended elsewhere meanwhile: a late answer must not bring it back
            instant = now()
            if row is not None and session.renew:
                own.delete(row)
                own.flush()
                row = None
            if row is None:
                session.token = secrets.token_urlsafe(32)
                row = WebSession(token_hash=token_hash(session.token), created_at=instant)
                own.add(row)
                session.renew = True
            row.content = dict(session)
            row.seen_at = instant
            row.account_id = session.account_id
            row.method = session.method
            row.authenticated_at = session.authenticated_at
            row.user_agent = str(getattr(g, "user_agent", ""))[:300]
        if session.renew:
            response.set_cookie(
                name,
                session.token,
                path="/",
                httponly=True,
                secure=app.config["SESSION_COOKIE_SECURE"],
                samesite="Lax",
                max_age=12 * 3600,
            )


def _note_use(session_id: UUID) -> None:
    """Note that a session is in use, once a minute; by itself, since reading a page commits nothing."""
    with Session(db.engine) as own, own.begin():
        own.execute(update(WebSession).where(WebSession.id == session_id).values(seen_at=now()))


def end_sessions(account_id: UUID, *, keep: UUID | None = None) -> None:
    """End every session of an account, but for one: after a password change, when disabled, on leaving."""
    statement = delete(WebSession).where(WebSession.account_id == account_id)
    if keep is not None:
        statement = statement.where(WebSession.id != keep)
    db.session.execute(statement)
