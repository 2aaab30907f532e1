"""Acting in a case: one action, one transaction; whom the next step goes to is found by a job afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from trustportal.access import Actor, Role
from trustportal.audit import canonical
from trustportal.db import current_unit, db, unit_of_work
from trustportal.errors import Conflict, NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.tenants import domain as tenants_domain
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows import chain
from trustportal.workflows import mail as wording
from trustportal.workflows.domain import engine
from trustportal.workflows.domain import routing as domain
from trustportal.workflows.domain.definition import Effect
from trustportal.workflows.domain.engine import Given, Plan
from trustportal.workflows.domain.recipients import ALLEGATION, RECIPIENTS
from trustportal.workflows.models import CaseNote, CaseRecusal, CaseSignature
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import definitions, people
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services import documents, holding, managing, register
from trustportal.workflows.services.entering import close, enter, leave
from trustportal.workflows.services.routing import circumstances
from trustportal.workflows.services.starting import nameable


def _me(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise NotFound()
    return actor.person_id


def _get(case_id: UUID, revision: int | None) -> Case:
    case = queries.get_case(case_id, lock=True)
    if revision is not None and case.row.revision != revision:
        raise Conflict("Somebody else has changed this meanwhile. Please read it again before you decide.")
    return case


def act(
    actor: Actor, *, case_id: UUID, action: str, given: Given, now: datetime, revision: int | None = None
) -> Plan:
    """Take an action. `revision`: of the case as it was read; where it has changed since, `Conflict`."""
    me = _me(actor)
    with unit_of_work():
        case = _get(case_id, revision)
        managing.guard(case, action, given, now=now)
        plan = engine.advance(
            case.definition,
            case.facts(),
            action,
            me,
            now,
            given=given,
            may_be_named=nameable(case.definition, case.row.school_id, day_of(now)),
            breaks=definitions.breaks_of(case.row.school_id),
            chairs=tenants.people_with_role(
                Role.CHAIR_OF_GOVERNORS, on=day_of(now), school_id=case.row.school_id
            ),
        )
        _apply(actor, case, plan, now=now)
    return plan


def change_form(
    actor: Actor,
    *,
    case_id: UUID,
    given: Mapping[str, Any],
    now: datetime,
    revision: int | None = None,
) -> Plan:
    """The starter changes the form: signatures so far are void, and whoever signed reads it again."""
    me = _me(actor)
    with unit_of_work():
        case = _get(case_id, revision)
        plan = engine.change(
            case.definition,
            case.facts(),
            given,
            me,
            now,
            may_be_named=nameable(case.definition, case.row.school_id, day_of(now)),
            breaks=definitions.breaks_of(case.row.school_id),
        )
        _apply(actor, case, plan, now=now)
    return plan


def content_hash(case: Case) -> str:
    """SHA-256 over what a signature in a case covers: the version of the workflow and the answers."""
    content = canonical({"version": str(case.version.id), "answers": case.values})
    return hashlib.sha256(content.encode()).hexdigest()


def _apply(actor: Actor, case: Case, plan: Plan, *, now: datetime) -> None:
    me, row = _me(actor), case.row
    came_from = case.state
    row.revision += 1
    if plan.values != case.values:
        case.values = dict(plan.values)
        row.sealed = case.seal.close(case.values, row.id)
    if plan.voids:
        for one in case.signatures:
            one.voided_at = one.voided_at or now
    if plan.signs:
        _sign(actor, case, plan, now)
    for task in list(case.tasks):
        if task.row.id == plan.task:
            task.row.ended_at, task.row.done_by = now, me
            case.tasks.remove(task)
    chain.record(
        case.seal,
        row.id,
        plan.action,
        actor_id=me,
        now=now,
        said=plan.said,
        comment=plan.comment,
        state=plan.state if plan.state != came_from.key else "",
        voids=len([one for one in case.signatures if one.voided_at == now]) or "",
    )
    if plan.entered or plan.closed:
        leave(case, now=now)
        row.state = plan.state
    if plan.entered:
        enter(case, plan, now=now)
    if plan.closed:
        close(case, now=now)
    _effects(actor, case, plan, now)
    if plan.closed and came_from.forward is not None and came_from.forward.key == plan.action:
        documents.write_form(case, now=now)
    _news(case, plan, me)
    db.session.flush()
    current_unit().announce(Event.CASE_ROUTE, case_id=row.id)
    if Effect.HOLD in plan.effects:
        holding.exclude(actor, case, plan.apart, now=now)


def _post_of(actor: Actor, case: Case) -> str:
    """The post in which somebody acts, as the school calls it."""
    labels = tenants_domain.TrustSettings.read(tenants.get_trust().settings).role_labels
    held = actor.roles_at(case.row.school_id) or actor.trust_roles
    school = tenants.get_school(case.row.school_id)
    first = min(held, key=list(Role).index, default=None)
    return tenants_domain.role_label(first, school.role_labels, labels) if first else ""


def _signed_as(actor: Actor, case: Case) -> str:
    """How a letter ends: name and post."""
    return f"{tenants.get_person(_me(actor)).name}\n{_post_of(actor, case)}".strip()


def _sign(actor: Actor, case: Case, plan: Plan, now: datetime) -> None:
    signature = CaseSignature(
        id=uuid4(),
        case_id=case.row.id,
        state=case.row.state,
        seat=plan.seat,
        person_id=_me(actor),
        person_name=tenants.get_person(_me(actor)).name,
        role_label=_post_of(actor, case),
        statement=plan.signs,
        content_hash=content_hash(case),
        signed_at=now,
        method=actor.signed_in_by,
    )
    db.session.add(signature)
    case.signatures.append(signature)


def _effects(actor: Actor, case: Case, plan: Plan, now: datetime) -> None:
    for effect in plan.effects:
        if effect is Effect.REGISTER:
            register.enter(
                actor,
                case_id=case.row.id,
                school_id=case.row.school_id,
                owner_id=case.row.starter_id,
                values=case.values,
                now=now,
            )
        elif effect is Effect.CHANGE_REGISTER:
            register.change_by_case(actor, school_id=case.row.school_id, values=case.values, now=now)
        elif effect is Effect.HOLD:
            holding.hold(actor, case, plan.apart, now=now)
    for key in plan.letters:
        documents.write_letter(case, key, comment=plan.comment, now=now, sender=_signed_as(actor, case))
    if plan.meeting is not None:
        documents.write_calendar(case, plan.meeting, now=now)


def _news(case: Case, plan: Plan, me: UUID) -> None:
    """Tell whoever started a case when it is at its end; what they have to do themselves is told with the task.

    Of a case about somebody's conduct nobody is told who does not take part, whoever reported it included.
    """
    starter = case.row.starter_id
    if case.definition.safeguarding or not case.definition.starter_sees:
        return
    if not plan.closed or starter is None or starter == me:
        return
    message = wording.moved(
        trust_slug=tenants.get_trust().slug,
        case_id=case.row.id,
        workflow=case.definition.title,
        state=case.definition.state(plan.state).title,
        quiet=case.definition.safeguarding,
    )
    notify(starter, subject=message.subject, body=message.body, path=message.path)


# -- beside the steps --------------------------------------------------------------------------------------------


def add_note(actor: Actor, *, case_id: UUID, text: str, now: datetime) -> None:
    """A note for the others who take part."""
    words = text.strip()
    if not words:
        raise RuleBroken("Write the note first.", "text")
    if len(words) > 4000:
        raise RuleBroken("A note can have up to 4000 characters.", "text")
    with unit_of_work():
        case = queries.get_case(case_id, lock=True)
        if queries.only_reads(case_id):
            raise NotFound()
        note = CaseNote(id=uuid4(), case_id=case_id, author_id=_me(actor), sealed=b"", written_at=now)
        note.sealed = case.seal.close(words, note.id)
        db.session.add(note)
        chain.record(case.seal, case_id, "note", actor_id=_me(actor), now=now, said="wrote a note")


def _reason(words: str) -> str:
    found = words.strip()
    if not found:
        raise RuleBroken("Say why: the others see it in the timeline.", "reason")
    if len(found) > 400:
        raise RuleBroken("The reason can have up to 400 characters.", "reason")
    return found


@dataclass(frozen=True, slots=True)
class Handover:
    """Whom a task can be handed to, and in whose name."""

    task_id: UUID
    seat: str
    is_mine: bool
    people: dict[UUID, str]


def handovers(actor: Actor, case: Case, *, now: datetime) -> list[Handover]:
    """The tasks that somebody can hand on: their own, to anybody who may sit in the seat; another's, whose holder is
    away, to those whom the seat's own rules name.
    """
    me = _me(actor)
    if case.state.closed or me in case.subjects or queries.only_reads(case.row.id):
        return []
    roster, found = people.roster(day_of(now)), []
    around = circumstances(case, roster)
    # To whom a late step went upwards may take it over.
    went_up_to_me = any(
        one.person_id == me for one in queries.list_escalations(case.row.id, visit=case.row.visit)
    )
    for task in case.tasks:
        seat = case.state.seat(task.row.seat)
        if seat is None:
            continue
        mine = me in task.people
        rules = (*seat.rules, *case.definition.upwards)
        out = domain.apart(seat, around) | set(task.people) | case.recused
        if mine or not went_up_to_me:
            out |= {me}
        if mine:
            posts = [post for post in roster.posts if post.school in {case.row.school_id, None}]
            if case.definition.key == ALLEGATION:
                # Only who may receive one at all: never whoever looks after the portal, nor any colleague.
                posts = [post for post in posts if post.role in RECIPIENTS]
            candidates = {post.person for post in posts}
        else:
            candidates = set(domain.all_candidates(rules, case.definition, roster, around))
            candidates |= {me} if went_up_to_me else set()
        names = tenants.names_of(candidates - out - domain.barred(roster, case.subjects))
        if names:
            ordered = dict(sorted(names.items(), key=lambda pair: pair[1]))
            found.append(Handover(task.row.id, seat.title, mine, ordered))
    return found


def hand_over(
    actor: Actor, *, case_id: UUID, task_id: UUID, to: UUID | None, reason: str, now: datetime
) -> None:
    """Give a task to somebody else: one's own, or that of a colleague who is away. Routing has the last word."""
    with unit_of_work() as uow:
        case = queries.get_case(case_id, lock=True)
        offered = next((one for one in handovers(actor, case, now=now) if one.task_id == task_id), None)
        if offered is None:
            raise NotFound()
        if to not in offered.people:
            raise RuleBroken("Choose who should do it.", "to")
        words = _reason(reason)
        task = next(one for one in case.tasks if one.row.id == task_id)
        task.row.wanted_id = to
        case.row.revision += 1
        said = "handed the task on" if offered.is_mine else "asked somebody to stand in"
        chain.record(
            case.seal,
            case_id,
            "hand_over",
            actor_id=_me(actor),
            now=now,
            said=said,
            to=[str(to)],
            comment=words,
        )
        uow.announce(Event.CASE_ROUTE, case_id=case_id)


def recuse(actor: Actor, *, case_id: UUID, reason: str, now: datetime) -> None:
    """Step back from a case: somebody else gets the task, and one sees the case no more."""
    me = _me(actor)
    with unit_of_work() as uow:
        case = queries.get_case(case_id, lock=True)
        if not any(me in one.people for one in case.tasks):
            raise NotFound()
        if me == case.row.starter_id:
            raise RuleBroken("You started this yourself: withdraw it instead.")
        words = _reason(reason)
        chain.record(case.seal, case_id, "recuse", actor_id=me, now=now, said="stepped back", comment=words)
        db.session.add(CaseRecusal(id=uuid4(), case_id=case_id, person_id=me, at=now))
        case.row.revision += 1
        uow.announce(Event.CASE_ROUTE, case_id=case_id)
