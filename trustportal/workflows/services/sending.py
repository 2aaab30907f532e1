"""The row of a form: a draft, or sent and waiting for the job that opens its case. Inside a unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal.db import db
from trustportal.workflows.models import CaseIntake
from trustportal.workflows.sealing import Seal


def intake_row(
    person_id: UUID | None,
    *,
    school_id: UUID,
    version_id: UUID,
    values: Mapping[str, Any],
    now: datetime,
    state: str = "sent",
) -> CaseIntake:
    """A new row, its answers sealed. Whoever makes it announces what follows from it."""
    row = CaseIntake(
        id=uuid4(),
        person_id=person_id,
        school_id=school_id,
        version_id=version_id,
        sealed=b"",
        state=state,
        created_at=now,
        changed_at=now,
        sent_at=None if state == "draft" else now,
    )
    row.sealed = Seal.of_trust().close(dict(values), row.id)
    db.session.add(row)
    return row
