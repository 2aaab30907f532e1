"""The audit trail: declared actions, appended to one chain per trust in the transaction that they record.

A link is canonical JSON with the salted hash of its payload; its hash is SHA-256 over the previous hash, the position
and that JSON. The payload is a row beside it, so that it can be disposed of and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal.access import Actor
from trustportal.db import current_unit, db
from trustportal.kernel_models import AuditEvent, AuditHead, AuditPayload


class Action(StrEnum):
    """Everything that is recorded, with the fields that it declares in `FIELDS`."""

    ABSENCE_ENDED = "absence.ended"
    ABSENCE_RECORDED = "absence.recorded"
    APPROVAL_DECIDED = "approval.decided"
    APPROVAL_ENDED = "approval.ended"
    APPROVAL_MINUTED = "approval.minuted"
    APPROVAL_RATIFIED = "approval.ratified"
    ARCHIVE_ANSWERED = "archive.answered"
    ARCHIVE_ASKED = "archive.asked"
    ARCHIVE_MADE = "archive.made"
    ARCHIVE_REMOVED = "archive.removed"
    ARCHIVE_TAKEN = "archive.taken"
    ASSIGNMENT_ESCALATED = "assignment.escalated"
    ASSIGNMENT_REMINDED = "assignment.reminded"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGN_CLOSED = "campaign.closed"
    CAMPAIGN_OPENED = "campaign.opened"
    COMMENT_ANSWERED = "comment.answered"
    COMMENT_MADE = "comment.made"
    CONSULTATION_CLOSED = "consultation.closed"
    CONSULTATION_OPENED = "consultation.opened"
    DRAFT_CHANGED = "draft.changed"
    DRAFT_CREATED = "draft.created"
    EDITION_APPROVED = "edition.approved"
    EDITION_RETURNED = "edition.returned"
    EDITION_SUBMITTED = "edition.submitted"
    EDITION_WITHDRAWN = "edition.withdrawn"
    EVIDENCE_ASKED = "evidence.asked"
    FINDING_ANSWERED = "finding.answered"
    GUIDANCE_REVIEW_CLOSED = "guidance_review.closed"
    GUIDANCE_REVIEW_OPENED = "guidance_review.opened"
    INVITATION_SENT = "invitation.sent"
    INVITATION_USED = "invitation.used"
    MEMBERSHIP_BEGAN = "membership.began"
    MEMBERSHIP_ENDED = "membership.ended"
    OUTSIDE_DOCUMENT_RECORDED = "outside_document.recorded"
    OVERRIDE_CHANGED = "override.changed"
    PERSON_CHANGED = "person.changed"
    PERSON_CREATED = "person.created"
    PLACEHOLDER_CHANGED = "placeholder.changed"
    POLICY_CREATED = "policy.created"
    POLICY_WITHDRAWN = "policy.withdrawn"
    QUESTION_ANSWERED = "question.answered"
    QUESTION_ASKED = "question.asked"
    RECIPIENTS_DECIDED = "recipients.decided"
    RECIPIENTS_PROPOSED = "recipients.proposed"
    RECONCILE_DECIDED = "reconcile.decided"
    RECONCILE_DUE_CHANGED = "reconcile.due_changed"
    RECONCILE_FORCED = "reconcile.forced"
    RECONCILE_OPENED = "reconcile.opened"
    REVIEW_REMINDED = "review.reminded"
    ROUTE_CHANGED = "route.changed"
    REGISTER_CHANGED = "register.changed"
    REGISTER_CLOSED = "register.closed"
    REGISTER_ENTERED = "register.entered"
    SCHOOL_CHANGED = "school.changed"
    SCHOOL_CREATED = "school.created"
    SCHOOL_STARTED = "school.started"
    SIGNATURE_GIVEN = "signature.given"
    SIGNING_CODE_USED = "signing_code.used"
    SIGNING_CODES_PRINTED = "signing_codes.printed"
    SIGNING_SCHEDULE_CHANGED = "signing_schedule.changed"
    SIGNED_IN = "sign_in.succeeded"
    TRUST_CHANGED = "trust.changed"
    TRUST_CREATED = "trust.created"
    VERSION_PUBLISHED = "version.published"
    VERSION_SUBMITTED = "version.submitted"
    VERSION_WITHDRAWN = "version.withdrawn"
    STAND_IN_ENDED = "stand_in.ended"
    STAND_IN_NAMED = "stand_in.named"
    TIE_DECLARED = "tie.declared"
    TIE_ENDED = "tie.ended"
    WORKFLOW_CHANGED = "workflow.changed"
    WORKFLOW_OVERRIDDEN = "workflow.overridden"
    WORKFLOW_PUBLISHED = "workflow.published"


#: The fields that each action may carry, ids and short facts only. An undeclared field is a programming error.
_COMMON = frozenset({"policy_id", "school_id", "person_id", "version_id", "edition_id"})
FIELDS: Mapping[Action, frozenset[str]] = {
    action: _COMMON | extra
    for action, extra in {
        **{action: frozenset[str]() for action in Action},
        Action.ABSENCE_ENDED: frozenset({"absence_id", "to_on"}),
        Action.ABSENCE_RECORDED: frozenset({"absence_id", "from_on", "to_on"}),
        Action.APPROVAL_DECIDED: frozenset({"run_id", "stage", "choice", "content_hash"}),
        Action.APPROVAL_ENDED: frozenset({"run_id", "outcome", "content_hash"}),
        Action.APPROVAL_MINUTED: frozenset(
            {"run_id", "body", "met_on", "minute_reference", "outcome", "content_hash"}
        ),
        Action.APPROVAL_RATIFIED: frozenset({"run_id", "body", "met_on", "minute_reference", "outcome"}),
        Action.ARCHIVE_ANSWERED: frozenset({"archive_id", "seat", "answer"}),
        Action.ARCHIVE_ASKED: frozenset({"archive_id", "with_cases"}),
        Action.ARCHIVE_MADE: frozenset({"archive_id", "expires_at"}),
        Action.ARCHIVE_REMOVED: frozenset({"archive_id", "because"}),
        Action.ARCHIVE_TAKEN: frozenset({"archive_id"}),
        Action.ASSIGNMENT_ESCALATED: frozenset({"level", "count"}),
        Action.ASSIGNMENT_REMINDED: frozenset({"campaign_id", "count"}),
        Action.CAMPAIGN_CHANGED: frozenset({"campaign_id", "fields"}),
        Action.CAMPAIGN_CLOSED: frozenset({"campaign_id"}),
        Action.CAMPAIGN_OPENED: frozenset({"campaign_id", "academic_year", "due_on"}),
        Action.COMMENT_ANSWERED: frozenset({"comment_id", "clause_key"}),
        Action.COMMENT_MADE: frozenset({"comment_id", "clause_key"}),
        Action.CONSULTATION_CLOSED: frozenset({"consultation_id"}),
        Action.CONSULTATION_OPENED: frozenset({"consultation_id", "until"}),
        Action.DRAFT_CHANGED: frozenset({"clause_key", "what"}),
        Action.DRAFT_CREATED: frozenset({"source"}),
        Action.EDITION_APPROVED: frozenset({"label", "content_hash", "effective_on", "by"}),
        Action.EDITION_RETURNED: frozenset({"run_id", "content_hash"}),
        Action.EDITION_SUBMITTED: frozenset({"run_id", "content_hash"}),
        Action.EVIDENCE_ASKED: frozenset({"pack_id", "academic_year"}),
        Action.FINDING_ANSWERED: frozenset({"rule", "severity", "clause_key", "mark"}),
        Action.GUIDANCE_REVIEW_CLOSED: frozenset({"review_id", "record"}),
        Action.GUIDANCE_REVIEW_OPENED: frozenset({"review_id", "record", "clauses", "places"}),
        Action.INVITATION_SENT: frozenset({"invitation_id"}),
        Action.INVITATION_USED: frozenset({"invitation_id"}),
        Action.MEMBERSHIP_BEGAN: frozenset({"membership_id", "role", "from_on", "to_on"}),
        Action.MEMBERSHIP_ENDED: frozenset({"membership_id", "role", "to_on"}),
        Action.OUTSIDE_DOCUMENT_RECORDED: frozenset(
            {"outside_id", "outside_edition_id", "number", "content_hash"}
        ),
        Action.OVERRIDE_CHANGED: frozenset({"clause_key", "answer", "what", "prepared_by"}),
        Action.PERSON_CHANGED: frozenset({"fields"}),
        Action.PLACEHOLDER_CHANGED: frozenset({"name"}),
        Action.POLICY_WITHDRAWN: frozenset({"withdrawn_on"}),
        Action.QUESTION_ANSWERED: frozenset({"question_id", "kind"}),
        Action.QUESTION_ASKED: frozenset({"question_id", "assignment_id", "kind", "outside_id"}),
        Action.RECONCILE_DECIDED: frozenset({"reconcile_id", "clause_key", "choice"}),
        Action.RECONCILE_DUE_CHANGED: frozenset({"reconcile_id", "due_on"}),
        Action.RECONCILE_FORCED: frozenset({"reconcile_id", "clauses", "reason", "due_on"}),
        Action.RECONCILE_OPENED: frozenset({"reconcile_id", "clauses"}),
        Action.REVIEW_REMINDED: frozenset({"review_on", "slot_on", "count"}),
        Action.ROUTE_CHANGED: frozenset({"kind", "what"}),
        Action.REGISTER_CHANGED: frozenset({"entry_id", "fields"}),
        Action.REGISTER_CLOSED: frozenset({"entry_id"}),
        Action.REGISTER_ENTERED: frozenset({"entry_id"}),
        Action.SCHOOL_CHANGED: frozenset({"fields"}),
        Action.SIGNATURE_GIVEN: frozenset(
            {
                "signature_id",
                "assignment_id",
                "content_hash",
                "record_hash",
                "record_marks",
                "recorder_id",
                "outside_id",
                "outside_edition_id",
            }
        ),
        Action.SIGNING_CODE_USED: frozenset({"code_id"}),
        Action.SIGNING_CODES_PRINTED: frozenset({"count", "expires_on"}),
        Action.SIGNING_SCHEDULE_CHANGED: frozenset({"fields"}),
        Action.SIGNED_IN: frozenset({"method"}),
        Action.TRUST_CHANGED: frozenset({"fields"}),
        Action.VERSION_PUBLISHED: frozenset({"number", "effective_on", "content_hash"}),
        Action.VERSION_SUBMITTED: frozenset({"run_id", "content_hash"}),
        Action.RECIPIENTS_DECIDED: frozenset({"routing_id", "decision"}),
        Action.RECIPIENTS_PROPOSED: frozenset({"routing_id", "reason"}),
        Action.WORKFLOW_CHANGED: frozenset({"workflow", "what"}),
        Action.WORKFLOW_OVERRIDDEN: frozenset({"workflow", "what"}),
        Action.WORKFLOW_PUBLISHED: frozenset({"workflow", "number", "content_hash"}),
    }.items()
}


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same content gives the same bytes."""
    return _CANONICAL.encode(value)


#: Appends what `prepare` has made. The function checks that the trust is the scope's.
_APPEND = (
    "SELECT append_audit(%(trust)s::uuid, %(id)s::uuid, %(action)s, %(school)s::uuid, %(entry)s,"
    " %(salt)s, %(payload)s)"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event that is ready to be appended by `append`: its id, and what the chain is told."""

    event_id: UUID
    parameters: Mapping[str, Any]


def prepare(actor: Actor, action: Action, *, now: datetime | None = None, **fields: Any) -> Prepared:
    """Make an event of an action. Raises ValueError for a field that the action does not declare."""
    undeclared = set(fields) - FIELDS[action]
    if undeclared:
        raise ValueError(f"{action} does not declare {sorted(undeclared)}")
    event_id = uuid4()
    school_id = fields.get("school_id")
    payload = canonical({key: _plain(value) for key, value in fields.items() if value is not None})
    salt = os.urandom(16)
    entry = canonical(
        {
            "id": str(event_id),
            "at": (now or datetime.now(UTC)).isoformat(),
            "action": str(action),
            "actor": str(actor.person_id) if actor.person_id else "portal",
            "payload": hashlib.sha256(salt + payload.encode()).hexdigest(),
        }
    )

    return Prepared(
        event_id,
        {
            "trust": str(actor.trust_id),
            "id": str(event_id),
            "action": str(action),
            "school": str(school_id) if school_id else None,
            "entry": entry,
            "salt": salt,
            "payload": payload,
        },
    )


def record(actor: Actor, action: Action, *, now: datetime | None = None, **fields: Any) -> UUID:
    """Record an action in the open unit of work; it is appended last before the commit. Returns the event's id."""
    prepared = prepare(actor, action, now=now, **fields)
    append(prepared)
    return prepared.event_id


def append(prepared: Prepared) -> None:
    """Append an event to the chain with the commit of the open unit of work, after all else that is said last."""
    current_unit().say_last(_APPEND, prepared.parameters, chained=True)


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)


@dataclass(frozen=True, slots=True)
class Fault:
    """What verifying found at one position of a chain."""

    position: int
    what: str


def link_hash(previous: bytes, position: int, entry: str) -> bytes:
    """The hash of a link, as the database's function computes it."""
    return hashlib.sha256(previous + str(position).encode() + entry.encode()).digest()


def verify() -> Iterator[Fault]:
    """Recompute the chain of the trust in scope; yields every fault, in order. Nothing yielded: the chain is whole."""
    return check(
        db.session.scalars(select(AuditEvent).order_by(AuditEvent.position)),
        db.session.scalars(select(AuditPayload)),
        db.session.scalars(select(AuditHead)).one_or_none(),
    )


def check(links: Iterable[Any], payloads: Iterable[Any], head: Any) -> Iterator[Fault]:
    """The faults of one trust's chain, from the rows of its tables; `links` in the order of their positions."""
    previous, expected = b"", 1
    beside = {row.event_id: row for row in payloads}
    for link in links:
        if link.position > expected:
            yield Fault(expected, f"links {expected} to {link.position - 1} are missing")
        elif link.position < expected:
            yield Fault(link.position, "the link stands before the first one")
        if link_hash(previous, link.position, link.entry) != link.hash:
            yield Fault(link.position, "the link does not follow from the one before it")
        payload = beside.pop(link.id, None)
        for what in _faults_of(link, payload):
            yield Fault(link.position, what)
        previous, expected = bytes(link.hash), max(expected, link.position + 1)
    for _ in beside:
        yield Fault(0, "a payload belongs to no link")
    if head is None:
        if expected > 1:
            yield Fault(expected - 1, "the head is missing")
    elif (head.position, bytes(head.hash)) != (expected - 1, previous):
        yield Fault(head.position, "the chain does not end where its head says")


def _faults_of(link: Any, payload: Any) -> Iterator[str]:
    """Where the columns beside an entry, or its payload, say something else than the entry."""
    entry = _read(link.entry)
    if (entry.get("id"), entry.get("action")) != (str(link.id), link.action) or not _same_instant(
        entry.get("at"), link.at
    ):
        yield "the link's columns differ from its entry"
    if payload is None:
        yield "the payload is missing"
        return
    if hashlib.sha256(bytes(payload.salt) + payload.payload.encode()).hexdigest() != entry.get("payload"):
        yield "the payload was changed"
    if {link.school_id, payload.school_id} != {_school(_read(payload.payload).get("school_id"))}:
        yield "the school beside the link differs from its payload's"


def _read(text_of_json: str) -> dict[str, Any]:
    try:
        value = json.loads(text_of_json)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _same_instant(written: Any, instant: datetime) -> bool:
    try:
        return datetime.fromisoformat(written) == instant
    except (TypeError, ValueError):
        return False


def _school(written: Any) -> UUID | None:
    try:
        return UUID(written) if written else None
    except (TypeError, ValueError, AttributeError):
        return None
