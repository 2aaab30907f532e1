"""Importing a policy: what was read is kept for its own person until it is corrected and made a draft."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from trustportal.access import Actor, Permission
from trustportal.db import db, unit_of_work
from trustportal.errors import Conflict, RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.lint.safeguarding import looks_like_safeguarding
from trustportal.policies.importing import files
from trustportal.policies.importing import reading as readings
from trustportal.policies.importing.reading import Reading
from trustportal.policies.importing.tree import to_tree
from trustportal.policies.models import ImportReading, TemplateVersion
from trustportal.policies.services import drafts
from trustportal.tenants import queries as tenants


def _require(actor: Actor, school_id: UUID | None) -> None:
    """Whoever writes the trust's policies may import; at a school, whoever writes its own or compares one of its own
    with the trust's.
    """
    if school_id is None:
        actor.require(Permission.TEMPLATE_EDIT)
    elif not actor.can(Permission.OWN_POLICY_EDIT, school_id):
        actor.require(Permission.JOINING_PREPARE, school_id)


def read_file(
    actor: Actor, *, content: bytes, filename: str, now: datetime, school_id: UUID | None = None
) -> ImportReading:
    """Read a Word, PDF or text file and keep the reading for correction. Raises `ImportRefused`."""
    _require(actor, school_id)
    reading = files.read_file(content, filename)
    with unit_of_work():
        row = ImportReading(
            id=uuid4(),
            person_id=actor.person_id,
            filename=filename[:200],
            source_hash=hashlib.sha256(content).hexdigest(),
            reading=readings.pack(reading),
            created_at=now,
        )
        db.session.add(row)
    return row


def correct(
    actor: Actor,
    *,
    reading_id: UUID,
    row_version: int,
    correction: Callable[[Reading], Reading],
    school_id: UUID | None = None,
) -> ImportReading:
    """Apply one correction to a reading. A second window that is behind gets a `Conflict`, not a wrong clause."""
    _require(actor, school_id)
    with unit_of_work():
        row = queries.get_reading(reading_id, actor.person_id, lock=True)
        if row.row_version != row_version:
            raise Conflict("This import was corrected in another window meanwhile. Look at it as it is now.")
        if row.used_at is not None:
            raise RuleBroken("This import was used already: go on there.")
        row.reading = readings.pack(correction(readings.unpack(row.reading)))
        row.row_version += 1
    return row


def make_draft(
    actor: Actor, *, reading_id: UUID, header: PolicyHeader, now: datetime, school_id: UUID | None = None
) -> TemplateVersion:
    """Save a corrected reading as the first draft of a new policy, all clauses locked.

    `school_id`: it is that school's own policy, and no business of the trust's other schools.
    """
    actor.require(Permission.TEMPLATE_EDIT if school_id is None else Permission.OWN_POLICY_EDIT, school_id)
    with unit_of_work():
        row = queries.get_reading(reading_id, actor.person_id, lock=True)
        if row.used_at is not None:
            raise RuleBroken("This import was used already: go on there.")
        reading = readings.unpack(row.reading)
        version = drafts.create_policy(
            actor,
            header=header,
            numbering=reading.numbering_style,
            tree=to_tree(reading),
            source=f"imported from {row.filename}",
            school_id=school_id,
            now=now,
        )
        row.used_at, row.policy_id = now, version.policy_id
    return version


def suggested_header(reading: Reading) -> PolicyHeader:
    """The header as far as the file says it; the rest is for the person to fill in."""
    months = 12
    period = (reading.field("review_period") or "").lower()
    if "two" in period or "2 year" in period or "biennial" in period:
        months = 24
    elif "three" in period or "3 year" in period:
        months = 36
    return PolicyHeader(
        title=reading.title,
        organisation=tenants.get_trust().name,
        audience=reading.field("audience") or "",
        person_responsible=reading.field("person_responsible") or "",
        approving_body=reading.field("approving_body") or "",
        review_months=months,
        safeguarding=looks_like_safeguarding(reading.title),
    )
