"""Recording outside documents: the first edition of one, and its later ones. Nothing that was recorded is changed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal.acceptance.domain.documents import (
    DocumentDraft,
    DocumentFacts,
    check_document,
    document_hash,
)
from trustportal.acceptance.models import OutsideDocument, OutsideEdition
from trustportal.acceptance.queries import outside
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import UnitOfWork, db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event


def record_document(actor: Actor, draft: DocumentDraft, *, now: datetime, today: date) -> OutsideEdition:
    """Record an outside document by its first edition. A campaign can then ask people to confirm it."""
    actor.require(Permission.ACCEPTANCE_MANAGE)
    tidy = check_document(draft, before=None, today=today)
    with unit_of_work() as uow:
        if tidy.title.casefold() in {one.title.casefold() for one in outside.list_newest()}:
            raise RuleBroken("This document is recorded already: add its new edition there.", "title")
        document = OutsideDocument(id=uuid4(), created_by=actor.person_id, created_at=now)
        db.session.add(document)
        db.session.flush()
        return _add(uow, actor, document.id, 1, tidy, now=now)


def record_edition(
    actor: Actor, *, document_id: UUID, draft: DocumentDraft, now: datetime, today: date
) -> OutsideEdition:
    """Record another edition. From its day on people are asked for it; again, unless it only corrects the record."""
    actor.require(Permission.ACCEPTANCE_MANAGE)
    with unit_of_work() as uow:
        outside.get_document(document_id, lock=True)
        newest = outside.editions_of(document_id)[0]
        tidy = check_document(draft, before=outside.draft_of(newest), today=today)
        return _add(uow, actor, document_id, newest.number + 1, tidy, now=now)


def _add(
    uow: UnitOfWork, actor: Actor, document_id: UUID, number: int, draft: DocumentDraft, *, now: datetime
) -> OutsideEdition:
    edition_id = uuid4()
    digest = document_hash(DocumentFacts(actor.trust_id, document_id, edition_id, number, draft))
    edition = OutsideEdition(
        id=edition_id,
        document_id=document_id,
        number=number,
        title=draft.title,
        publisher=draft.publisher,
        edition=draft.edition,
        published_on=draft.published_on,
        current_from=draft.current_from,
        link=draft.link,
        parts=draft.parts,
        statement=draft.statement,
        asks_again=draft.asks_again,
        content_hash=digest,
        recorded_by=actor.person_id,
        recorded_at=now,
    )
    db.session.add(edition)
    record(
        actor,
        Action.OUTSIDE_DOCUMENT_RECORDED,
        now=now,
        outside_id=document_id,
        outside_edition_id=edition_id,
        number=number,
        content_hash=digest,
    )
    uow.announce(Event.OUTSIDE_DOCUMENT_RECORDED, document_id=document_id)
    return edition
