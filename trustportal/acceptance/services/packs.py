"""Evidence packs: all that proves who signed what at one place in one academic year, in one file.

Made by a job in steps, so that no step is long; the row says how far it is, and what could not be done.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal import blobs
from trustportal.acceptance import packing
from trustportal.acceptance.domain.documents import record_of
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.models import EvidencePack
from trustportal.acceptance.packing import Entry, Packed
from trustportal.acceptance.queries import asked, outside, proofs
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.services import certificates
from trustportal.acceptance.services.verifying import Verifier
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.pdf import PdfRefused
from trustportal.tenants import queries as tenants
from trustportal.times import day_of

#: Certificates made in one step: a third of a minute on a slow machine.
STEP = 20


def ask_for_pack(actor: Actor, *, school_id: Place, academic_year: int, now: datetime) -> EvidencePack:
    """Have the pack of a place and academic year made. One that is being made already is not begun again."""
    actor.require(Permission.ACCEPTANCE_EVIDENCE, school_id)
    with unit_of_work() as uow:
        making = proofs.find_pack_being_made(school_id, academic_year)
        if making is not None:
            return making
        total = proofs.count_signatures_at(school_id, academic_year)
        if not total:
            raise RuleBroken(f"Nobody has signed anything here in {year_label(academic_year)}.", "year")
        pack = EvidencePack(
            id=uuid4(),
            school_id=school_id,
            academic_year=academic_year,
            state="making",
            total=total,
            asked_by=actor.person_id,
            asked_at=now,
            faults=[],
        )
        db.session.add(pack)
        record(
            actor,
            Action.EVIDENCE_ASKED,
            now=now,
            pack_id=pack.id,
            school_id=school_id,
            academic_year=academic_year,
        )
        uow.announce(Event.EVIDENCE_STEP, pack_id=pack.id)
    return pack


def step(*, pack_id: UUID, public_url: str, now: datetime) -> EvidencePack:
    """Make some of the certificates that are missing, and ask for the next step; the last one writes the file."""
    with unit_of_work():
        pack = proofs.get_pack(pack_id, lock=True)
        if pack.state != "making":
            return pack
        signatures = proofs.list_signatures_at(pack.school_id, pack.academic_year)
        made = proofs.certificates_of([one.id for one in signatures])
        refused = {fault.partition(": ")[0] for fault in pack.faults}
        missing = [one for one in signatures if one.id not in made and str(one.id) not in refused]
        for signature in missing[:STEP]:
            try:
                certificates.make(signature_id=signature.id, public_url=public_url, now=now)
            except PdfRefused as error:
                pack.faults = [*pack.faults, f"{signature.id}: no certificate: {error.message}"]
        pack.total = len(signatures)
        pack.done = len(signatures) - len(missing) + len(missing[:STEP])
        if missing[STEP:]:
            current_unit().announce(Event.EVIDENCE_STEP, pack_id=pack.id)
            return pack
        pack.blob_hash = blobs.put(_file(pack, day_of(now)), "application/zip")
        pack.state, pack.finished_at = "ready", now
        _tell(pack)
    return pack


def _file(pack: EvidencePack, today: date) -> bytes:
    rows = proofs.list_signatures_at(pack.school_id, pack.academic_year)
    trust, place = tenants.get_trust(), tenants.place_name(pack.school_id)
    made = proofs.certificates_of([one.id for one in rows])
    entries = [
        Entry(
            verified.signature,
            verified.record,
            verified.faults,
            verified.audit_position,
            blobs.get(made[verified.signature.id].pdf_hash).content
            if verified.signature.id in made
            else None,
        )
        for verified in Verifier().verify(rows)
    ]
    lines = [
        line
        for campaign in proofs.campaigns_of_year(pack.academic_year, today)
        for line in asked.list_lines(campaign, [pack.school_id], today)
    ]
    return packing.zip_of(
        Packed(
            trust_name=trust.name,
            place_name=place,
            academic_year=pack.academic_year,
            asked_at=pack.asked_at,
            entries=entries,
            lines=lines,
            editions={
                one.edition_id: (one.policy_title, one.edition_label, blobs.get(one.pdf_hash).content)
                for one in {row.edition_id: row for row in rows}.values()
                if one.edition_id is not None and one.pdf_hash is not None
            },
            documents={
                edition_id: (document.title, document.edition, record_of(outside.facts_of(document)))
                for edition_id in sorted({row.outside_edition_id for row in rows} - {None}, key=str)
                if edition_id is not None and (document := outside.get_edition(edition_id))
            },
            notes=list(pack.faults),
        )
    )


def _tell(pack: EvidencePack) -> None:
    if pack.asked_by is None:
        return
    place, year = tenants.place_name(pack.school_id), year_label(pack.academic_year)
    notify(
        pack.asked_by,
        subject=f"The evidence of {place} for {year} is ready",
        body=f"The evidence pack of {place} for {year} has been made: {pack.total} signatures.",
        path=f"/t/{tenants.get_trust().slug}/acceptance/evidence/{pack.id}",
        school_id=pack.school_id,
    )
