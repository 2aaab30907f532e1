"""Redlines on paper: asked for, made once in a job, kept."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from trustportal import blobs
from trustportal.db import db, unit_of_work
from trustportal.jobs import Event
from trustportal.policies import comparing, queries, reading
from trustportal.policies.comparing import Side, side_of_edition, side_of_version
from trustportal.policies.domain.diff import Op
from trustportal.policies.models import RedlinePdf
from trustportal.policies.pdf import RedlinePrint, make_redline, redline_changes
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


def want_redline(*, policy_id: UUID, old: Side, new: Side, now: datetime) -> None:
    """Have a redline of two texts made, unless it was asked for before. Whoever could load both may ask."""
    with unit_of_work() as uow:
        key = comparing.key_of(old, new)
        if queries.find_redline(key) is not None:
            return
        redline = RedlinePdf(
            id=uuid4(),
            policy_id=policy_id,
            old_version_id=old.version.id if old.version else None,
            old_edition_id=old.edition.id if old.edition else None,
            new_version_id=new.version.id if new.version else None,
            new_edition_id=new.edition.id if new.edition else None,
            key=key,
            wanted_at=now,
        )
        db.session.add(redline)
        db.session.flush()
        uow.announce(Event.REDLINE_WANTED, redline_id=redline.id)


def make_redline_pdf(*, redline_id: UUID) -> None:
    """Make the PDF of a redline, once."""
    with unit_of_work():
        redline = queries.get_redline(redline_id, lock=True)
        if redline.blob_hash is not None:
            return
        old = _side(redline.old_version_id, redline.old_edition_id)
        new = _side(redline.new_version_id, redline.new_edition_id)
        policy, trust = queries.get_policy_by_id(redline.policy_id), tenants.get_trust()
        rows = comparing.compare_sides(policy, old, new)
        place = new.edition.place_name if new.edition and old.same_place(new) else ""
        rendered = make_redline(
            RedlinePrint(
                title=policy.title,
                organisation=trust.name,
                place=place,
                old_label=old.name,
                new_label=new.name,
                old_hash=old.content_hash,
                new_hash=new.content_hash,
                changes=redline_changes(rows, comparing.marks_between(old, new)),
                unchanged=sum(row.op is Op.SAME for row in rows),
                made_on=day_of(redline.wanted_at),
                logo=blobs.get(trust.logo_hash).content if trust.logo_hash else None,
                colour=trust.colour,
            )
        )
        redline.blob_hash = blobs.put(rendered.pdf, "application/pdf")


def _side(version_id: UUID | None, edition_id: UUID | None) -> Side:
    if version_id is not None:
        return side_of_version(queries.get_version(version_id))
    assert edition_id is not None
    edition = queries.get_edition(edition_id)
    return side_of_edition(edition, reading.place_name(edition.school_id))
