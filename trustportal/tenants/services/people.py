"""People and their memberships: adding, inviting, beginning and ending roles."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal import audit
from trustportal.access import Actor, Permission, Role
from trustportal.audit import Action
from trustportal.db import UnitOfWork, db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.mail import queue_mail
from trustportal.sessions import end_sessions
from trustportal.tenants import domain, queries
from trustportal.tenants import mail as letters
from trustportal.tenants.models import Account, Invitation, Membership, Person


def add_person(
    actor: Actor, *, name: str, now: datetime, email: str | None = None, job_title: str = ""
) -> Person:
    """Add somebody to the trust. Without an e-mail address they sign with a code or on paper. Roles come separately."""
    actor.require(Permission.PEOPLE_MANAGE)
    address = domain.normal_email(email)
    with unit_of_work():
        _refuse_second(address)
        person = Person(
            id=uuid4(), name=_name(name), email=address, job_title=job_title.strip()[:120], created_at=now
        )
        db.session.add(person)
        db.session.flush()
        audit.record(actor, Action.PERSON_CREATED, now=now, person_id=person.id)
    return person


def change_person(
    actor: Actor, *, person_id: UUID, name: str, email: str | None, job_title: str = ""
) -> Person:
    """Change a person's name, the address that mail goes to, or their job title.

    The address somebody signs in with is their account's, and theirs alone to change.
    """
    actor.require(Permission.PEOPLE_MANAGE)
    address = domain.normal_email(email)
    with unit_of_work():
        person = queries.get_person(person_id)
        if address != person.email:
            _refuse_second(address)
            # An open invitation went to the old address: whoever reads that mailbox must not become this person.
            invitation = queries.find_open_invitation(person.id)
            if invitation is not None:
                invitation.expires_at = min(invitation.expires_at, invitation.created_at)
        new = {"name": _name(name), "email": address, "job_title": job_title.strip()[:120]}
        fields = [field for field, value in new.items() if getattr(person, field) != value]
        for field in fields:
            setattr(person, field, new[field])
        if fields:
            audit.record(actor, Action.PERSON_CHANGED, person_id=person.id, fields=fields)
    return person


def _name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > 200:
        raise RuleBroken("Enter the person’s full name.", "name")
    return found


def _refuse_second(email: str | None) -> None:
    if email is not None and queries.find_person_by_email(email) is not None:
        raise RuleBroken("Somebody in this trust has this e-mail address already.", "email")


def begin_membership(
    actor: Actor,
    *,
    person_id: UUID,
    role: Role,
    school_id: UUID | None,
    from_on: date,
    to_on: date | None = None,
    acting: bool = False,
) -> Membership:
    """Give somebody a role at a school, or (None) at the trust, from a day to a day or for good.

    Whoever signed in with a password alone has to sign in again when the new role asks for a second factor.
    """
    actor.require(Permission.PEOPLE_MANAGE, school_id)
    with unit_of_work() as uow:
        person = queries.get_person(person_id)
        school = queries.get_school(school_id) if school_id is not None else None
        domain.check_beginning(
            domain.Held(role, school_id, from_on, to_on),
            map(queries.held, queries.list_memberships(person_id)),
            school_from=school.joined_on if school else None,
            school_to=school.closes_on if school else None,
        )
        membership = Membership(
            id=uuid4(),
            person_id=person.id,
            school_id=school_id,
            role=role,
            from_on=from_on,
            to_on=to_on,
            acting=acting,
        )
        db.session.add(membership)
        db.session.flush()
        if person.account_id is not None and role in domain.SECOND_FACTOR_ROLES:
            account = queries.get_account(person.account_id)
            if account.tf_totp_secret is None and account.password is not None:
                end_sessions(account.id)
        audit.record(
            actor,
            Action.MEMBERSHIP_BEGAN,
            person_id=person.id,
            school_id=school_id,
            membership_id=membership.id,
            role=role,
            from_on=from_on,
            to_on=to_on,
        )
        _announce(uow, membership)
    return membership


def end_membership(actor: Actor, *, membership_id: UUID, to_on: date, today: date) -> Membership:
    """End a role on a day, which is its last. Whoever has left the trust is signed out at once."""
    with unit_of_work() as uow:
        membership = queries.get_membership(membership_id)
        actor.require(Permission.PEOPLE_MANAGE, membership.school_id)
        same = queries.list_memberships_with_role(Role(membership.role), school_id=membership.school_id)
        domain.check_ending(
            queries.held(membership),
            to_on=to_on,
            others=[queries.held(one) for one in same if one.id != membership.id],
            today=today,
        )
        membership.to_on = to_on
        db.session.flush()
        person = queries.get_person(membership.person_id)
        held = map(queries.held, queries.list_memberships(person.id))
        if person.account_id is not None and domain.has_left(held, today):
            end_sessions(person.account_id)
        audit.record(
            actor,
            Action.MEMBERSHIP_ENDED,
            person_id=membership.person_id,
            school_id=membership.school_id,
            membership_id=membership.id,
            role=Role(membership.role),
            to_on=to_on,
        )
        _announce(uow, membership)
    return membership


def _announce(uow: UnitOfWork, membership: Membership) -> None:
    """Tell the others: `person_id`, `membership_id`, and `school_id` ("" at the trust)."""
    uow.announce(
        Event.MEMBERSHIP_CHANGED,
        person_id=membership.person_id,
        membership_id=membership.id,
        school_id=membership.school_id or "",
    )


def token_hash(token: str) -> bytes:
    """What is kept of an invitation's token."""
    return hashlib.sha256(token.encode()).digest()


def invite(actor: Actor, *, person_id: UUID, now: datetime) -> Invitation:
    """Mail somebody the link by which they make their account. Inviting again makes the earlier link useless."""
    actor.require(Permission.PEOPLE_MANAGE)
    with unit_of_work():
        person = queries.get_person(person_id)
        if person.email is None:
            raise RuleBroken("This person has no e-mail address to send an invitation to.", "email")
        if person.account_id is not None:
            raise RuleBroken(
                "This person has an account already. They can set a new password on the sign-in page."
            )
        for earlier in db.session.scalars(
            select(Invitation).where(Invitation.person_id == person.id, Invitation.used_at.is_(None))
        ):
            earlier.expires_at = min(earlier.expires_at, now)
        token = secrets.token_urlsafe(32)
        invitation = Invitation(
            id=uuid4(),
            person_id=person.id,
            token_hash=token_hash(token),
            invited_by=actor.person_id,
            created_at=now,
            expires_at=now + timedelta(days=domain.INVITATION_DAYS),
        )
        db.session.add(invitation)
        letter = letters.invitation(
            trust_name=queries.get_trust().name, inviter=actor.name, token=token, days=domain.INVITATION_DAYS
        )
        queue_mail(
            to_address=person.email,
            to_name=person.name,
            subject=letter.subject,
            lines=letter.lines,
            person_id=person.id,
        )
        audit.record(actor, Action.INVITATION_SENT, now=now, person_id=person.id, invitation_id=invitation.id)
    return invitation


def give_account(actor: Actor, *, person_id: UUID, now: datetime) -> Account:
    """Give somebody an account without a password: the demonstration's people, who sign in with one click.

    One human has one account, found by e-mail address; nobody can use it until an invitation sets a password.
    """
    actor.require(Permission.PEOPLE_MANAGE)
    with unit_of_work():
        person = queries.get_person(person_id)
        if person.account_id is not None:
            return queries.get_account(person.account_id)
        if person.email is None:
            raise RuleBroken("An account needs an e-mail address.", "email")
        account = queries.find_account(person.email)
        if account is not None and account.password is not None:
            raise RuleBroken("There is an account with this address: its owner joins by invitation.", "email")
        if account is None:
            account = new_account(person.email, now=now)
        person.account_id = account.id
        audit.record(actor, Action.PERSON_CHANGED, now=now, person_id=person.id, fields=["account"])
    return account


def new_account(email: str, *, now: datetime) -> Account:
    """A new account in the open unit of work."""
    account = Account(
        id=uuid4(),
        email=email,
        active=True,
        fs_uniquifier=uuid4().hex,
        create_datetime=now,
        update_datetime=now,
    )
    db.session.add(account)
    db.session.flush()
    return account


def add_with_role(
    actor: Actor,
    *,
    name: str,
    email: str | None,
    role: Role,
    school_id: UUID | None,
    from_on: date,
    now: datetime,
    job_title: str = "",
    to_on: date | None = None,
    acting: bool = False,
    send_invitation: bool = False,
) -> Person:
    """Add somebody with their first role, and invite them if they have an address: all of it or nothing."""
    with unit_of_work():
        person = add_person(actor, name=name, email=email, job_title=job_title, now=now)
        begin_membership(
            actor,
            person_id=person.id,
            role=role,
            school_id=school_id,
            from_on=from_on,
            to_on=to_on,
            acting=acting,
        )
        if send_invitation and person.email is not None:
            invite(actor, person_id=person.id, now=now)
    return person
