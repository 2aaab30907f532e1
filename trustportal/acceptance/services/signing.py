"""Signing: the evidence of one person's agreement to one edition, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain.evidence import SignedFacts, record_hash, record_to_sign
from trustportal.acceptance.domain.statement import statement_version, worded
from trustportal.acceptance.models import Assignment, Signature, SignatureTrace
from trustportal.acceptance.queries import mine
from trustportal.access import Actor, Role
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, Forbidden, NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.policies.domain.diff import ClauseChange
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.models import Edition
from trustportal.tenants import domain as tenants_domain
from trustportal.tenants import queries as tenants


@dataclass(frozen=True, slots=True)
class ToRead:
    """What the page of an assignment shows: the difference first, then the whole text, then the words to sign."""

    assignment: mine.MyAssignment
    edition: Edition
    clauses: Sequence[EditionClause]
    #: What changed since this person last signed here; empty where they never did, or where nothing changed.
    changes: Sequence[ClauseChange]
    #: Why each clause changed, by its key.
    reasons: dict[str, str]
    #: The edition that they signed last, "3.1".
    last_label: str | None
    place_name: str
    statement: str
    statement_version: str
    #: What changed between the edition that the form carried and this one, where it was superseded meanwhile.
    changes_meanwhile: Sequence[ClauseChange]
    #: A newer edition is in force, but its PDF is still being made: nothing can be signed for a moment.
    waits_for_pdf: bool


def to_read(actor: Actor, *, assignment_id: UUID, today: date, seen_id: UUID | None = None) -> ToRead:
    """One of the actor's own assignments as it can be signed now. Anybody else's is `NotFound`.

    `seen_id`: the edition that the page showed before, if it may have been superseded since.
    """
    assignment = mine.get_mine(assignment_id, _myself(actor))
    edition = policies.get_edition(assignment.edition_id)
    in_force = policies.find_edition_in_force(assignment.policy_id, assignment.school_id, today)
    waits = False
    if assignment.state == "open" and in_force is not None and in_force.id != edition.id:
        waits = in_force.pdf_hash is None
        edition = in_force if not waits else edition
    changes: Sequence[ClauseChange] = ()
    reasons: dict[str, str] = {}
    last_label = None
    if assignment.signed_edition_id is not None:
        last = policies.get_edition(assignment.signed_edition_id)
        last_label = reading.edition_label(last)
        changes = reading.changes_between(last, edition)
        reasons = _reasons(mine.change_rows(assignment.policy_id, assignment.school_id, last, edition))
    place_name = tenants.place_name(assignment.school_id)
    statement = worded(
        assignment.statement,
        policy=assignment.policy_title,
        edition=reading.edition_label(edition),
        place=place_name,
    )
    return ToRead(
        assignment=assignment,
        edition=edition,
        clauses=reading.clauses_of(edition),
        changes=changes,
        reasons=reasons,
        last_label=last_label,
        place_name=place_name,
        statement=statement,
        statement_version=statement_version(statement),
        changes_meanwhile=_meanwhile(seen_id, edition),
        waits_for_pdf=waits,
    )


def _meanwhile(seen_id: UUID | None, edition: Edition) -> Sequence[ClauseChange]:
    if seen_id is None or seen_id == edition.id:
        return ()
    seen = policies.get_edition(seen_id)
    if (seen.policy_id, seen.school_id) != (edition.policy_id, edition.school_id):
        raise NotFound()
    return reading.changes_between(seen, edition)


def _reasons(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for row in rows:
        key, reason = str(row.get("key", "")), str(row.get("reason") or "").strip()
        if reason and reason not in found.setdefault(key, []):
            found[key].append(reason)
    return {key: " ".join(reasons) for key, reasons in found.items() if reasons}


def sign(
    actor: Actor,
    *,
    assignment_id: UUID,
    edition_id: UUID,
    statement_seen: str,
    confirmed: bool,
    now: datetime,
    today: date,
    user_agent: str = "",
) -> Signature:
    """Sign one assignment. Only its own person can, and only the edition in force, in the words that they saw.

    `edition_id` and `statement_seen` (its SHA-256) come from the form. Raises `RuleBroken` when nothing was ticked and
    `Conflict` when another edition has come into force since the page was opened. Sent twice, it signs once.
    """
    person_id = _myself(actor)
    with unit_of_work() as uow:
        row = mine.lock_mine(assignment_id, person_id)
        if row.state == "signed":
            return _signature_of(row)
        if row.state == "closed":
            raise RuleBroken("You are no longer asked to sign this: you have nothing to do.")
        if not confirmed:
            raise RuleBroken("Tick the box to say that you agree, then choose Sign.", "confirmed")
        edition = _edition_to_sign(row, edition_id, today)
        asked = mine.get_mine(assignment_id, person_id, last_too=False)
        label = reading.edition_label(edition)
        trust = tenants.get_trust()
        school = tenants.get_school(row.school_id) if row.school_id is not None else None
        place_name = school.name if school else trust.name
        statement = worded(asked.statement, policy=asked.policy_title, edition=label, place=place_name)
        if statement_version(statement) != statement_seen:
            raise Conflict("The words that you are asked to agree to have changed. Please read them again.")
        assert edition.pdf_hash is not None
        evidence = SignedFacts(
            signature_id=uuid4(),
            trust_id=actor.trust_id,
            assignment_id=row.id,
            school_id=row.school_id,
            place_name=place_name,
            policy_id=row.policy_id,
            policy_title=asked.policy_title,
            edition_id=edition.id,
            edition_label=label,
            content_hash=edition.content_hash,
            pdf_hash=edition.pdf_hash,
            person_id=person_id,
            person_name=tenants.get_person(person_id).name,
            roles=_roles_at(
                actor, row.school_id, trust.settings, school.role_labels if school is not None else {}
            ),
            academic_year=asked.academic_year,
            statement=statement,
            statement_version=statement_version(statement),
            signed_at=now,
            method=actor.signed_in_by,
            authenticated_at=datetime.fromisoformat(actor.signed_in_at) if actor.signed_in_at else None,
        )
        signature = _write(actor, evidence, now=now, user_agent=user_agent)
        row.state, row.closed_at, row.edition_id = "signed", now, edition.id
        message = wording.receipt(
            trust_slug=trust.slug,
            policy=asked.policy_title,
            edition=label,
            place=place_name,
            signature_id=signature.id,
        )
        mail.notify(
            person_id, subject=message.subject, body=message.body, path=message.path, school_id=row.school_id
        )
        uow.announce(Event.SIGNATURE_GIVEN, signature_id=signature.id)
    return signature


def _myself(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise Forbidden("Only people sign.")
    return actor.person_id


def _signature_of(row: Assignment) -> Signature:
    found = mine.find_signature(row.id)
    if found is None:
        raise NotFound()
    return found


def _edition_to_sign(row: Assignment, seen: UUID, today: date) -> Edition:
    """The edition in force, if it is the one that was read. The assignment moves on by its job, not here."""
    edition = policies.find_edition_in_force(row.policy_id, row.school_id, today, whole=False)
    if edition is None:
        raise RuleBroken("This policy is not in force here any more: you have nothing to sign.")
    if edition.pdf_hash is None:
        raise Conflict(
            "A new edition has just come into force and is being prepared. Please try again in a minute."
        )
    if edition.id != seen:
        raise Conflict("This policy has changed since you opened the page. Here is what is different now.")
    return edition


def _roles_at(
    actor: Actor, school_id: UUID | None, settings: dict[str, Any], school_labels: Mapping[str, str]
) -> list[dict[str, str]]:
    trust_labels = tenants_domain.TrustSettings.read(settings).role_labels
    held = actor.roles_at(school_id)
    if not held:
        raise RuleBroken("You no longer have a role at this place: you have nothing to sign.")
    return [
        {"role": str(role), "label": tenants_domain.role_label(role, school_labels, trust_labels)}
        for role in Role
        if role in held
    ]


def _write(actor: Actor, evidence: SignedFacts, *, now: datetime, user_agent: str) -> Signature:
    hashed = record_hash(record_to_sign(evidence))
    event_id = record(
        actor,
        Action.SIGNATURE_GIVEN,
        now=now,
        signature_id=evidence.signature_id,
        assignment_id=evidence.assignment_id,
        person_id=evidence.person_id,
        policy_id=evidence.policy_id,
        edition_id=evidence.edition_id,
        school_id=evidence.school_id,
        content_hash=evidence.content_hash,
        record_hash=hashed,
    )
    signature = Signature(
        id=evidence.signature_id,
        school_id=evidence.school_id,
        assignment_id=evidence.assignment_id,
        policy_id=evidence.policy_id,
        policy_title=evidence.policy_title,
        edition_id=evidence.edition_id,
        edition_label=evidence.edition_label,
        content_hash=evidence.content_hash,
        pdf_hash=evidence.pdf_hash,
        person_id=evidence.person_id,
        person_name=evidence.person_name,
        roles=[dict(role) for role in evidence.roles],
        place_name=evidence.place_name,
        academic_year=evidence.academic_year,
        statement=evidence.statement,
        statement_version=evidence.statement_version,
        signed_at=evidence.signed_at,
        method=evidence.method,
        authenticated_at=evidence.authenticated_at,
        record_hash=hashed,
        audit_event_id=event_id,
    )
    db.session.add(signature)
    db.session.flush()
    db.session.add(
        SignatureTrace(
            id=uuid4(),
            school_id=evidence.school_id,
            signature_id=signature.id,
            user_agent=user_agent[:300],
            created_at=now,
        )
    )
    return signature
