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
RECORD_VERSION = 2
#: Of an outside document: its record takes the place of the edition and its PDF.
OUTSIDE_RECORD_VERSION = 3
ON_PAPER = "on paper"


@dataclass(frozen=True, slots=True)
class SignedFacts:
    """Everything that a signature attests. Instants are UTC; hashes are SHA-256 in hex."""

    signature_id: UUID
    trust_id: UUID
    assignment_id: UUID
    school_id: UUID | None
    place_name: str
    policy_id: UUID | None
    policy_title: str
    edition_id: UUID | None
    edition_label: str
    content_hash: str
    pdf_hash: str | None
    person_id: UUID
    person_name: str
    roles: Sequence[Mapping[str, str]]
    academic_year: int
    statement: str
    statement_version: str
    signed_at: datetime
    method: str
    authenticated_at: datetime | None
    #: For paper: who recorded it, the day on which it was signed, where it is kept, the hash of its scan.
    witness: Mapping[str, str] | None = None
    record_version: int = RECORD_VERSION
    #: Of an outside document, instead of policy and edition.
    outside_id: UUID | None = None
    outside_edition_id: UUID | None = None

    @property
    def is_outside(self) -> bool:
        """Whether it attests an outside document."""
        return self.record_version >= OUTSIDE_RECORD_VERSION


def _parts(facts: SignedFacts) -> dict[str, Any]:
    text: dict[str, Any] = (
        {
            "document": {
                "id": str(facts.outside_id),
                "title": facts.policy_title,
                "edition": {
                    "id": str(facts.outside_edition_id),
                    "label": facts.edition_label,
                    "record_sha256": facts.content_hash,
                },
            }
        }
        if facts.is_outside
        else {
            "policy": {"id": str(facts.policy_id), "title": facts.policy_title},
            "edition": {
                "id": str(facts.edition_id),
                "label": facts.edition_label,
                "content_sha256": facts.content_hash,
                "pdf_sha256": facts.pdf_hash,
            },
        }
    )
    parts: dict[str, Any] = {
        "record": facts.record_version,
        "signature": str(facts.signature_id),
        "trust": str(facts.trust_id),
        "assignment": str(facts.assignment_id),
        "place": {"school": str(facts.school_id) if facts.school_id else None, "name": facts.place_name},
        **text,
        "person": {
            "id": str(facts.person_id),
            "name": facts.person_name,
            "roles": [{"role": held["role"], "label": held["label"]} for held in facts.roles],
        },
        "academic_year": facts.academic_year,
        "statement": {"text": facts.statement, "sha256": facts.statement_version},
        "signed_at": _utc(facts.signed_at),
        "signed_in": {"method": facts.method, "at": _utc(facts.authenticated_at)},
    }
    # Of the other kind there is nothing in a row; whoever puts something there is found out.
    strange = (
        (facts.policy_id, facts.edition_id, facts.pdf_hash)
        if facts.is_outside
        else (facts.outside_id, facts.outside_edition_id)
    )
    if any(strange):
        parts["strange"] = [str(one) for one in strange]
    if facts.record_version >= 2:
        parts["witness"] = dict(facts.witness) if facts.witness is not None else None
    return parts


def record_to_sign(facts: SignedFacts) -> str:
    """The canonical record (JSON, keys sorted, no spaces): the same facts give the same bytes."""
    return _canonical(_parts(facts))


#: Made once: a signature is written as twenty-one pieces.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def record_hash(record: str) -> str:
    """SHA-256 of a record, in hex."""
    return hashlib.sha256(record.encode()).hexdigest()


def _utc(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat(timespec="microseconds") if instant else None


# -- naming what was altered -------------------------------------------------------------------------------------

#: The parts of a record by their path, with the words for people. Their order is that of the marks: never changed.
PARTS: tuple[tuple[str, str], ...] = (
    ("signature", "number of the signature"),
    ("assignment", "request to sign"),
    ("place.school", "school"),
    ("place.name", "name of the place"),
    ("policy.id", "policy"),
    ("policy.title", "title of the policy"),
    ("edition.id", "edition"),
    ("edition.label", "number of the edition"),
    ("edition.content_sha256", "fingerprint of the text"),
    ("edition.pdf_sha256", "fingerprint of the PDF"),
    ("person.id", "person"),
    ("person.name", "name of the person"),
    ("person.roles", "roles of the person"),
    ("academic_year", "academic year"),
    ("statement.text", "statement"),
    ("statement.sha256", "fingerprint of the statement"),
    ("signed_at", "time of signing"),
    ("signed_in.method", "way of signing in"),
    ("signed_in.at", "time of signing in"),
    ("witness", "note about the paper"),
)
#: The same of a record about an outside document.
OUTSIDE_PARTS: tuple[tuple[str, str], ...] = (
    ("signature", "number of the signature"),
    ("assignment", "request to sign"),
    ("place.school", "school"),
    ("place.name", "name of the place"),
    ("document.id", "outside document"),
    ("document.title", "title of the outside document"),
    ("document.edition.id", "edition of the outside document"),
    ("document.edition.label", "name of the edition"),
    ("document.edition.record_sha256", "fingerprint of the record of the outside document"),
    ("person.id", "person"),
    ("person.name", "name of the person"),
    ("person.roles", "roles of the person"),
    ("academic_year", "academic year"),
    ("statement.text", "statement"),
    ("statement.sha256", "fingerprint of the statement"),
    ("signed_at", "time of signing"),
    ("signed_in.method", "way of signing in"),
    ("signed_in.at", "time of signing in"),
    ("witness", "note about the paper"),
)
_MARK = 6


def _parts_marked(facts: SignedFacts) -> tuple[tuple[str, str], ...]:
    return OUTSIDE_PARTS if facts.is_outside else PARTS


def marks(facts: SignedFacts) -> str:
    """Six hexadecimal digits for each part of the record. They go into the audit trail with the record's own hash, so
    that an alteration is not only found but named.
    """
    parts = _parts(facts)
    return "".join(
        hashlib.sha256(_canonical(_at(parts, path)).encode()).hexdigest()[:_MARK]
        for path, _ in _parts_marked(facts)
    )


def _at(parts: Mapping[str, Any], path: str) -> Any:
    value: Any = parts
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def altered_parts(facts: SignedFacts, recorded: str) -> tuple[str, ...]:
    """The parts of the record whose marks are not those that were recorded, in words."""
    now = marks(facts)
    return tuple(
        words
        for number, (_, words) in enumerate(_parts_marked(facts))
        if now[number * _MARK :][:_MARK] != recorded[number * _MARK :][:_MARK]
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What verifying found beside a signature's row. None: it is no longer there."""

    #: What the row itself says that its record hashes to.
    row_hash: str
    #: The tree of the edition, hashed again from its stored words; or the record of the outside document.
    content_hash: str | None
    #: The bytes of the stored PDF, hashed again.
    pdf_hash: str | None
    #: What the audit trail's event says, and whether the event still has its payload and its link.
    audited: Mapping[str, Any] | None
    audit_intact: bool
    #: The clauses whose words are not those of their own hash, by number ("1.2").
    altered_clauses: Sequence[str] = ()
    #: The paper's scan, hashed again; only asked where the witness names one.
    scan_hash: str | None = None
    #: Where the event stands, and at what instant the chain says that it happened.
    audited_at: datetime | None = None


def faults(facts: SignedFacts, found: Found) -> tuple[str, ...]:
    """What was altered since somebody signed, in words; nothing: the evidence is whole."""
    wrong: list[str] = []
    hashed = record_hash(record_to_sign(facts))
    audited = found.audited or {}
    recorded = str(audited.get("record_marks") or "")
    if hashed != found.row_hash:
        wrong.append("The record of the signature was altered.")
    if recorded and found.audit_intact:
        wrong += [f"Altered since signing: {words}." for words in altered_parts(facts, recorded)]
    if hashlib.sha256(facts.statement.encode()).hexdigest() != facts.statement_version:
        wrong.append("The statement was altered.")
    if facts.is_outside:
        wrong += _document_faults(facts, found)
    elif found.content_hash is None:
        wrong.append("The edition that was signed is missing.")
    elif found.content_hash != facts.content_hash:
        wrong.append("The text of the edition is not the one that was signed.")
    if found.altered_clauses:
        named = ", ".join(found.altered_clauses)
        wrong.append(f"Altered or missing in the text of the edition: clause {named}.")
    if facts.is_outside:
        pass  # the portal keeps no copy of an outside document
    elif found.pdf_hash is None:
        wrong.append("The PDF that was signed is missing.")
    elif found.pdf_hash != facts.pdf_hash:
        wrong.append("The PDF is not the one that was signed.")
    scan = (facts.witness or {}).get("scan_sha256")
    if scan and found.scan_hash != scan:
        wrong.append("The scan of the signed paper is missing or is not the one that was recorded.")
    if found.audited is None:
        wrong.append("The audit trail has no event for this signature.")
    else:
        if not found.audit_intact:
            wrong.append("The event of the audit trail was altered.")
        said = {name: audited.get(name) for name in ("signature_id", "record_hash")}
        if said != {"signature_id": str(facts.signature_id), "record_hash": hashed}:
            wrong.append("The audit trail recorded another signature than the one that stands here.")
        if found.audited_at is not None and found.audited_at != facts.signed_at:
            wrong.append("The audit trail recorded another time of signing.")
    return tuple(wrong)


def _document_faults(facts: SignedFacts, found: Found) -> list[str]:
    if found.content_hash is None:
        return ["The record of the outside document is missing."]
    if found.content_hash != facts.content_hash:
        return ["The record of the outside document is not the one that was confirmed."]
    return []


def first_difference(stored: bytes, made: bytes) -> int | None:
    """The offset of the first byte in which two files differ, counted from 0; None for the same bytes."""
    if stored == made:
        return None
    for offset, (one, other) in enumerate(zip(stored, made, strict=False)):
        if one != other:
            return offset
    return min(len(stored), len(made))
