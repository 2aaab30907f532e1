"""Giving tasks out: who acts, who sees, who no longer does. Only jobs do it, since routing looks at declared ties.

Giving out again changes nothing for somebody who still may act: so it runs after every change of a case and of posts.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update

from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound
from trustportal.jobs import Event
from trustportal.mail import notify, withdraw
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows import chain
from trustportal.workflows import mail as wording
from trustportal.workflows.domain import routing as domain
from trustportal.workflows.domain.definition import Rule, RuleKind, Seat
from trustportal.workflows.domain.recipients import ALLEGATION, rules_for
from trustportal.workflows.domain.routing import Circumstances, Roster
from trustportal.workflows.models import Alarm, CaseAssignee, CaseParticipant, CaseTask
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import people
from trustportal.workflows.queries.cases import Case, OpenTask
from trustportal.workflows.queries.recipients import get_table
from trustportal.workflows.services import pattern
from trustportal.workflows.services.entering import due_of


def announce_touched(*, school_id: UUID | None = None, person_id: UUID | None = None) -> None:
    """Posts changed: the cases that this can touch are given out again (without a school: all). A thousand people who
    come in one file make one job for each case, not a thousand.
    """
    with unit_of_work() as uow:
        coming = queries.routes_to_come()
        for case_id in queries.open_case_ids(school_id=school_id, person_id=person_id):
            if case_id not in coming:
                uow.announce(Event.CASE_ROUTE, case_id=case_id)


def route_case(*, case_id: UUID, now: datetime) -> None:
    """The job: give out what waits in a case, and bring who sees it up to date."""
    with unit_of_work():
        try:
            case = queries.get_case(case_id, lock=True)
        except NotFound:
            return
        give_out(case, now=now)


def circumstances(case: Case, roster: Roster) -> Circumstances:
    """A case as routing sees it. Who receives an allegation is what trustees approved last."""
    routed = None
    if case.definition.key == ALLEGATION:
        involved = str(case.values.get("involved") or "unsafe")
        routed = rules_for(get_table(), roster, case.subjects, case.row.school_id, involved)
    return Circumstances(
        school=case.row.school_id,
        starter=case.row.starter_id,
        values=case.values,
        subjects=case.subjects,
        signers=tuple((one.state, one.person_id) for one in case.signatures if one.voided_at is None),
        out=case.recused,
        routed=routed,
    )


def give_out(case: Case, *, now: datetime) -> None:
    """Inside a unit of work, under the workers' role."""
    roster = people.roster(day_of(now))
    around = circumstances(case, roster)
    out = domain.barred(roster, case.subjects) | case.recused
    for task in case.tasks:
        seat = case.state.seat(task.row.seat)
        if seat is not None:
            _give(case, task, seat, roster, around, out, now)
    _participants(case, roster, around, out, now)
    _clear_left(case, now)
    pattern.share(case, roster, now=now)


def _give(
    case: Case,
    task: OpenTask,
    seat: Seat,
    roster: Roster,
    around: Circumstances,
    out: frozenset[UUID],
    now: datetime,
) -> None:
    definition, wanted = case.definition, task.row.wanted_id
    # Who has it and still may, keeps it: somebody else with the same post is no reason to take it away.
    still = tuple(
        one
        for one in task.people
        if wanted is None
        and domain.choose([_named(one)], definition, roster, around, without=domain.apart(seat, around)).found
    )
    routed = domain.Routed(still)
    if wanted is not None:
        routed = domain.choose(
            [_named(wanted)], definition, roster, around, without=domain.apart(seat, around)
        )
        if not routed.found:
            chain.record(case.seal, case.row.id, "not_given", actor_id=None, now=now, to=str(wanted))
        task.row.wanted_id = None
    if not routed.found:
        # Two seats of one step are two people: whoever signed in one, or has it, does not sign in the other.
        beside = {person for one in case.tasks if one is not task for person in one.people}
        # A signature of an earlier visit is no reason: whoever decides anew may be whoever decided before.
        beside |= {
            one.person_id
            for one in case.signatures
            if one.voided_at is None and one.state == case.row.state and one.signed_at > task.row.opened_at
        }
        routed = domain.route(definition, seat, roster, around, taken=frozenset(beside))
    _settle(case, task, seat, set(routed.people), now)


def _named(person: UUID) -> Rule:
    return Rule(RuleKind.PERSON, person=person)


def _settle(case: Case, task: OpenTask, seat: Seat, wanted: set[UUID], now: datetime) -> None:
    there = {
        one.person_id: one
        for one in db.session.scalars(
            select(CaseAssignee).where(CaseAssignee.task_id == task.row.id, CaseAssignee.until_at.is_(None))
        )
    }
    for person_id, one in there.items():
        if person_id not in wanted:
            one.until_at = now
    new = sorted(wanted - set(there), key=str)
    for person_id in new:
        db.session.add(
            CaseAssignee(
                id=uuid4(), case_id=case.row.id, task_id=task.row.id, person_id=person_id, since_at=now
            )
        )
    task.people = tuple(sorted(wanted, key=str))
    if wanted:
        if task.row.stuck_at is not None:
            task.row.stuck_at = None
            _clear_alarms(task, now)
    elif task.row.stuck_at is None:
        task.row.stuck_at = now
        alarm(case, task, now)
    db.session.flush()
    if new:
        chain.record(
            case.seal,
            case.row.id,
            "given",
            actor_id=None,
            now=now,
            to=[str(one) for one in new],
            seat=seat.title,
        )
        _tell(case, new)


def _tell(case: Case, new: Collection[UUID]) -> None:
    message = wording.asked(
        trust_slug=tenants.get_trust().slug,
        case_id=case.row.id,
        workflow=case.definition.title,
        step=case.state.title,
        due=due_of(case),
        quiet=case.definition.safeguarding,
    )
    for person_id in new:
        notify(person_id, subject=message.subject, body=message.body, path=message.path)


def _participants(
    case: Case, roster: Roster, around: Circumstances, out: frozenset[UUID], now: datetime
) -> None:
    """Who acts and who watches is added; who is barred, stepped back, left or watches no more is ended."""
    serving = roster.people()
    watching = domain.watchers(case.definition, roster, around)
    acting = {person for task in case.tasks for person in task.people}
    there = queries.list_participants(case.row.id)
    # Of a case about somebody's conduct, whoever was told that a step was late sees it until the step is taken.
    late = {
        one.person_id
        for one in queries.list_escalations(case.row.id, visit=case.row.visit)
        if case.row.closed_at is None
    }
    for one in there:
        because = _because(one, case, out, serving, watching)
        if not because and one.part == "told" and case.definition.safeguarding and one.person_id not in late:
            because = "replaced"
        if because:
            one.until_at, one.because = now, because
            if because == "subject":
                slug = tenants.get_trust().slug
                withdraw(one.person_id, path=wording.case_path(slug, case.row.id))
    db.session.flush()
    has = {(one.person_id, one.part) for one in there if one.until_at is None}
    for part, wanted in (("acts", acting), ("watches", watching)):
        for person_id in sorted(wanted, key=str):
            if (person_id, part) not in has:
                db.session.add(
                    CaseParticipant(
                        id=uuid4(), case_id=case.row.id, person_id=person_id, part=part, since_at=now
                    )
                )
    db.session.flush()


def _because(
    one: CaseParticipant,
    case: Case,
    out: frozenset[UUID],
    serving: frozenset[UUID],
    watching: frozenset[UUID],
) -> str:
    if one.person_id in case.subjects:
        return "subject"
    if one.person_id in case.recused:
        return "recused"
    if one.person_id not in serving:
        return "left"
    if one.part == "starter":
        return ""
    if one.person_id in out:
        return "replaced"
    if one.part == "watches" and one.person_id not in watching:
        return "replaced"
    return ""


# -- alarms ------------------------------------------------------------------------------------------------------


def alarm(case: Case, task: OpenTask, now: datetime) -> None:
    """Tell the clerks that something waits, and nothing about it; never a subject, nor anybody tied to one.

    A clerk whom a subject leads is told all the same: silence would be worse, and the alarm says nothing.
    """
    today = day_of(now)
    roster = people.roster(today)
    barred = case.subjects.union(*(roster.related_to(one) for one in case.subjects))
    message = wording.alarm(trust_slug=tenants.get_trust().slug)
    open_already = set(
        db.session.scalars(
            select(Alarm.person_id).where(Alarm.task_id == task.row.id, Alarm.cleared_at.is_(None))
        )
    )
    chain.record(case.seal, case.row.id, "stuck", actor_id=None, now=now)
    told = [one for one in tenants.people_with_role(Role.CLERK, on=today) if one not in barred]
    for person_id in told or [
        one for one in tenants.people_with_role(Role.DPO, on=today) if one not in barred
    ]:
        if person_id in open_already:
            continue
        db.session.add(Alarm(id=uuid4(), person_id=person_id, task_id=task.row.id, raised_at=now))
        notify(person_id, subject=message.subject, body=message.body, path=message.path)


def _clear_left(case: Case, now: datetime) -> None:
    """A step that was late with nobody above, and was taken after all."""
    ended = select(CaseTask.id).where(CaseTask.case_id == case.row.id, CaseTask.ended_at.is_not(None))
    db.session.execute(
        update(Alarm)
        .where(Alarm.task_id.in_(ended), Alarm.cleared_at.is_(None))
        .values(cleared_at=now)
        .execution_options(synchronize_session=False)
    )


def _clear_alarms(task: OpenTask, now: datetime) -> None:
    for one in db.session.scalars(
        select(Alarm).where(Alarm.task_id == task.row.id, Alarm.cleared_at.is_(None))
    ):
        one.cleared_at = now
