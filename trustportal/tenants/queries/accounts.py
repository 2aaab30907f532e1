"""Accounts, browsers and what is read before a trust is known; the demonstration's people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.kernel_models import DemonstrationMail, WebSession
from trustportal.tenants.models import (
    Account,
)
from trustportal.tenants.queries.people import Serving, list_serving
from trustportal.tenants.queries.trusts import get_settings


@dataclass(frozen=True, slots=True)
class TrustOfAccount:
    """A trust in which an account serves today."""

    trust_id: UUID
    slug: str
    name: str
    person_id: UUID


def list_trusts_of_account(account_id: UUID, *, on: date) -> list[TrustOfAccount]:
    """The trusts where an account holds a role on a day, by name; before any scope."""
    rows = db.session.execute(
        text("SELECT trust_id, slug, name, person_id FROM account_trusts(:account, :day)"),
        {"account": account_id, "day": on},
        execution_options={
            "unscoped_because": "an account serves several trusts; the function returns its own"
        },
    )
    return [TrustOfAccount(row.trust_id, row.slug, row.name, row.person_id) for row in rows]


def find_account(email: str) -> Account | None:
    """The account with this address."""
    return db.session.scalars(select(Account).where(Account.email == email.strip().lower())).one_or_none()


def get_account(account_id: UUID) -> Account:
    """An account by its id."""
    found = db.session.scalars(select(Account).where(Account.id == account_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_sessions(account_id: UUID) -> list[WebSession]:
    """The browsers that are signed in to an account, the last used first."""
    return list(
        db.session.scalars(
            select(WebSession).where(WebSession.account_id == account_id).order_by(WebSession.seen_at.desc())
        )
    )


def find_session(account_id: UUID, session_id: UUID) -> WebSession | None:
    """One of the browsers of an account."""
    return db.session.scalars(
        select(WebSession).where(WebSession.account_id == account_id, WebSession.id == session_id)
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody that one can sign in as in the demonstration."""

    account_id: UUID
    name: str
    posts: str
    words: str


def list_demonstration_trusts(*, on: date) -> list[TrustOfAccount]:
    """Every trust that has accounts without a password, which only demonstrations have; before any scope."""
    rows = db.session.execute(
        text(
            "SELECT DISTINCT ON (t.name, t.trust_id) t.trust_id, t.slug, t.name, t.person_id"
            " FROM account a CROSS JOIN LATERAL account_trusts(a.id, :day) t WHERE a.password IS NULL ORDER BY t.name"
        ),
        {"day": on},
        execution_options={"unscoped_because": "the demonstration's sign-in page, before any trust"},
    )
    return [TrustOfAccount(row.trust_id, row.slug, row.name, row.person_id) for row in rows]


def list_shown(*, on: date) -> list[Shown]:
    """Whom the trust's demonstration shows, in its order; everybody who has an account where it names nobody."""
    posts: dict[UUID, list[Serving]] = {}
    for one in list_serving(on=on):
        if one.account_id is not None:
            posts.setdefault(one.person_id, []).append(one)
    chosen = get_settings().shown
    order = list(Role)
    by_role = sorted(
        posts, key=lambda person: (min(order.index(one.role) for one in posts[person]), posts[person][0].name)
    )
    found = []
    for person_id in [UUID(one["person"]) for one in chosen] if chosen else by_role[:40]:
        held = posts.get(person_id)
        if held is None or held[0].account_id is None:
            continue
        words = next((one["words"] for one in chosen if one["person"] == str(person_id)), "")
        where = "; ".join(
            f"{one.role_label} at {one.school_name}" if one.school_name else one.role_label for one in held
        )
        found.append(Shown(held[0].account_id, held[0].name, where, words))
    return found


def list_newest_mails(limit: int) -> list[DemonstrationMail]:
    """The newest mails of the trust, as the demonstration shows them to everybody."""
    return list(
        db.session.scalars(
            select(DemonstrationMail).order_by(DemonstrationMail.created_at.desc()).limit(limit)
        )
    )
