"""Signing: what is read before it, and one person's agreement to one edition, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from trustportal.acceptance.domain.statement import statement_version, worded
from trustportal.acceptance.models import OutsideEdition, Signature
from trustportal.acceptance.queries import mine, outside
from trustportal.acceptance.queries.signing import AskedRow, EditionRow, ToSign, document_row, lock_to_sign
from trustportal.acceptance.services.giving import Given, give
from trustportal.access import Actor
from trustportal.db import unit_of_work
from trustportal.errors import Conflict, Forbidden, NotFound, RuleBroken
from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.policies.domain.diff import ClauseChange
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.models import Edition
from trustportal.tenants import queries as tenants


@dataclass(frozen=True, slots=True)
class ToRead:
    """What the page of an assignment shows: the difference first, then the whole text, then the words to sign."""

    assignment: mine.MyAssignment
    #: None for an outside document, which the portal has no copy of.
    edition: Edition | None
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
    #: The outside document that is to be confirmed, instead of an edition.
    document: OutsideEdition | None = None
    #: What they confirmed of it before, where that was another edition.
    confirmed_before: OutsideEdition | None = None

    @property
    def edition_id(self) -> UUID:
        """What the form carries, so that nobody signs another edition than they read."""
        shown = self.edition or self.document
        assert shown is not None
        return shown.id


def to_read(actor: Actor, *, assignment_id: UUID, today: date, seen_id: UUID | None = None) -> ToRead:
    """One of the actor's own assignments as it can be signed now. Anybody else's is `NotFound`.

    `seen_id`: the edition that the page showed before, if it may have been superseded since.
    """
    assignment = mine.get_mine(assignment_id, _myself(actor))
    if assignment.outside_id is not None:
        return _document_to_read(assignment, assignment.outside_id, today)
    assert assignment.policy_id is not None
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


def _document_to_read(assignment: mine.MyAssignment, document_id: UUID, today: date) -> ToRead:
    """The same for an outside document: what is recorded of it, and what its person confirmed before."""
    document = outside.get_edition(assignment.edition_id)
    current = outside.find_current(document_id, today)
    if assignment.state == "open" and current is not None:
        document = current
    before = None
    if assignment.signed_edition_id not in {None, document.id}:
        assert assignment.signed_edition_id is not None
        before = outside.get_edition(assignment.signed_edition_id)
    place_name = tenants.place_name(assignment.school_id)
    row = document_row(document)
    statement = worded(document.statement, edition=row.label, place=place_name, **row.words)
    return ToRead(
        assignment=assignment,
        edition=None,
        clauses=(),
        changes=(),
        reasons={},
        last_label=before.edition if before is not None else None,
        place_name=place_name,
        statement=statement,
        statement_version=statement_version(statement),
        changes_meanwhile=(),
        waits_for_pdf=False,
        document=document,
        confirmed_before=before,
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
    with unit_of_work():
        asked = lock_to_sign(assignment_id, person_id, today)
        if asked.row.state == "signed":
            return _signature_of(asked.row)
        if asked.row.state == "closed":
            raise RuleBroken("You are no longer asked to sign this: you have nothing to do.")
        if not confirmed:
            raise RuleBroken("Tick the box to say that you agree, then choose Sign.", "confirmed")
        edition = _edition_to_sign(asked, edition_id)
        statement = asked.worded(edition)
        if statement_version(statement) != statement_seen:
            raise Conflict("The words that you are asked to agree to have changed. Please read them again.")
        return give(
            actor,
            asked,
            edition,
            Given(
                held=actor.roles_at(asked.row.school_id),
                statement=statement,
                signed_at=now,
                method=actor.signed_in_by,
                authenticated_at=datetime.fromisoformat(actor.signed_in_at) if actor.signed_in_at else None,
                user_agent=user_agent,
            ),
        )


def _myself(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise Forbidden("Only people sign.")
    return actor.person_id


def _signature_of(row: AskedRow) -> Signature:
    found = mine.find_signature(row.id)
    if found is None:
        raise NotFound()
    return found


def _edition_to_sign(asked: ToSign, seen: UUID) -> EditionRow:
    """The edition in force, if it is the one that was read. The assignment moves on by its job, not here."""
    edition = asked.edition
    if edition is None:
        raise RuleBroken("This policy is not in force here any more: you have nothing to sign.")
    if edition.pdf_hash is None and not edition.is_outside:
        raise Conflict(
            "A new edition has just come into force and is being prepared. Please try again in a minute."
        )
    if edition.id != seen and edition.is_outside:
        raise Conflict("A newer edition has been recorded since you opened the page. Please read that one.")
    if edition.id != seen:
        raise Conflict("This policy has changed since you opened the page. Here is what is different now.")
    return edition
