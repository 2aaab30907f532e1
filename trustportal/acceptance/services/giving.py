"""The evidence of one signature, however it was given: in the portal, with a printed code, on paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from trustportal import audit, jobs, mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain.evidence import (
    OUTSIDE_RECORD_VERSION,
    RECORD_VERSION,
    SignedFacts,
    marks,
    record_hash,
    record_to_sign,
)
from trustportal.acceptance.domain.statement import statement_version
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries.signing import EditionRow, ToSign
from trustportal.access import Actor, Role
from trustportal.audit import Action
from trustportal.db import current_unit
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.tenants import domain as tenants_domain


@dataclass(frozen=True, slots=True)
class Given:
    """How a signature was given. `held`: the roles of its person at the place; `witness`: for paper."""

    held: frozenset[Role]
    statement: str
    signed_at: datetime
    method: str
    authenticated_at: datetime | None
    user_agent: str = ""
    witness: Mapping[str, str] | None = None


def give(actor: Actor, asked: ToSign, edition: EditionRow, given: Given) -> Signature:
    """Write a signature with its audit event and its receipt, in the open unit of work."""
    row = asked.row
    assert edition.pdf_hash is not None or edition.is_outside
    label = edition.label
    evidence = SignedFacts(
        signature_id=uuid4(),
        trust_id=actor.trust_id,
        assignment_id=row.id,
        school_id=row.school_id,
        place_name=asked.place_name,
        policy_id=row.policy_id,
        policy_title=asked.policy_title,
        edition_id=None if edition.is_outside else edition.id,
        edition_label=label,
        content_hash=edition.content_hash,
        pdf_hash=edition.pdf_hash,
        person_id=row.person_id,
        person_name=asked.person_name,
        roles=_roles(asked, given.held),
        academic_year=asked.academic_year,
        statement=given.statement,
        statement_version=statement_version(given.statement),
        signed_at=given.signed_at,
        method=given.method,
        authenticated_at=given.authenticated_at,
        witness=given.witness,
        record_version=OUTSIDE_RECORD_VERSION if edition.is_outside else RECORD_VERSION,
        outside_id=row.outside_id,
        outside_edition_id=edition.id if edition.is_outside else None,
    )
    message = wording.receipt(
        trust_slug=asked.trust_slug,
        policy=asked.policy_title,
        edition=label,
        place=asked.place_name,
        signature_id=evidence.signature_id,
        recorded_by=(given.witness or {}).get("recorder_name", ""),
        confirmed=edition.is_outside,
    )
    receipt = mail.notice(
        row.person_id, subject=message.subject, body=message.body, path=message.path, school_id=row.school_id
    )
    outbox = [
        *jobs.outbox_rows(Event.SIGNATURE_GIVEN, {"signature_id": str(evidence.signature_id)}),
        *jobs.outbox_rows(
            Event.NOTICE_WRITTEN,
            {"person_id": str(row.person_id)},
            not_before=mail.gathered_at(receipt["created_at"]),
        ),
    ]
    return _write(actor, evidence, receipt, outbox, user_agent=given.user_agent)


def _roles(asked: ToSign, held: frozenset[Role]) -> list[dict[str, str]]:
    if not held:
        raise RuleBroken("You no longer have a role at this place: you have nothing to sign.")
    trust_labels = tenants_domain.TrustSettings.read(asked.trust_settings).role_labels
    return [
        {"role": str(role), "label": tenants_domain.role_label(role, asked.school_labels, trust_labels)}
        for role in Role
        if role in held
    ]


#: All that one signature writes, in one statement: in the first week of September, round trips are what takes time.
#: Row-level security checks each row as it would any other's.
_GIVE = """
    WITH given AS (
      INSERT INTO signature SELECT * FROM jsonb_populate_recordset(NULL::signature, %(signature)s::jsonb)
    ), traced AS (
      INSERT INTO signature_trace
      SELECT * FROM jsonb_populate_recordset(NULL::signature_trace, %(trace)s::jsonb)
    ), told AS (
      INSERT INTO notice SELECT * FROM jsonb_populate_recordset(NULL::notice, %(notice)s::jsonb)
    ), announced AS (
      INSERT INTO outbox SELECT * FROM jsonb_populate_recordset(NULL::outbox, %(outbox)s::jsonb)
    )
    UPDATE assignment SET state = 'signed', closed_at = %(closed_at)s, edition_id = %(edition_id)s,
           outside_edition_id = %(outside_edition_id)s, paused_on = NULL
     WHERE id = %(assignment_id)s AND trust_id = %(trust_id)s
"""


def _write(
    actor: Actor,
    evidence: SignedFacts,
    receipt: dict[str, Any],
    outbox: list[dict[str, Any]],
    *,
    user_agent: str,
) -> Signature:
    hashed = record_hash(record_to_sign(evidence))
    event = audit.prepare(
        actor,
        Action.SIGNATURE_GIVEN,
        now=evidence.signed_at,
        signature_id=evidence.signature_id,
        assignment_id=evidence.assignment_id,
        person_id=evidence.person_id,
        policy_id=evidence.policy_id,
        edition_id=evidence.edition_id,
        outside_id=evidence.outside_id,
        outside_edition_id=evidence.outside_edition_id,
        school_id=evidence.school_id,
        content_hash=evidence.content_hash,
        record_hash=hashed,
        record_marks=marks(evidence),
        recorder_id=(evidence.witness or {}).get("recorder"),
    )
    values = {
        "id": evidence.signature_id,
        "trust_id": actor.trust_id,
        "school_id": evidence.school_id,
        "assignment_id": evidence.assignment_id,
        "policy_id": evidence.policy_id,
        "policy_title": evidence.policy_title,
        "edition_id": evidence.edition_id,
        "edition_label": evidence.edition_label,
        "content_hash": evidence.content_hash,
        "pdf_hash": evidence.pdf_hash,
        "outside_id": evidence.outside_id,
        "outside_edition_id": evidence.outside_edition_id,
        "person_id": evidence.person_id,
        "person_name": evidence.person_name,
        "roles": [dict(role) for role in evidence.roles],
        "place_name": evidence.place_name,
        "academic_year": evidence.academic_year,
        "statement": evidence.statement,
        "statement_version": evidence.statement_version,
        "signed_at": evidence.signed_at,
        "method": evidence.method,
        "authenticated_at": evidence.authenticated_at,
        "witness": dict(evidence.witness) if evidence.witness is not None else None,
        "record_version": evidence.record_version,
        "record_hash": hashed,
        "audit_event_id": event.event_id,
    }
    trace = {
        "id": uuid4(),
        "trust_id": actor.trust_id,
        "school_id": evidence.school_id,
        "signature_id": evidence.signature_id,
        "user_agent": user_agent[:300],
        "created_at": evidence.signed_at,
    }
    ours = {"trust_id": actor.trust_id}
    # With the commit: the chain's head is locked after all else is written, for no longer than the commit takes.
    current_unit().say_soon(
        _GIVE,
        {
            "signature": _json([values]),
            "trace": _json([trace] if user_agent else []),
            "notice": _json([receipt | ours]),
            "outbox": _json([one | ours for one in outbox]),
            "closed_at": evidence.signed_at,
            "edition_id": evidence.edition_id,
            "outside_edition_id": evidence.outside_edition_id,
            "assignment_id": evidence.assignment_id,
            "trust_id": actor.trust_id,
        },
    )
    audit.append(event)
    return Signature(**values)


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
