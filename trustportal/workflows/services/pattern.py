"""Whoever gets a case about somebody sees the earlier ones about them at the same school, so that a pattern shows.

Never one that is about them or somebody close to them, nor one that they were kept out of. They change nothing in it,
and nobody in it is told: whoever looks after the earlier one may be whom the later one is about. Inside a job.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from trustportal.db import db
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.domain.routing import Roster, barred
from trustportal.workflows.models import PATTERN, CaseParticipant
from trustportal.workflows.queries import allegations, cases
from trustportal.workflows.queries.cases import Case


def share(case: Case, roster: Roster, *, now: datetime) -> None:
    """Let those who act in a case see the earlier ones about the same people."""
    acting = {person for task in case.tasks for person in task.people}
    if case.definition.key != ALLEGATION or not acting or not case.subjects:
        return
    for earlier_id in allegations.earlier_about(case):
        earlier = cases.get_case(earlier_id)
        out = barred(roster, earlier.subjects) | earlier.recused
        there = {one.person_id for one in cases.list_participants(earlier_id)}
        for person_id in sorted(acting - out - there, key=str):
            db.session.add(_sees(earlier_id, person_id, now))
    db.session.flush()


def _sees(case_id: UUID, person_id: UUID, now: datetime) -> CaseParticipant:
    return CaseParticipant(id=uuid4(), case_id=case_id, person_id=person_id, part=PATTERN, since_at=now)
