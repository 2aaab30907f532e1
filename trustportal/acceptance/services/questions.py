"""Asking instead of signing: a question is answered, a refusal is recorded and routed. Either stops reminders."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal import mail
from trustportal.acceptance import mail as wording
from trustportal.acceptance.domain import questions as domain
from trustportal.acceptance.domain.questions import Asking, To
from trustportal.acceptance.models import Question
from trustportal.acceptance.queries import mine, questions
from trustportal.acceptance.queries.questions import QuestionShown
from trustportal.acceptance.services import chasing
from trustportal.access import Actor
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import Forbidden, NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.tenants import queries as tenants


def ask(
    actor: Actor, *, assignment_id: UUID, asking: Asking, to: To, words: str, now: datetime, today: date
) -> Question:
    """Ask about what one is to sign, or refuse to sign it. It goes to whom `domain.questions.route` says."""
    if actor.person_id is None:
        raise Forbidden("Only people ask.")
    with unit_of_work() as uow:
        row = mine.lock_mine(assignment_id, actor.person_id)
        if row.state != "open":
            raise RuleBroken("You are no longer asked to sign this.")
        words = domain.check_words(words, asking)
        routed = domain.route(
            asking, to, questions.around(actor.person_id, row.school_id, today), asker=actor.person_id
        )
        question = Question(
            id=uuid4(),
            school_id=row.school_id,
            assignment_id=row.id,
            person_id=actor.person_id,
            kind=str(asking),
            words=words,
            routed_to=[str(one) for one in routed],
            state="open",
            asked_at=now,
        )
        db.session.add(question)
        record(
            actor,
            Action.QUESTION_ASKED,
            now=now,
            question_id=question.id,
            assignment_id=row.id,
            person_id=actor.person_id,
            policy_id=row.policy_id,
            outside_id=row.outside_id,
            school_id=row.school_id,
            kind=str(asking),
        )
        uow.announce(Event.QUESTION_ASKED, question_id=question.id)
    return question


def get_readable(actor: Actor, *, question_id: UUID) -> QuestionShown:
    """A question for the one who asked and those who are asked. To everybody else it does not exist."""
    shown = questions.get_shown(question_id)
    me = str(actor.person_id)
    if me != str(shown.question.person_id) and me not in shown.question.routed_to:
        raise NotFound()
    return shown


def answer(actor: Actor, *, question_id: UUID, answer: str, now: datetime) -> Question:
    """Answer a question, or note what was agreed after a refusal. The first answer counts; the asker is told."""
    with unit_of_work() as uow:
        get_readable(actor, question_id=question_id)
        question = questions.get_question(question_id, lock=True)
        if str(actor.person_id) not in question.routed_to:
            raise Forbidden("Somebody else answers this.")
        if question.state != "open":
            raise RuleBroken("This was answered meanwhile.")
        question.answer = domain.check_answer(answer)
        question.state, question.answered_by, question.answered_at = "answered", actor.person_id, now
        record(
            actor,
            Action.QUESTION_ANSWERED,
            now=now,
            question_id=question.id,
            person_id=question.person_id,
            school_id=question.school_id,
            kind=question.kind,
        )
        uow.announce(Event.QUESTION_ANSWERED, question_id=question.id)
    return question


def tell_asked(*, question_id: UUID, now: datetime) -> None:
    """Tell those who are asked; the words themselves stay in the portal."""
    with unit_of_work():
        shown = questions.get_shown(question_id)
        if shown.question.state != "open":
            return
        message = wording.question(
            trust_slug=tenants.get_trust().slug,
            asker=shown.asker,
            policy=shown.policy_title,
            place=shown.place_name,
            question_id=question_id,
            refused=shown.question.kind == Asking.REFUSAL,
        )
        for person_id in shown.question.routed_to:
            mail.notify(
                UUID(person_id),
                subject=message.subject,
                body=message.body,
                path=message.path,
                school_id=shown.question.school_id,
                not_before=chasing.civil_time(now),
            )


def tell_asker(*, question_id: UUID, now: datetime) -> None:
    """Tell whoever asked that there is an answer."""
    with unit_of_work():
        shown = questions.get_shown(question_id)
        message = wording.answered(
            trust_slug=tenants.get_trust().slug,
            policy=shown.policy_title,
            answerer=shown.answerer,
            question_id=question_id,
        )
        mail.notify(
            shown.question.person_id,
            subject=message.subject,
            body=message.body,
            path=message.path,
            school_id=shown.question.school_id,
            not_before=chasing.civil_time(now),
        )
