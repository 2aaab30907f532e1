"""Asking for advice before a letter goes to anybody: why lies apart from the case, and nobody sees a difference."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from trustportal.access import Actor
from trustportal.db import db
from trustportal.workflows.domain.routing import people_in
from trustportal.workflows.meeting_models import CaseHold
from trustportal.workflows.models import CaseSubject
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services import referring

#: The reason that opens an allegation.
ALLEGATION = "allegation"


def hold(actor: Actor, case: Case, answers: Mapping[str, Any], *, now: datetime) -> None:
    """Keep the reason where only `actor` reads it; where the post accuses somebody who works here, open the allegation.
    Inside the unit of work of the action.
    """
    assert actor.person_id is not None
    because = [str(one) for one in answers.get("hold_because") or ()]
    words = str(answers.get("alleged_words") or "")
    referred = ALLEGATION in because and referring.open_allegation(
        actor,
        school_id=case.row.school_id,
        about=people_in(answers.get("alleged")),
        words=f"{words}\n\nFrom what a parent wrote online: see {case.row.reference}.",
        now=now,
    )
    row = CaseHold(
        id=uuid4(),
        person_id=actor.person_id,
        case_id=case.row.id,
        sealed=b"",
        referred=referred,
        made_at=now,
    )
    row.sealed = case.seal.close({"because": because, "words": words}, row.id)
    db.session.add(row)


def exclude(actor: Actor, case: Case, answers: Mapping[str, Any], *, now: datetime) -> None:
    """Whoever is accused loses sight of the case with this transaction. The last thing that it does: whoever names
    themself sees the case no more after it.
    """
    because = answers.get("hold_because") or ()
    named = people_in(answers.get("alleged")) if ALLEGATION in because else frozenset[UUID]()
    there = set(db.session.scalars(select(CaseSubject.person_id).where(CaseSubject.case_id == case.row.id)))
    for person_id in sorted(named - there, key=lambda one: (one == actor.person_id, str(one))):
        db.session.add(CaseSubject(id=uuid4(), case_id=case.row.id, person_id=person_id, added_at=now))
        db.session.flush()
