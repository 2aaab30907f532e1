"""What a signature proves: one canonical record, rebuilt from its row alone, and what was altered since. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

#: Of the record's form. A later form gets a new number; old signatures keep theirs.
RECORD_VERSION = 1


@dataclass(frozen=True, slots=True)
class SignedFacts:
    """Everything that a signature attests. Instants are UTC; hashes are SHA-256 in hex."""

    signature_id: UUID
    trust_id: UUID
    assignment_id: UUID
    school_id: UUID | None
    place_name: str
    policy_id: UUID
    policy_title: str
    edition_id: UUID
    edition_label: str
    content_hash: str
    pdf_hash: str
    person_id: UUID
    person_name: str
    roles: Sequence[Mapping[str, str]]
    academic_year: int
    statement: str
    statement_version: str
    signed_at: datetime
    method: str
    authenticated_at: datetime | None


def record_to_sign(facts: SignedFacts) -> str:
    """The canonical record (JSON, keys sorted, no spaces): the same facts give the same bytes."""
    return json.dumps(
        {
            "record": RECORD_VERSION,
            "signature": str(facts.signature_id),
            "trust": str(facts.trust_id),
            "assignment": str(facts.assignment_id),
            "place": {"school": str(facts.school_id) if facts.school_id else None, "name": facts.place_name},
            "policy": {"id": str(facts.policy_id), "title": facts.policy_title},
            "edition": {
                "id": str(facts.edition_id),
                "label": facts.edition_label,
                "content_sha256": facts.content_hash,
                "pdf_sha256": facts.pdf_hash,
            },
            "person": {
                "id": str(facts.person_id),
                "name": facts.person_name,
                "roles": [{"role": held["role"], "label": held["label"]} for held in facts.roles],
            },
            "academic_year": facts.academic_year,
            "statement": {"text": facts.statement, "sha256": facts.statement_version},
            "signed_at": _utc(facts.signed_at),
            "signed_in": {"method": facts.method, "at": _utc(facts.authenticated_at)},
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def record_hash(record: str) -> str:
    """SHA-256 of a record, in hex."""
    return hashlib.sha256(record.encode()).hexdigest()


def _utc(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat(timespec="microseconds") if instant else None


@dataclass(frozen=True, slots=True)
class Found:
    """What verifying found beside a signature's row. None: it is no longer there."""

    #: What the row itself says that its record hashes to.
    row_hash: str
    #: The tree of the edition, hashed again from its stored words.
    content_hash: str | None
    #: The bytes of the stored PDF, hashed again.
    pdf_hash: str | None
    #: What the audit trail's event says, and whether the event still has its payload and its link.
    audited: Mapping[str, Any] | None
    audit_intact: bool


def faults(facts: SignedFacts, found: Found) -> tuple[str, ...]:
    """What was altered since somebody signed, in words; nothing: the evidence is whole."""
    wrong: list[str] = []
    hashed = record_hash(record_to_sign(facts))
    if hashed != found.row_hash:
        wrong.append("The record of the signature was altered.")
    if hashlib.sha256(facts.statement.encode()).hexdigest() != facts.statement_version:
        wrong.append("The statement was altered.")
    if found.content_hash is None:
        wrong.append("The edition that was signed is missing.")
    elif found.content_hash != facts.content_hash:
        wrong.append("The text of the edition is not the one that was signed.")
    if found.pdf_hash is None:
        wrong.append("The PDF that was signed is missing.")
    elif found.pdf_hash != facts.pdf_hash:
        wrong.append("The PDF is not the one that was signed.")
    if found.audited is None:
        wrong.append("The audit trail has no event for this signature.")
    else:
        if not found.audit_intact:
            wrong.append("The event of the audit trail was altered.")
        said = {name: found.audited.get(name) for name in ("signature_id", "record_hash")}
        if said != {"signature_id": str(facts.signature_id), "record_hash": hashed}:
            wrong.append("The audit trail recorded another signature than the one that stands here.")
    return tuple(wrong)
