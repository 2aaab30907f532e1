"""Evidence in bulk: signatures to verify, their certificates, and the packs of a place and year."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from trustportal.acceptance.models import Campaign, Certificate, EvidencePack, Signature
from trustportal.acceptance.queries.facts import Place, at_places
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.kernel_models import AuditEvent


def list_signatures_after(last: UUID | None, *, limit: int) -> Sequence[Signature]:
    """Signatures in the order of their ids, a batch after another."""
    statement = select(Signature).order_by(Signature.id).limit(limit)
    if last is not None:
        statement = statement.where(Signature.id > last)
    return db.session.scalars(statement).all()


def list_signatures_at(school_id: Place, academic_year: int) -> Sequence[Signature]:
    """All that was signed at a place for an academic year, by name, policy and time."""
    return db.session.scalars(
        select(Signature)
        .where(Signature.school_id.is_not_distinct_from(school_id), Signature.academic_year == academic_year)
        .order_by(Signature.person_name, Signature.policy_title, Signature.signed_at, Signature.id)
    ).all()


def count_signatures_at(school_id: Place, academic_year: int) -> int:
    """How many they are."""
    found = db.session.scalars(
        select(func.count(Signature.id)).where(
            Signature.school_id.is_not_distinct_from(school_id), Signature.academic_year == academic_year
        )
    ).one()
    return int(found or 0)


def list_years(places: Collection[Place]) -> list[int]:
    """The academic years in which something was signed at some places, the newest first."""
    statement = (
        select(Signature.academic_year)
        .where(at_places(Signature.school_id, places))
        .distinct()
        .order_by(Signature.academic_year.desc())
    )
    return list(db.session.scalars(statement))


def find_certificate(signature_id: UUID) -> Certificate | None:
    """The stored certificate of a signature."""
    return db.session.scalars(
        select(Certificate).where(Certificate.signature_id == signature_id)
    ).one_or_none()


def certificates_of(signature_ids: Collection[UUID]) -> dict[UUID, Certificate]:
    """The stored certificates of signatures."""
    rows = db.session.scalars(select(Certificate).where(Certificate.signature_id.in_(signature_ids)))
    return {one.signature_id: one for one in rows}


def find_certificate_by_hash(pdf_hash: str) -> Certificate | None:
    """The certificate whose stored bytes have this hash."""
    return db.session.scalars(select(Certificate).where(Certificate.pdf_hash == pdf_hash).limit(1)).first()


def find_position(event_id: UUID) -> int | None:
    """Where an event stands in the trust's chain."""
    return db.session.scalars(select(AuditEvent.position).where(AuditEvent.id == event_id)).one_or_none()


def get_pack(pack_id: UUID, *, lock: bool = False) -> EvidencePack:
    """A pack of a place that the scope sees."""
    statement = select(EvidencePack).where(EvidencePack.id == pack_id)
    found = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_pack_being_made(school_id: Place, academic_year: int) -> EvidencePack | None:
    """The pack of a place and year that is being made just now."""
    return db.session.scalars(
        select(EvidencePack)
        .where(
            EvidencePack.school_id.is_not_distinct_from(school_id),
            EvidencePack.academic_year == academic_year,
            EvidencePack.state == "making",
        )
        .limit(1)
    ).first()


def list_packs(places: Collection[Place]) -> Sequence[EvidencePack]:
    """The packs of some places, the newest first."""
    return db.session.scalars(
        select(EvidencePack)
        .where(at_places(EvidencePack.school_id, places))
        .order_by(EvidencePack.asked_at.desc())
        .limit(50)
    ).all()


def campaigns_of_year(academic_year: int, until: date) -> Sequence[Campaign]:
    """The campaigns of an academic year that had opened by a day, in order."""
    return db.session.scalars(
        select(Campaign)
        .where(Campaign.academic_year == academic_year, Campaign.opens_on <= until)
        .order_by(Campaign.opens_on, Campaign.title)
    ).all()
