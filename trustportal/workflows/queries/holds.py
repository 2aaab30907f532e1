"""Why the person of the scope asked for advice in a case. Nobody else's reasons are shown to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from trustportal.db import current_scope, db
from trustportal.workflows.meeting_models import CaseHold
from trustportal.workflows.sealing import Seal


@dataclass(frozen=True, slots=True)
class Held:
    """One time that advice was asked for, opened. `because`: the answers' values."""

    because: tuple[str, ...]
    words: str
    referred: bool
    made_at: datetime


def list_mine(case_id: UUID, seal: Seal) -> list[Held]:
    """What I asked advice for in a case, newest first."""
    scope = current_scope()
    if scope is None or scope.person_id is None:
        return []
    rows = db.session.scalars(
        select(CaseHold)
        .where(CaseHold.case_id == case_id, CaseHold.person_id == scope.person_id)
        .order_by(CaseHold.made_at.desc())
    )
    found = []
    for row in rows:
        said = seal.open(row.sealed, row.id)
        found.append(
            Held(tuple(said.get("because") or ()), str(said.get("words") or ""), row.referred, row.made_at)
        )
    return found
