"""Verifying a signature: everything that it stands on is hashed again, and what was altered is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from trustportal import audit, blobs
from trustportal.acceptance.domain.evidence import Found, SignedFacts, faults, record_to_sign
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries import mine
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.kernel_models import AuditEvent, AuditPayload
from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import edition_hash


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature with its record, rebuilt from the row alone, and what was found altered (nothing: it is whole)."""

    signature: Signature
    record: str
    faults: tuple[str, ...]
    #: Where the signature stands in the audit trail of the trust.
    audit_position: int | None

    @property
    def is_whole(self) -> bool:
        return not self.faults


def facts_of(signature: Signature) -> SignedFacts:
    """What a row attests."""
    return SignedFacts(
        signature_id=signature.id,
        trust_id=signature.trust_id,
        assignment_id=signature.assignment_id,
        school_id=signature.school_id,
        place_name=signature.place_name,
        policy_id=signature.policy_id,
        policy_title=signature.policy_title,
        edition_id=signature.edition_id,
        edition_label=signature.edition_label,
        content_hash=signature.content_hash,
        pdf_hash=signature.pdf_hash,
        person_id=signature.person_id,
        person_name=signature.person_name,
        roles=signature.roles,
        academic_year=signature.academic_year,
        statement=signature.statement,
        statement_version=signature.statement_version,
        signed_at=signature.signed_at,
        method=signature.method,
        authenticated_at=signature.authenticated_at,
    )


def verify_signature(signature_id: UUID) -> Verified:
    """Hash the statement, the text, the PDF and the audit event of a signature again. Raises `NotFound`."""
    signature = mine.get_signature(signature_id)
    evidence = facts_of(signature)
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.id == signature.audit_event_id)
    ).one_or_none()
    payload = db.session.scalars(
        select(AuditPayload).where(AuditPayload.event_id == signature.audit_event_id)
    ).one_or_none()
    found = Found(
        row_hash=signature.record_hash,
        content_hash=_content_hash(signature),
        pdf_hash=_pdf_hash(signature.pdf_hash),
        audited=_audited(event, payload),
        audit_intact=event is not None and payload is not None and _is_intact(event, payload),
    )
    return Verified(
        signature,
        record_to_sign(evidence),
        faults(evidence, found),
        event.position if event is not None else None,
    )


def _content_hash(signature: Signature) -> str | None:
    """The hash of what the edition says, made again from its stored header, place and words."""
    try:
        edition = policies.get_edition(signature.edition_id)
        clauses = reading.clauses_of(edition)
    except NotFound:
        return None
    except RuntimeError:  # words that its tree names are gone
        return ""
    header = PolicyHeader.from_json(edition.header)
    # A school that was renamed since has another name now than its edition was made with.
    hashes = [edition_hash(clauses, header, edition.place_name)]
    return signature.content_hash if signature.content_hash in hashes else hashes[0]


def _pdf_hash(digest: str) -> str | None:
    try:
        return hashlib.sha256(blobs.get(digest).content).hexdigest()
    except NotFound:
        return None
    except RuntimeError:  # its bytes are not what was stored
        return ""


def _audited(event: AuditEvent | None, payload: AuditPayload | None) -> Mapping[str, Any] | None:
    if event is None or payload is None:
        return None
    said: Mapping[str, Any] = json.loads(payload.payload)
    return said


def _is_intact(event: AuditEvent, payload: AuditPayload) -> bool:
    """Whether an event still follows from the one before it and its payload is the one that was recorded."""
    before = db.session.scalars(
        select(AuditEvent.hash).where(AuditEvent.position == event.position - 1)
    ).one_or_none()
    if before is None and event.position > 1:
        return False
    if audit.link_hash(bytes(before or b""), event.position, event.entry) != bytes(event.hash):
        return False
    entry = json.loads(event.entry)
    salted = hashlib.sha256(bytes(payload.salt) + payload.payload.encode()).hexdigest()
    return entry["id"] == str(event.id) and entry["action"] == event.action and entry["payload"] == salted
