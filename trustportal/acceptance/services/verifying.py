"""Verifying a signature: everything that it stands on is hashed again, and what was altered is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from trustportal import audit, blobs
from trustportal.acceptance.domain.documents import document_hash
from trustportal.acceptance.domain.evidence import Found, SignedFacts, faults, record_to_sign
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries import mine, outside, proofs
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.kernel_models import AuditEvent, AuditPayload
from trustportal.policies import queries as policies
from trustportal.policies import texts
from trustportal.policies.domain.clauses import words_hash
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import EditionClause, edition_hash


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
        witness=signature.witness,
        record_version=signature.record_version,
        outside_id=signature.outside_id,
        outside_edition_id=signature.outside_edition_id,
    )


def verify_signature(signature_id: UUID) -> Verified:
    """Hash the statement, the text, the PDF and the audit event of a signature again. Raises `NotFound`."""
    return Verifier().verify([mine.get_signature(signature_id)])[0]


def verify_all() -> Iterator[Verified]:
    """Every signature of the trust in scope that is not whole. Nothing yielded: all of them are."""
    verifier, last = Verifier(), None
    while batch := proofs.list_signatures_after(last, limit=_BATCH):
        last = batch[-1].id
        for verified in verifier.verify(batch):
            if not verified.is_whole:
                yield verified
        db.session.expunge_all()


_BATCH = 500


class Verifier:
    """Verifies signatures; what many of them stand on (an edition's text, its PDF) is hashed once."""

    def __init__(self) -> None:
        self._contents: dict[UUID | None, tuple[str | None, tuple[str, ...]]] = {}
        self._files: dict[str, str | None] = {}

    def verify(self, signatures: Sequence[Signature]) -> list[Verified]:
        """Hash again all that each of them stands on."""
        ids = [one.audit_event_id for one in signatures]
        events = {one.id: one for one in db.session.scalars(select(AuditEvent).where(AuditEvent.id.in_(ids)))}
        payloads = {
            one.event_id: one
            for one in db.session.scalars(select(AuditPayload).where(AuditPayload.event_id.in_(ids)))
        }
        rows = db.session.execute(
            select(AuditEvent.position, AuditEvent.hash).where(
                AuditEvent.position.in_([one.position - 1 for one in events.values()])
            )
        )
        before = {position: bytes(digest) for position, digest in rows}
        return [
            self._verified(one, events.get(one.audit_event_id), payloads.get(one.audit_event_id), before)
            for one in signatures
        ]

    def _verified(
        self,
        signature: Signature,
        event: AuditEvent | None,
        payload: AuditPayload | None,
        before: Mapping[int, bytes],
    ) -> Verified:
        evidence = facts_of(signature)
        text_id = signature.edition_id or signature.outside_edition_id
        if text_id not in self._contents:
            self._contents[text_id] = _content(signature)
        content_hash, clauses = self._contents[text_id]
        scan = (signature.witness or {}).get("scan_sha256")
        found = Found(
            row_hash=signature.record_hash,
            content_hash=content_hash,
            pdf_hash=self._file_hash(signature.pdf_hash) if signature.pdf_hash is not None else None,
            audited=_audited(payload) if event is not None else None,
            audit_intact=event is not None and payload is not None and _is_intact(event, payload, before),
            altered_clauses=clauses,
            scan_hash=self._file_hash(scan) if scan else None,
            audited_at=_instant(event),
        )
        return Verified(
            signature,
            record_to_sign(evidence),
            faults(evidence, found),
            event.position if event is not None else None,
        )

    def _file_hash(self, digest: str) -> str | None:
        if digest not in self._files:
            self._files[digest] = _file_hash(digest)
        return self._files[digest]


def _content(signature: Signature) -> tuple[str | None, tuple[str, ...]]:
    """The hash of what the edition says, made again from its stored header, place and words; and the numbers of the
    clauses whose words are gone, or are not those of the hash under which they are stored.
    """
    if signature.edition_id is None:
        return _document_content(signature.outside_edition_id), ()
    try:
        edition = policies.get_edition(signature.edition_id)
    except NotFound:
        return None, ()
    stored = texts.read_words(one["words"] for one in edition.tree)
    altered = tuple(
        str(one.get("label") or one.get("number") or one["key"])
        for one in edition.tree
        if (words := stored.get(one["words"])) is None or words_hash(words) != one["words"]
    )
    if any(one["words"] not in stored for one in edition.tree):
        return "", altered
    clauses = tuple(
        EditionClause.from_json(
            {
                **one,
                "heading": stored[one["words"]].heading,
                "text": stored[one["words"]].text,
                "template_heading": "",
                "template_text": "",
            }
        )
        for one in edition.tree
    )
    return edition_hash(clauses, PolicyHeader.from_json(edition.header), edition.place_name), altered


def _document_content(edition_id: UUID | None) -> str | None:
    """The hash of an outside document's record, made again from its row; None where it is gone."""
    try:
        if edition_id is None:
            return None
        return document_hash(outside.facts_of(outside.get_edition(edition_id)))
    except NotFound:
        return None


def _file_hash(digest: str) -> str | None:
    """The hash of a stored file's bytes; None where it is gone."""
    try:
        return hashlib.sha256(blobs.get(digest).content).hexdigest()
    except NotFound:
        return None
    except RuntimeError:  # its bytes are not what was stored
        return ""


def _instant(event: AuditEvent | None) -> datetime | None:
    """When the chain says that it happened."""
    if event is None:
        return None
    try:
        return datetime.fromisoformat(json.loads(event.entry)["at"])
    except (ValueError, KeyError, TypeError):
        return None


def _audited(payload: AuditPayload | None) -> Mapping[str, Any] | None:
    """What the payload of an event says; one that cannot be read says nothing."""
    if payload is None:
        return None
    try:
        said = json.loads(payload.payload)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_intact(event: AuditEvent, payload: AuditPayload, before: Mapping[int, bytes]) -> bool:
    """Whether an event still follows from the one before it and its payload is the one that was recorded."""
    previous = before.get(event.position - 1)
    if previous is None and event.position > 1:
        return False
    if audit.link_hash(previous or b"", event.position, event.entry) != bytes(event.hash):
        return False
    try:
        entry = json.loads(event.entry)
    except ValueError:
        return False
    salted = hashlib.sha256(bytes(payload.salt) + payload.payload.encode()).hexdigest()
    said = {name: entry.get(name) for name in ("id", "action", "payload")}
    return said == {"id": str(event.id), "action": event.action, "payload": salted}
