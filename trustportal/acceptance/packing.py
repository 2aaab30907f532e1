"""The file of an evidence pack: lists, records, certificates and editions with their hashes. Loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from trustportal.acceptance import exports
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries.asked import Line
from trustportal.packing import csv_bytes, slug, sums, whole

_COLUMNS = (
    "Evidence",
    "Name",
    "Roles",
    "Policy",
    "Edition",
    "Statement",
    "Signed at (UTC)",
    "How",
    "Recorded by",
    "Paper signed on",
    "Kept",
    "SHA-256 of the text",
    "SHA-256 of the PDF",
    "SHA-256 of the record",
    "Position in the audit trail",
    "Checked when packed",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One signature with its record, what verifying found, and its certificate."""

    signature: Signature
    record: str
    faults: Sequence[str]
    audit_position: int | None
    certificate: bytes | None


@dataclass(frozen=True, slots=True)
class Packed:
    """Everything that goes into the file. `editions`: id -> (title, "3.2", PDF); `documents`: outside documents,
    id -> (title, edition, canonical record); `notes`: what could not be done.
    """

    trust_name: str
    place_name: str
    academic_year: int
    asked_at: datetime
    entries: Sequence[Entry]
    lines: Sequence[Line]
    editions: Mapping[UUID, tuple[str, str, bytes]]
    notes: Sequence[str]
    documents: Mapping[UUID, tuple[str, str, str]] = field(default_factory=dict)


def zip_of(packed: Packed) -> bytes:
    """The pack as ZIP. `SHA256SUMS` holds the hash of every other file, as `sha256sum -c` reads it."""
    from trustportal.acceptance import excel  # not above: its library takes long to load

    files: dict[str, bytes] = {
        "README.txt": _readme(packed).encode(),
        "who-signed.csv": exports.as_csv(packed.lines, trust_name=packed.trust_name),
        "who-signed.xlsx": excel.as_excel(
            packed.lines, title=packed.place_name, trust_name=packed.trust_name
        ),
        "signatures.csv": _signatures(packed),
    }
    for entry in packed.entries:
        files[f"records/{entry.signature.id}.json"] = entry.record.encode()
        if entry.certificate is not None:
            name = f"{slug(entry.signature.person_name)}-{slug(entry.signature.policy_title)}"
            files[f"certificates/{name}-{str(entry.signature.id)[:8]}.pdf"] = entry.certificate
    for edition_id, (title, label, content) in packed.editions.items():
        files[f"editions/{slug(title)}-{label}-{str(edition_id)[:8]}.pdf"] = content
    for edition_id, (title, label, record) in packed.documents.items():
        files[f"outside-documents/{slug(title)}-{slug(label)}-{str(edition_id)[:8]}.json"] = record.encode()
    files["SHA256SUMS"] = sums(files)
    return whole(files)


def _signatures(packed: Packed) -> bytes:
    return csv_bytes(_COLUMNS, (_cells(entry) for entry in packed.entries))


def _cells(entry: Entry) -> Sequence[str]:
    one, witness = entry.signature, entry.signature.witness or {}
    return (
        str(one.id),
        one.person_name,
        ", ".join(held["label"] for held in one.roles),
        one.policy_title,
        one.edition_label,
        one.statement,
        one.signed_at.astimezone(UTC).isoformat(timespec="seconds"),
        one.method,
        witness.get("recorder_name", ""),
        witness.get("signed_on", ""),
        witness.get("kept", ""),
        one.content_hash,
        one.pdf_hash or "",
        one.record_hash,
        str(entry.audit_position or "missing"),
        " ".join(entry.faults) or "whole",
    )


def _readme(packed: Packed) -> str:
    altered = sum(bool(entry.faults) for entry in packed.entries)
    said = (
        "When the pack was made, the evidence of every signature was whole."
        if not altered
        else f"When the pack was made, the evidence of {altered} signatures was NOT whole: see signatures.csv."
    )
    notes = "\n".join(f"- {note}" for note in packed.notes)
    return f"""Evidence of signing
{packed.trust_name}
{packed.place_name}, academic year {year_label(packed.academic_year)}
Asked for on {packed.asked_at.astimezone(UTC):%d %B %Y at %H:%M} UTC
{len(packed.entries)} signatures

{said}

who-signed.csv, .xlsx   who was asked to sign what, who has signed and who has not
signatures.csv          each signature: the statement, the time, how it was given, and all hashes
certificates/           the certificate of each signature
editions/               each edition that was signed, as the PDF that was shown
outside-documents/      the record of each outside document that was confirmed: its edition, address and parts; its
                        SHA-256 is the "SHA-256 of the text" in signatures.csv
records/                the canonical record of each signature; its SHA-256 stands in signatures.csv and in the
                        trust's audit trail, at the position that is named
SHA256SUMS              the hash of every file here: "sha256sum -c SHA256SUMS" checks them

To check a signature in the portal: Signing, Check a signature, and enter its evidence number.
{"Could not be done:" if notes else ""}
{notes}
"""
