"""Questions and refusals: those that wait for somebody's answer, and one of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, select

from trustportal.acceptance.domain.questions import Around
from trustportal.acceptance.models import Assignment, OutsideEdition, Question
from trustportal.acceptance.queries import people
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.mine import TITLE
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.models import Policy
from trustportal.tenants import queries as tenants
from trustportal.tenants.models import Person, School


@dataclass(frozen=True, slots=True)
class QuestionShown:
    """A question with what it is about."""

    question: Question
    policy_title: str
    #: "" for an outside document.
    policy_slug: str
    place_name: str
    school_slug: str | None
    asker: str
    answerer: str
    #: Whoever has none reads the answer at the shared device, or on paper.
    asker_has_email: bool


def around(person_id: UUID, school_id: Place, on: date) -> Around:
    """The people whom somebody at a place can ask."""
    manager = people.line_managers([person_id], on).get((person_id, school_id))
    heads = (
        tenants.people_with_role(Role.HEADTEACHER, on=on, school_id=school_id)
        if school_id is not None
        else tenants.people_with_role(Role.CEO, on=on)
    )
    return Around(
        line_managers=[manager] if manager is not None else [],
        heads=heads,
        hr_leads=tenants.people_with_role(Role.HR_LEAD, on=on),
        network_managers=tenants.people_with_role(Role.NETWORK_MANAGER, on=on),
    )


def get_question(question_id: UUID, *, lock: bool = False) -> Question:
    """A question that the scope sees."""
    statement = select(Question).where(Question.id == question_id)
    found = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_waiting_for(person_id: UUID) -> list[QuestionShown]:
    """What waits for somebody's answer, the oldest first."""
    return _shown(
        Question.state == "open",
        Question.routed_to.contains([str(person_id)]),
    )


def list_asked_by(person_id: UUID) -> list[QuestionShown]:
    """All that somebody asked or refused, the newest first."""
    return list(reversed(_shown(Question.person_id == person_id)))


def list_answered_for(person_id: UUID, assignment_ids: Collection[UUID]) -> list[QuestionShown]:
    """What somebody asked about things that they are still to sign, and was answered; the newest answer first."""
    if not assignment_ids:
        return []
    found = _shown(
        Question.person_id == person_id,
        Question.state == "answered",
        Question.assignment_id.in_(assignment_ids),
    )
    return sorted(found, key=lambda one: str(one.question.answered_at), reverse=True)


def list_answered_by(person_id: UUID) -> list[QuestionShown]:
    """All that somebody answered, the newest first."""
    return list(reversed(_shown(Question.answered_by == person_id)))[:100]


def get_shown(question_id: UUID) -> QuestionShown:
    """One question with what it is about."""
    found = _shown(Question.id == question_id)
    if not found:
        raise NotFound()
    return found[0]


def open_of_assignment(assignment_id: UUID) -> Sequence[Question]:
    """What was asked about an assignment, the newest first."""
    return db.session.scalars(
        select(Question).where(Question.assignment_id == assignment_id).order_by(Question.asked_at.desc())
    ).all()


def _shown(*which: ColumnElement[bool]) -> list[QuestionShown]:
    rows = db.session.execute(
        select(Question, TITLE, Policy.slug, School.name, School.slug, Person.name, Person.email)
        .join(Assignment, Assignment.id == Question.assignment_id)
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .join(Person, Person.id == Question.person_id)
        .outerjoin(School, School.id == Question.school_id)
        .where(*which)
        .order_by(Question.asked_at, Question.id)
    ).all()
    if not rows:
        return []
    names = tenants.names_of([row[0].answered_by for row in rows if row[0].answered_by])
    of_the_trust = any(row[3] is None for row in rows)
    trust_name = tenants.get_trust().name if of_the_trust else ""
    return [
        QuestionShown(
            question,
            title,
            slug or "",
            school_name or trust_name,
            school_slug,
            asker,
            names.get(question.answered_by, "") if question.answered_by else "",
            email is not None,
        )
        for question, title, slug, school_name, school_slug, asker, email in rows
    ]
