"""Certificates: the stored PDF of one signature. What stands on it is kept beside it, so that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert

from trustportal import blobs
from trustportal.acceptance.domain.evidence import first_difference
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.models import Certificate, Signature
from trustportal.acceptance.queries import mine, outside, proofs
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound
from trustportal.jobs import Event
from trustportal.policies.pdf import CertificatePrint, make_certificate
from trustportal.tenants import queries as tenants
from trustportal.tenants.domain import long_day
from trustportal.times import LONDON, day_of


def want(*, signature_id: UUID) -> Certificate | None:
    """The certificate of a signature; where there is none yet, it is made in a moment (None)."""
    with unit_of_work() as uow:
        mine.get_signature(signature_id)
        found = proofs.find_certificate(signature_id)
        if found is None:
            uow.announce(Event.CERTIFICATE_WANTED, signature_id=signature_id)
    return found


def make(*, signature_id: UUID, public_url: str, now: datetime) -> Certificate:
    """Make the certificate of a signature and store it, once; it never changes."""
    with unit_of_work():
        signature = mine.get_signature(signature_id)
        found = proofs.find_certificate(signature_id)
        if found is not None:
            return found
        paper = paper_of(signature, public_url)
        digest = blobs.put(make_certificate(_print(paper)).pdf, "application/pdf")
        db.session.execute(
            insert(Certificate)
            .values(
                id=uuid4(),
                trust_id=signature.trust_id,
                school_id=signature.school_id,
                signature_id=signature.id,
                person_id=signature.person_id,
                paper=paper,
                pdf_hash=digest,
                made_at=now,
            )
            .on_conflict_do_nothing()
        )
        made = proofs.find_certificate(signature_id)
        assert made is not None
    return made


def paper_of(signature: Signature, public_url: str) -> dict[str, Any]:
    """All that stands on a signature's certificate, from its row and the trust's name and colours of today."""
    trust = tenants.get_trust()
    witness = signature.witness or {}
    facts = [
        ("Academic year", year_label(signature.academic_year)),
        ("How", _how(signature)),
        *_of_text(signature),
        ("Fingerprint of the record", signature.record_hash),
        ("Position in the audit trail", str(proofs.find_position(signature.audit_event_id) or "missing")),
    ]
    if witness:
        facts.insert(2, ("Recorded by", witness["recorder_name"]))
        facts.insert(3, ("The paper is kept", witness["kept"]))
    return {
        **({"what": "Document"} if signature.outside_id is not None else {}),
        "person": signature.person_name,
        "role": ", ".join(one["label"] for one in signature.roles),
        "organisation": trust.name,
        "place": signature.place_name if signature.school_id is not None else "",
        "statement": signature.statement,
        "policy": signature.policy_title,
        "edition_label": signature.edition_label,
        "content_hash": signature.content_hash,
        "signed_at": _when(signature.signed_at),
        "evidence_id": str(signature.id),
        "made_on": day_of(signature.signed_at).isoformat(),
        "facts": [list(one) for one in facts],
        # The public page checks editions of policies; the portal holds no copy of an outside document.
        "check_url": "" if signature.outside_id else f"{public_url}/check/{signature.content_hash}",
        "logo_hash": trust.logo_hash or "",
        "colour": trust.colour,
    }


def _of_text(signature: Signature) -> list[tuple[str, str]]:
    """The PDF that was signed; of an outside document, where it lies and what was to be read."""
    if signature.outside_edition_id is None:
        return [("Fingerprint of the PDF", signature.pdf_hash or "")]
    document = outside.get_edition(signature.outside_edition_id)
    return [
        ("Published by", f"{document.publisher}, {long_day(document.published_on)}"),
        ("To be read", document.parts),
        ("Where", document.link),
    ]


def _how(signature: Signature) -> str:
    if signature.witness:
        return f"On paper, signed on {long_day(date.fromisoformat(signature.witness['signed_on']))}"
    if signature.method == "printed code":
        return "With a printed code, at a shared device"
    signed_in = f", since {_when(signature.authenticated_at)}" if signature.authenticated_at else ""
    return f"In the portal, signed in with {signature.method}{signed_in}"


def _when(instant: datetime) -> str:
    local, utc = instant.astimezone(LONDON), instant.astimezone(UTC)
    return f"{long_day(local.date())} at {local:%H:%M:%S} in England ({utc:%H:%M:%S} UTC)"


def _print(paper: Mapping[str, Any]) -> CertificatePrint:
    kept = dict(paper)
    logo = kept.pop("logo_hash")
    return CertificatePrint(
        **{
            **kept,
            "made_on": date.fromisoformat(kept["made_on"]),
            "facts": tuple((name, value) for name, value in kept["facts"]),
        },
        logo=blobs.get(logo).content if logo else None,
    )


def rebuilt(certificate: Certificate) -> bytes:
    """The PDF made again from what is kept of it: the same bytes, whenever that is."""
    return make_certificate(_print(certificate.paper)).pdf


def compare(certificate: Certificate, given: bytes | None = None) -> tuple[str, ...]:
    """What is wrong with a stored certificate, or with a file that claims to be it, in words; nothing: it is the one.

    The certificate is made again and compared byte by byte, and what stands on it with its signature's row.
    """
    made = rebuilt(certificate)
    wrong: list[str] = []
    try:
        stored = blobs.get(certificate.pdf_hash).content
    except NotFound:
        wrong.append("The stored certificate is missing.")
    except RuntimeError:
        wrong.append("The stored certificate was altered.")
    else:
        if (offset := first_difference(stored, made)) is not None:
            wrong.append(f"The stored certificate differs from its record at byte {offset + 1}.")
    if given is not None and (offset := first_difference(given, made)) is not None:
        wrong.append(
            f"This file is not the certificate: it differs at byte {offset + 1}"
            f" ({len(given):,} bytes; the certificate has {len(made):,})."
        )
    signature = mine.get_signature(certificate.signature_id)
    base = certificate.paper["check_url"].rsplit("/check/", 1)[0]
    expected = paper_of(signature, base)
    for name, words in _STAND_ON.items():
        if certificate.paper.get(name) != expected[name]:
            wrong.append(f"The certificate and the signature name different things: {words}.")
    return tuple(wrong)


_STAND_ON = {
    "person": "the person",
    "role": "the roles",
    "place": "the place",
    "statement": "the statement",
    "policy": "the policy",
    "edition_label": "the edition",
    "content_hash": "the fingerprint of the words",
    "signed_at": "the time",
    "evidence_id": "the number",
}
