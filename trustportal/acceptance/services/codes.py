"""One-time codes: printed for people without e-mail, and one sitting at a shared device with each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text, update

from trustportal.acceptance.domain import codes as domain
from trustportal.acceptance.domain.codes import CodeFacts
from trustportal.acceptance.models import SigningCode
from trustportal.acceptance.queries import people
from trustportal.acceptance.queries.facts import Place
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.tenants import queries as tenants
from trustportal.tenants.services import accounts
from trustportal.times import midnight

_TOO_MANY = "There were too many wrong codes from here. Wait five minutes, then try again."


@dataclass(frozen=True, slots=True)
class Slip:
    """One printed slip: the only place where a code stands in clear."""

    name: str
    code: str
    owed: int
    #: Whether an answer to a question of theirs waits behind the code.
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """The slips of one place, and until when they can be used."""

    slips: Sequence[Slip]
    last_on: date


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody at a shared device: who, where, and what the transaction may see."""

    code_id: UUID
    actor_scope: Scope
    began_at: datetime


def print_codes(
    actor: Actor, *, school_id: Place, days: int, secret: str, now: datetime, today: date
) -> Sheet:
    """A fresh code for everybody at a place who has something to sign and no e-mail. Older ones end. `days`: how long
    they can be used. `secret`: the installation's, without which the stored hashes open nothing.
    """
    actor.require(Permission.ACCEPTANCE_OVERSEE, school_id)
    last_on = domain.check_days(days, today=today)
    with unit_of_work():
        owing = people.list_without_email(school_id, now_on=today)
        if not owing:
            raise RuleBroken("Nobody here without e-mail has anything to sign.")
        db.session.execute(
            update(SigningCode)
            .where(
                SigningCode.person_id.in_([one.person_id for one in owing]),
                SigningCode.used_at.is_(None),
                SigningCode.ended_at.is_(None),
            )
            .values(ended_at=now)
            .execution_options(synchronize_session=False)
        )
        slips = []
        for one in owing:
            code = domain.new_code(secrets.choice)
            slips.append(Slip(one.name, code, one.owed, one.answered))
            db.session.add(
                SigningCode(
                    id=uuid4(),
                    school_id=school_id,
                    person_id=one.person_id,
                    code_hash=domain.code_hash(code, secret),
                    made_by=actor.person_id,
                    made_at=now,
                    expires_at=midnight(last_on + timedelta(days=1)),
                )
            )
        record(
            actor,
            Action.SIGNING_CODES_PRINTED,
            now=now,
            school_id=school_id,
            count=len(slips),
            expires_on=last_on.isoformat(),
        )
    return Sheet(slips, last_on)


def begin_sitting(*, code: str, secret: str, address: str, now: datetime, today: date) -> bytes:
    """Use a code up. Returns its hash, by which the sitting goes on. Raises `RuleBroken` for a code that is no good.

    Tries are counted before they are judged, by address; right ones do not count, since a school shares one.
    """
    taken = accounts.take_try(
        "signing code",
        address,
        most=domain.MOST_FAILURES,
        window=domain.FAILURE_WINDOW,
        now=now,
    )
    if taken is None:
        raise RuleBroken(_TOO_MANY, "code")
    digest = domain.code_hash(code, secret)
    found = _find(digest, today)
    facts = domain.check_code(found.facts if found else None, now=now)
    assert found is not None
    with scope(found.scope), unit_of_work():
        used = db.session.execute(
            update(SigningCode)
            .where(SigningCode.id == facts.code_id, SigningCode.used_at.is_(None))
            .values(used_at=now)
            .returning(SigningCode.school_id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        # Two at once with one code: the second finds it used.
        domain.check_code(facts if used is not None else None, now=now)
        person = tenants.get_actor(facts.person_id, on=today, method=domain.METHOD)
        record(
            person,
            Action.SIGNING_CODE_USED,
            now=now,
            code_id=facts.code_id,
            person_id=facts.person_id,
            school_id=used.school_id if used is not None else None,
        )
    accounts.was_right(taken)
    return digest


def get_sitting(digest: bytes, *, today: date) -> Sitting:
    """The sitting that a used code opened. Raises `NotFound` when its person serves nowhere any more."""
    found = _find(digest, today)
    if (
        found is None
        or found.facts.used_at is None
        or not found.facts.serves
        or found.facts.ended_at is not None
    ):
        raise NotFound()
    return Sitting(found.facts.code_id, found.scope, found.facts.used_at)


def end_sitting(sitting: Sitting, *, now: datetime) -> None:
    """Somebody has finished: the code opens nothing any more, whatever the device still holds."""
    with unit_of_work():
        db.session.execute(
            update(SigningCode)
            .where(SigningCode.id == sitting.code_id, SigningCode.ended_at.is_(None))
            .values(ended_at=now)
            .execution_options(synchronize_session=False)
        )


def actor_of(sitting: Sitting, *, today: date) -> Actor:
    """Who sits there, in the scope of the sitting."""
    assert sitting.actor_scope.person_id is not None
    return tenants.get_actor(
        sitting.actor_scope.person_id, on=today, method=domain.METHOD, at=sitting.began_at.isoformat()
    )


@dataclass(frozen=True, slots=True)
class _Found:
    facts: CodeFacts
    scope: Scope


def _find(digest: bytes, today: date) -> _Found | None:
    """Who has a code, before any scope."""
    row = db.session.execute(
        text("SELECT * FROM find_signing_code(:digest, :today)"),
        {"digest": digest, "today": today},
        execution_options={"unscoped_because": "no trust is known yet; the function returns one code's ids"},
    ).one_or_none()
    db.session.rollback()
    if row is None:
        return None
    return _Found(
        CodeFacts(
            row.code_id,
            row.trust_id,
            row.person_id,
            row.expires_at,
            row.used_at,
            row.ended_at,
            bool(row.serves),
        ),
        Scope(row.trust_id, row.person_id, frozenset(row.school_ids or ())),
    )
