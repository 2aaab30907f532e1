"""The audit chain of one case: every event of it, in order, none changed. It is the case's timeline too.

A case leaves no trace in the trust's own chain: its length would tell that there is one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text

from trustportal.audit import Fault, canonical, link_hash
from trustportal.db import current_scope, db
from trustportal.workflows.models import CaseEvent, CaseEventPayload, CaseHead
from trustportal.workflows.sealing import Seal


def record(
    seal: Seal, case_id: UUID, action: str, *, actor_id: UUID | None, now: datetime, **says: Any
) -> UUID:
    """Add an event to a case's chain, in the open unit of work. `says`: what it says, sealed; ids and words."""
    scope = current_scope()
    assert scope is not None
    event_id = uuid4()
    salt = os.urandom(16)
    payload = {key: value for key, value in says.items() if value not in (None, "", [], ())}
    words = canonical(payload)
    entry = canonical(
        {
            "id": str(event_id),
            "at": now.isoformat(),
            "action": action,
            "actor": str(actor_id) if actor_id else "portal",
            "payload": hashlib.sha256(salt + words.encode()).hexdigest(),
        }
    )
    db.session.flush()
    db.session.execute(
        text(
            "SELECT append_case_event(CAST(:trust AS uuid), CAST(:case AS uuid), CAST(:id AS uuid), :action,"
            " CAST(:actor AS uuid), :entry, :salt, :sealed)"
        ),
        {
            "trust": str(scope.trust_id),
            "case": str(case_id),
            "id": str(event_id),
            "action": action,
            "actor": str(actor_id) if actor_id else None,
            "entry": entry,
            "salt": salt,
            "sealed": seal.close_bytes(words.encode(), event_id),
        },
        execution_options={
            "unscoped_because": "the function checks the trust, and who takes part in the case"
        },
    )
    return event_id


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a case, opened."""

    at: datetime
    action: str
    actor_id: UUID | None
    says: dict[str, Any]


def timeline(seal: Seal, case_id: UUID) -> list[Happened]:
    """What happened in a case, newest first."""
    rows = db.session.execute(
        select(CaseEvent, CaseEventPayload)
        .outerjoin(CaseEventPayload, CaseEventPayload.event_id == CaseEvent.id)
        .where(CaseEvent.case_id == case_id)
        .order_by(CaseEvent.position.desc())
    )
    return [
        Happened(
            event.at,
            event.action,
            event.actor_id,
            json.loads(seal.open_bytes(payload.sealed, event.id)) if payload else {},
        )
        for event, payload in rows
    ]


def verify(seal: Seal, case_id: UUID) -> Iterator[Fault]:
    """Recompute a case's chain; yields every fault. A payload that was disposed of is no fault."""
    previous, expected = b"", 1
    rows = db.session.execute(
        select(CaseEvent, CaseEventPayload)
        .outerjoin(CaseEventPayload, CaseEventPayload.event_id == CaseEvent.id)
        .where(CaseEvent.case_id == case_id)
        .order_by(CaseEvent.position)
    )
    for event, payload in rows:
        if event.position != expected:
            yield Fault(expected, "a link is missing")
        if link_hash(previous, event.position, event.entry) != event.hash:
            yield Fault(event.position, "the link does not follow from the one before it")
        if payload is not None:
            digest = hashlib.sha256(
                bytes(payload.salt) + seal.open_bytes(payload.sealed, event.id)
            ).hexdigest()
            if f'"payload":"{digest}"' not in event.entry:
                yield Fault(event.position, "the payload was changed")
        previous, expected = bytes(event.hash), event.position + 1
    head = db.session.scalars(select(CaseHead).where(CaseHead.case_id == case_id)).one_or_none()
    if head is None or (head.position, bytes(head.hash)) != (expected - 1, previous):
        yield Fault(expected - 1, "the chain does not end where its head says")
