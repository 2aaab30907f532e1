"""What policies say, for an archive: versions and editions with their words, by id, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, true

from trustportal.archives.queries.rows import texts_at
from trustportal.db import db
from trustportal.policies.import_models import ImportEntry
from trustportal.policies.models import Edition, Policy, TemplateVersion, VersionPdf
from trustportal.tenants.models import School


def list_versions(school_id: UUID | None, after: UUID | None, limit: int) -> Sequence[TemplateVersion]:
    """The trust's texts (or those that a school goes by, and its own), after an id."""
    return db.session.scalars(
        select(TemplateVersion)
        .where(
            texts_at(school_id) if school_id else true(),
            TemplateVersion.id > after if after else true(),
        )
        .order_by(TemplateVersion.id)
        .limit(limit)
    ).all()


def list_editions(school_id: UUID | None, after: UUID | None, limit: int) -> Sequence[Edition]:
    """What places say, after an id."""
    return db.session.scalars(
        select(Edition)
        .where(
            Edition.school_id == school_id if school_id else true(), Edition.id > after if after else true()
        )
        .order_by(Edition.id)
        .limit(limit)
    ).all()


def slugs_of_policies() -> dict[UUID, str]:
    """The name in addresses of each policy."""
    return {row.id: row.slug for row in db.session.execute(select(Policy.id, Policy.slug))}


def slugs_of_schools() -> dict[UUID | None, str]:
    """The name in addresses of each school; "trust" for the trust itself."""
    rows = db.session.execute(select(School.id, School.slug))
    return {None: "trust", **{row.id: row.slug for row in rows}}


def pdfs_of_versions(version_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The hashes of the stored PDFs of versions."""
    rows = db.session.execute(
        select(VersionPdf.version_id, VersionPdf.blob_hash).where(VersionPdf.version_id.in_(version_ids))
    )
    return {row.version_id: row.blob_hash for row in rows}


def list_brought(after: UUID | None, limit: int) -> Sequence[ImportEntry]:
    """The files that were brought and are still kept, after an id."""
    return db.session.scalars(
        select(ImportEntry)
        .where(ImportEntry.content.is_not(None), ImportEntry.id > after if after else true())
        .order_by(ImportEntry.id)
        .limit(limit)
    ).all()
