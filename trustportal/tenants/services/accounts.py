"""Signing in: passwords, second factors, recovery, invitations. Accounts are global: there is no scope before a trust.

Why these are thin functions over argon2-cffi, libpass and itsdangerous (what Flask-Security-Too itself stands on), and
not its views: our sessions live in PostgreSQL and change their token at sign-in; a code is good once; failures are
counted by account, in PostgreSQL, before the password is looked at; an unknown address must take as long as a known
one; a second factor is asked of some roles of some trusts; every route declares its access and answers 303 or 422.
Each of those would have replaced one of its views. The columns of `account` keep its names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, text

from trustportal import audit
from trustportal.access import Actor
from trustportal.audit import Action
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.kernel_models import WebSession
from trustportal.mail import queue_mail
from trustportal.sessions import end_sessions
from trustportal.tenants import domain, queries, sealing
from trustportal.tenants import mail as letters
from trustportal.tenants.models import Account, Invitation, SignInFailure
from trustportal.tenants.services.people import new_account, token_hash

_WRONG = "The e-mail address or the password is not right. Check both and try again."
_WRONG_CODE = "This code is not right, or was used before. Wait for the next one and try again."
_TOO_MANY = (
    "There were too many tries for this account. Wait five minutes, then try again or set a new password."
)


class Step(StrEnum):
    """What stands between somebody whose password is right and being signed in."""

    DONE = "done"
    CODE = "code"
    SET_UP = "set-up"


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whose password is right."""

    account_id: UUID
    step: Step


# -- counting failures -------------------------------------------------------------------------------------------


def _key(kind: str, of: str) -> str:
    return hashlib.sha256(f"{kind}:{of.strip().lower()}".encode()).hexdigest()


def _take_try(key: str, *, most: int, window: timedelta, now: datetime) -> UUID | None:
    """Note a try *before* it is judged, so that a thousand at once are counted too; None when there were too many."""
    with unit_of_work():
        db.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
            {"key": key},
            execution_options={"unscoped_because": "a lock by the hash of an address; reads no row"},
        )
        counted = select(func.count(SignInFailure.id)).where(
            SignInFailure.key == key, SignInFailure.at > now - window
        )
        if (db.session.scalars(counted).one() or 0) >= most:
            return None
        taken = SignInFailure(id=uuid4(), key=key, at=now)
        db.session.add(taken)
    return taken.id


def _take_sign_in_try(email: str, now: datetime) -> UUID:
    taken = _take_try(
        _key("account", email), most=domain.MOST_FAILURES, window=domain.FAILURE_WINDOW, now=now
    )
    if taken is None:
        raise RuleBroken(_TOO_MANY)
    return taken


def _was_right(taken: UUID) -> None:
    with unit_of_work():
        db.session.execute(delete(SignInFailure).where(SignInFailure.id == taken))


def take_try(kind: str, of: str, *, most: int, window: timedelta, now: datetime) -> UUID | None:
    """Note a try at something of a kind, before it is judged; None where there were too many. For other features."""
    return _take_try(_key(kind, of), most=most, window=window, now=now)


def was_right(taken: UUID) -> None:
    """A try was right: it does not count."""
    _was_right(taken)


# -- password and code -------------------------------------------------------------------------------------------


def check_password(*, email: str, password: str, now: datetime, today: date) -> Known:
    """Whose password this is, and what comes next. Raises `RuleBroken` with the same words for every other case."""
    taken = _take_sign_in_try(email, now)
    account = queries.find_account(email)
    right = sealing.password_matches(
        account.password if account else None, password[: domain.LONGEST_PASSWORD + 1]
    )
    if account is None or not right or not account.active:
        raise RuleBroken(_WRONG)
    _was_right(taken)
    return Known(account.id, next_step(account.id, today=today))


def next_step(account_id: UUID, *, today: date) -> Step:
    """What somebody whose password is right still has to do."""
    if queries.get_account(account_id).tf_totp_secret is not None:
        return Step.CODE
    for trust in queries.list_trusts_of_account(account_id, on=today):
        with scope(Scope.job(trust.trust_id)):
            held = domain.holding(map(queries.held, queries.list_memberships(trust.person_id)), today)
            if domain.needs_second_factor(one.role for one in held):
                return Step.SET_UP
    return Step.DONE


def check_code(*, account_id: UUID, code: str, now: datetime) -> str:
    """Accept a code of the authenticator, or a recovery code; each is good once. Returns how somebody signed in."""
    taken = _take_sign_in_try(queries.get_account(account_id).email, now)
    with unit_of_work():
        account = _locked(account_id)
        if account.tf_totp_secret is None or not account.active:
            raise RuleBroken(_WRONG_CODE, "code")
        plain = "".join(code.split())
        counter = (
            sealing.totp_counter(
                sealing.unseal(account.tf_totp_secret),
                plain,
                at=int(now.timestamp()),
                after=account.totp_last_counter,
            )
            if plain.isdigit()
            else None
        )
        if counter is not None:
            account.totp_last_counter = counter
            method = "password and code"
        else:
            hashed, codes = sealing.recovery_hash(code), list(account.mf_recovery_codes or [])
            if hashed not in codes:
                raise RuleBroken(_WRONG_CODE, "code")
            codes.remove(hashed)
            account.mf_recovery_codes = codes
            method = "password and recovery code"
    _was_right(taken)
    return method


def _locked(account_id: UUID) -> Account:
    found = db.session.scalars(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def record_sign_in(*, account_id: UUID, method: str, now: datetime, today: date) -> None:
    """Put a sign-in into the audit trail of every trust in which the account serves."""
    for trust in queries.list_trusts_of_account(account_id, on=today):
        actor = Actor(trust_id=trust.trust_id, person_id=trust.person_id, account_id=account_id)
        with scope(Scope(trust.trust_id, trust.person_id)), unit_of_work():
            audit.record(actor, Action.SIGNED_IN, now=now, person_id=trust.person_id, method=method)


# -- second factor -----------------------------------------------------------------------------------------------


def set_up_code(
    *, account_id: UUID, secret: str, code: str, now: datetime, in_place_of_another: bool
) -> list[str]:
    """Begin to ask for codes of an authenticator, once it has shown a right one. Returns new recovery codes.

    Half way through signing in, nobody may put one in place of another: that would get round it.
    """
    counter = sealing.totp_counter(secret, "".join(code.split()), at=int(now.timestamp()), after=None)
    if counter is None:
        raise RuleBroken(
            "This code does not fit. Check the clock of your telephone, and enter the newest code.", "code"
        )
    codes = sealing.new_recovery_codes()
    with unit_of_work():
        account = _locked(account_id)
        if account.tf_totp_secret is not None and not in_place_of_another:
            raise RuleBroken("An authenticator has been set up meanwhile: begin again, and use its code.")
        account.tf_primary_method = "authenticator"
        account.tf_totp_secret = sealing.seal(secret)
        account.totp_last_counter = counter
        account.mf_recovery_codes = [sealing.recovery_hash(one) for one in codes]
        account.update_datetime = now
    return codes


def renew_recovery_codes(*, account_id: UUID, now: datetime) -> list[str]:
    """New recovery codes; the old ones are worthless from now on."""
    codes = sealing.new_recovery_codes()
    with unit_of_work():
        account = _locked(account_id)
        if account.tf_totp_secret is None:
            raise RuleBroken("Set up an authenticator first.")
        account.mf_recovery_codes = [sealing.recovery_hash(one) for one in codes]
        account.update_datetime = now
    return codes


# -- passwords ---------------------------------------------------------------------------------------------------


def _set_password(account: Account, password: str, now: datetime, *, own: tuple[str, ...] = ()) -> None:
    domain.check_password(password, common=sealing.common_passwords(), own=(account.email, *own))
    account.password = sealing.hash_password(password)
    # Links to set a new password name this value: they are worthless from now on.
    account.fs_uniquifier = uuid4().hex
    account.update_datetime = now


def prove_password(*, account_id: UUID, password: str, now: datetime) -> None:
    """Check that whoever is signed in knows the password; tries are counted like those of signing in."""
    account = queries.get_account(account_id)
    taken = _take_sign_in_try(account.email, now)
    if not sealing.password_matches(account.password, password[: domain.LONGEST_PASSWORD + 1]):
        raise RuleBroken("This is not your password.", "password")
    _was_right(taken)


def change_password(
    *, account_id: UUID, current: str, new: str, keep_session: UUID | None, now: datetime, today: date
) -> None:
    """Change one's own password; every other browser is signed out, and a mail says so."""
    taken = _take_sign_in_try(queries.get_account(account_id).email, now)
    with unit_of_work():
        account = _locked(account_id)
        if not sealing.password_matches(account.password, current):
            raise RuleBroken("This is not your present password.", "current")
        _set_password(account, new, now)
        end_sessions(account.id, keep=keep_session)
    _was_right(taken)
    _mail(account, letters.password_changed(), today)


def ask_reset(*, email: str, now: datetime, today: date) -> None:
    """Mail a link to set a new password, where there is such an account. The caller says the same in every case."""
    taken = _take_try(_key("mail", email), most=domain.MOST_MAILS, window=domain.MAIL_WINDOW, now=now)
    account = queries.find_account(email)
    if taken is None or account is None or not account.active or account.password is None:
        return
    token = sealing.sign([str(account.id), account.fs_uniquifier], purpose="reset")
    _mail(account, letters.reset(token=token, minutes=domain.RESET_MINUTES), today)


def _mail(account: Account, letter: letters.Letter, today: date) -> None:
    """Queue a mail to the owner of an account, in the first trust where they serve (mail belongs to a trust)."""
    for trust in queries.list_trusts_of_account(account.id, on=today)[:1]:
        with scope(Scope(trust.trust_id, trust.person_id)), unit_of_work():
            queue_mail(
                to_address=account.email,
                to_name=queries.get_person(trust.person_id).name,
                subject=letter.subject,
                lines=letter.lines,
                person_id=trust.person_id,
            )


def account_of_reset(token: str) -> Account:
    """The account that a link belongs to. Raises `RuleBroken` for one that was used, is too old, or was made up."""
    value = sealing.signed(token, purpose="reset", seconds=domain.RESET_MINUTES * 60)
    account = queries.get_account(UUID(value[0])) if value else None
    if account is None or value is None or account.fs_uniquifier != value[1] or not account.active:
        raise RuleBroken("This link has been used or is too old. Ask for another one.")
    return account


def reset_password(*, token: str, password: str, now: datetime, today: date) -> Known:
    """Set a new password with a link that was mailed. Every browser is signed out; the second factor is still asked."""
    found = account_of_reset(token)
    with unit_of_work():
        account = _locked(found.id)
        if account.fs_uniquifier != found.fs_uniquifier:
            raise RuleBroken("This link has been used or is too old. Ask for another one.")
        _set_password(account, password, now)
        end_sessions(account.id)
    _mail(account, letters.password_changed(), today)
    return Known(account.id, next_step(account.id, today=today))


# -- invitations -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Invited:
    """What the page of an invitation shows. `has_account`: there is an account with a password for this address."""

    trust_id: UUID
    invitation_id: UUID
    trust_name: str
    person_name: str
    email: str
    has_account: bool


def read_invitation(token: str, *, now: datetime) -> Invited:
    """What an invitation says. Raises `NotFound` for an unknown token, `RuleBroken` for a used or expired one."""
    row = db.session.execute(
        text("SELECT trust_id, invitation_id FROM find_invitation(:token)"),
        {"token": token_hash(token)},
        execution_options={"unscoped_because": "no trust is known yet; the function returns two ids"},
    ).one_or_none()
    if row is None:
        raise NotFound()
    with scope(Scope.job(row.trust_id)):
        invitation = db.session.scalars(select(Invitation).where(Invitation.id == row.invitation_id)).one()
        domain.check_invitation(expires_at=invitation.expires_at, used_at=invitation.used_at, now=now)
        person = queries.get_person(invitation.person_id)
        email = person.email or ""
        account = queries.find_account(email)
        return Invited(
            row.trust_id,
            invitation.id,
            queries.get_trust().name,
            person.name,
            email,
            account is not None and account.password is not None,
        )


def accept_invitation(
    *, token: str, password: str | None, signed_in_as: UUID | None, now: datetime, today: date
) -> Known:
    """Join a trust by an invitation, once: with a new account and this password, or with the account signed in to.

    An account that exists keeps its password: a link of a trust must not open what belongs to another.
    """
    invited = read_invitation(token, now=now)
    with scope(Scope.job(invited.trust_id)), unit_of_work():
        invitation = db.session.scalars(
            select(Invitation).where(Invitation.id == invited.invitation_id).with_for_update()
        ).one()
        domain.check_invitation(expires_at=invitation.expires_at, used_at=invitation.used_at, now=now)
        person = queries.get_person(invitation.person_id)
        account = queries.find_account(invited.email)
        if account is not None and account.password is not None:
            if signed_in_as != account.id:
                raise RuleBroken(
                    "There is an account with this address already: sign in to it, then open this link again."
                )
        else:
            account = account or new_account(invited.email, now=now)
            _set_password(account, password or "", now, own=(person.name,))
            account.confirmed_at = now
        person.account_id = account.id
        invitation.used_at = now
        actor = Actor(trust_id=invited.trust_id, person_id=person.id, account_id=account.id, name=person.name)
        audit.record(actor, Action.INVITATION_USED, now=now, person_id=person.id, invitation_id=invitation.id)
        account_id = account.id
    return Known(account_id, next_step(account_id, today=today))


# -- browsers ----------------------------------------------------------------------------------------------------


def end_one_session(*, account_id: UUID, session_id: UUID) -> None:
    """Sign one of one's own browsers out."""
    with unit_of_work():
        found = queries.find_session(account_id, session_id)
        if found is None:
            raise NotFound()
        db.session.delete(found)


def end_other_sessions(*, account_id: UUID, keep: UUID | None) -> None:
    """Sign every browser of an account out but for one."""
    with unit_of_work():
        end_sessions(account_id, keep=keep)


def begin_day(*, day: date, now: datetime) -> int:
    """In the trust of the scope: sign out whose last role ended the day before, and whose new role asks for a second
    factor that they have not set up. Sweep away sessions and tries that count no more. Returns how many.
    """
    signed_out = 0
    with unit_of_work():
        for person in queries.list_people_with_account_changing(day):
            held = list(map(queries.held, queries.list_memberships(person.id)))
            assert person.account_id is not None
            account = queries.get_account(person.account_id)
            newly = domain.needs_second_factor(one.role for one in held if one.from_on == day)
            if domain.has_left(held, day) or (newly and account.password and account.tf_totp_secret is None):
                end_sessions(account.id)
                signed_out += 1
        db.session.execute(delete(WebSession).where(WebSession.created_at < now - timedelta(hours=13)))
        db.session.execute(delete(SignInFailure).where(SignInFailure.at < now - domain.MAIL_WINDOW * 2))
    return signed_out
