"""A case as its page shows it: who has it and by when, then everything else, made ready for the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from trustportal.access import Actor
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.words import day, due_words, instant, listed, plural
from trustportal.workflows import chain
from trustportal.workflows.domain import engine, targets
from trustportal.workflows.domain.answers import Fault, warnings
from trustportal.workflows.domain.days import working_days_between
from trustportal.workflows.domain.definition import Action, ActionKind, Effect
from trustportal.workflows.forms.answers import AnswersForm, answers_form
from trustportal.workflows.models import ESCALATE, CaseDocument
from trustportal.workflows.queries import allegations, holds
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services import acting, documents, referring
from trustportal.workflows.services.documents import CALENDAR
from trustportal.workflows.views.offering import offering

PARTS = {
    "starter": "started it",
    "acts": "acts in it",
    "watches": "sees it because of their post",
    "told": "was told that it was late",
    "pattern": "reads it because of a later one about the same person",
}


@dataclass(frozen=True, slots=True)
class Doable:
    """An action that I can take, with its form. `is_open`: it was sent and not accepted."""

    action: Action
    form: AnswersForm
    is_main: bool
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task of the present state: whose, in words."""

    seat: str
    people: list[str]
    is_mine: bool
    stuck: bool


@dataclass(frozen=True, slots=True)
class ShownCase:
    """Everything on the page of a case."""

    case: Case
    school: Any
    waiting: list[Waiting]
    due: date | None
    due_words: str
    doable: list[Doable]
    sections: list[tuple[str, list[tuple[str, str]]]]
    warnings: list[Fault]
    signatures: list[tuple[str, str, str, str, str]]
    documents: list[CaseDocument]
    notes: list[tuple[str, str, datetime]]
    people: list[tuple[str, str]]
    timeline: list[tuple[str, str, str, bool]]
    deadlines: list[tuple[str, date]]
    #: Whether they see it for nothing but a later case about the same person, and change nothing in it.
    only_reads: bool
    #: To whom this step went because it is late, and when; "": nobody was left.
    escalated: list[tuple[str, datetime]]
    #: Days to aim at, where the definition names some.
    aims: list[targets.Aim]
    is_with_me: bool
    handovers: list[acting.Handover]
    starter: str
    may_change: bool
    may_step_back: bool
    being_given_out: bool
    banners: list[str]
    held: list[holds.Held]
    #: Whether an allegation can be opened from it.
    can_refer: bool
    #: The letters that the school sends itself.
    outside: frozenset[str]
    calendar: str = CALENDAR


def shown(
    actor: Actor,
    case_id: UUID,
    *,
    now: datetime,
    today: date,
    sent: tuple[str, AnswersForm] | None = None,
) -> ShownCase:
    """A case for one of those who take part. `sent`: the action whose form was not accepted, with that form."""
    case = queries.get_case(case_id)
    facts = case.facts()
    participants = queries.list_participants(case_id)
    happened = chain.timeline(case.seal, case_id)
    notes = queries.list_notes(case_id, case.seal)
    form_names = documents.names_in(case)
    ids = {one.person_id for one in participants} | {person for task in case.tasks for person in task.people}
    ids |= {one.actor_id for one in happened if one.actor_id} | {
        one.author_id for one in notes if one.author_id
    }
    ids |= {UUID(one) for event in happened for one in _to(event.says)}
    went_up = queries.list_escalations(case_id, visit=case.row.visit)
    ids |= {one.person_id for one in went_up if one.person_id}
    names = {**form_names, **tenants.names_of(ids)}
    # A reminder that was given, and an escalation that has happened, stand in the timeline.
    deadlines = [
        (one.kind, one.due_on)
        for one in queries.list_deadlines(case_id)
        if one.kind == "due" or one.fired_at is None
    ]
    due = next((on for kind, on in deadlines if kind == "due"), None)
    doable = _doable(actor, case, facts, today, sent)
    mine = engine.task_of(facts, actor.person_id)
    waiting = [_waiting(case, task, actor, names) for task in case.tasks]
    return ShownCase(
        case=case,
        school=tenants.get_school(case.row.school_id),
        waiting=waiting,
        due=due,
        due_words=deadline_words(due, today),
        doable=doable,
        sections=_sections(case, form_names),
        warnings=warnings(case.definition, case.values),
        signatures=[
            (
                one.person_name,
                one.role_label,
                "No longer counts" if one.voided_at else "Signed",
                "late" if one.voided_at else "done",
                f"{one.statement} ({instant(one.signed_at)})",
            )
            for one in case.signatures
        ],
        documents=queries.list_documents(case_id),
        notes=[
            (names.get(one.author_id, "Somebody") if one.author_id else "Somebody", one.text, one.written_at)
            for one in notes
        ],
        people=[
            (names.get(person_id, "Somebody who has left"), listed([PARTS[one.part] for one in parts]))
            for person_id, parts in _by_person(participants).items()
        ],
        timeline=[_entry(one, names, case) for one in happened],
        deadlines=[(_deadline_words(kind, case), on) for kind, on in deadlines],
        only_reads=queries.only_reads(case_id),
        escalated=[
            (names.get(one.person_id, "somebody") if one.person_id else "", one.at) for one in went_up
        ],
        aims=_aims(case, happened),
        is_with_me=any(one.person_id == actor.person_id for one in went_up),
        handovers=acting.handovers(actor, case, now=now),
        starter=names.get(case.row.starter_id, "") if case.row.starter_id else "",
        may_change=engine.may_change(case.definition, facts, actor.person_id),
        may_step_back=mine is not None and actor.person_id != case.row.starter_id,
        being_given_out=any(not one.people and not one.stuck for one in waiting),
        banners=_banners(case, form_names),
        can_refer=not _holds(case) or referring.find_allegation() is not None,
        outside=frozenset(one.key for one in case.definition.letters if case.definition.is_outside(one)),
        held=holds.list_mine(case_id, case.seal) if _holds(case) else [],
    )


def _aims(case: Case, happened: list[chain.Happened]) -> list[targets.Aim]:
    """The targets of a case; one that was taken up again, or turned out to be more, begins anew."""
    if not case.definition.targets:
        return []
    return targets.aims(
        case.definition.targets,
        began_on=allegations.came_on(case) if case.definition.safeguarding else day_of(case.row.opened_at),
        # Newest first: the last time counts.
        taken={one.action: day_of(one.at) for one in reversed(happened)},
        closed=case.state.closed,
    )


def _deadline_words(kind: str, case: Case) -> str:
    if kind == "due":
        return f"“{case.state.title}” is due"
    return "Goes upwards if it is not done" if kind.startswith(ESCALATE) else "Reminder"


def _holds(case: Case) -> bool:
    return any(Effect.HOLD in action.effects for state in case.definition.states for action in state.actions)


def _by_person(participants: list[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for one in participants:
        found.setdefault(one.person_id, []).append(one)
    return found


def _to(says: Mapping[str, Any]) -> list[str]:
    to = says.get("to") or []
    return [to] if isinstance(to, str) else list(to)


def _waiting(case: Case, task: queries.OpenTask, actor: Actor, names: Mapping[Any, str]) -> Waiting:
    seat = case.state.seat(task.row.seat)
    return Waiting(
        seat.title if seat else task.row.seat,
        [names.get(one, "Somebody") for one in task.people],
        actor.person_id in task.people,
        task.row.stuck_at is not None,
    )


def deadline_words(due: date | None, today: date) -> str:
    """ "by 27 November 2026, in 4 working days"; late as lists say it, "since 20 November 2026: 2 days late"."""
    if due is None:
        return ""
    if due < today:
        return f"since {day(due)}: {due_words(due, today)}"
    if due == today:
        return f"by today, {day(due)}"
    left = working_days_between(today, due)
    return f"by {day(due)}" + (f", in {plural(left, 'working day')}" if left else "")


def _doable(
    actor: Actor,
    case: Case,
    facts: engine.CaseFacts,
    today: date,
    sent: tuple[str, AnswersForm] | None,
) -> list[Doable]:
    found = []
    for action in engine.possible(case.definition, facts, actor.person_id):
        is_open = sent is not None and sent[0] == action.key
        form = sent[1] if sent is not None and is_open else action_form(case, action, today)
        form.revision.data = str(case.row.revision)
        is_main = action.kind is ActionKind.FORWARD and not action.by_starter
        found.append(Doable(action, form, is_main, is_open))
    return found


def action_form(case: Case, action: Action, today: date) -> AnswersForm:
    """What an action asks."""
    asked = case.definition.asked_in(action)
    return answers_form(
        case.definition,
        asked,
        values=case.values if asked else None,
        action=action,
        **offering(case.definition, asked, case.row.school_id, today),
    )


def _banners(case: Case, names: Mapping[Any, str]) -> list[str]:
    """What is said at the top of a case because of its answers."""
    return [
        one.banner.format(answer=documents.answer_words(one, case.values[one.key], names))
        for one in case.definition.fields
        if one.banner and case.values.get(one.key)
    ]


def _sections(case: Case, names: Mapping[Any, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for section, question, answer in documents.answered(case, names):
        if not found or found[-1][0] != section:
            found.append((section, []))
        found[-1][1].append((question, answer))
    return found


_SAID = {
    "given": "It was given to {to}",
    "not_given": "It could not be given to {to}",
    "stuck": "Nobody could receive it",
    "reminded": "{to} had a reminder",
    "overdue": "It was not done in time",
    "escalated": "It went upwards to {to}, because it is late",
}


def _entry(event: chain.Happened, names: Mapping[Any, str], case: Case) -> tuple[str, str, str, bool]:
    says = event.says
    to = listed([names.get(UUID(one), "somebody") for one in _to(says)])
    if event.action == engine.LAPSE:
        return (instant(event.at), "It ended by itself: nobody had decided anew", "", False)
    if event.action in _SAID:
        words = _SAID[event.action].format(to=to or "nobody")
        if event.action == "escalated" and not to:
            words = "It is late, and nobody is left to whom it could go"
        detail = f"{to} was told" if event.action == "overdue" and to else str(says.get("seat") or "")
        return (instant(event.at), words, detail, False)
    who = names.get(event.actor_id, "Somebody") if event.actor_id else "Somebody who gave no name"
    words = f"{who} {says.get('said') or event.action}" + (f": {to}" if to else "")
    parts = [f"“{says['comment']}”"] if says.get("comment") else []
    if says.get("voids"):
        parts.append("The signatures so far no longer count.")
    return (instant(event.at), words, " ".join(parts), False)
