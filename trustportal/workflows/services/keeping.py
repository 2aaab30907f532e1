"""The end of what is kept: who is asked to agree that a case is disposed of, and the disposal. Only jobs see the cases.

Two people have to agree, the data protection officer and the chair of the trust board. They see a reference, a ground
and a day: no word of the case. Nobody is asked about a case that is about them, about somebody who leads them, or about
somebody close to them: then whoever stands in is asked, and where nobody may, it is kept and an alarm says no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text

from trustportal.access import Actor, Role
from trustportal.db import current_scope, db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.workflows import chain
from trustportal.workflows import mail as wording
from trustportal.workflows.allegation_models import DisposalAsk
from trustportal.workflows.domain import keeping
from trustportal.workflows.domain.keeping import SEATS, Keeping
from trustportal.workflows.domain.recipients import ALLEGATION
from trustportal.workflows.domain.routing import Roster, barred
from trustportal.workflows.models import Alarm, RegisterEntry, WorkflowCase
from trustportal.workflows.queries import allegations as queries
from trustportal.workflows.queries import cases, people, stand_ins
from trustportal.workflows.queries.cases import Case


def keeping_of(case: Case, roster: Roster, now: datetime) -> Keeping:
    """Until when a closed case is kept."""
    assert case.row.closed_at is not None
    assert case.row.keep_until is not None
    if case.definition.key != ALLEGATION:
        account = _account_until(case)
        return Keeping(max(case.row.keep_until, account or case.row.keep_until), keeping.Basis.PASSED)
    left = bool(case.subjects) and not case.subjects & roster.people()
    return keeping.keeping(
        case.values,
        state=case.row.state,
        alleged_on=day_of(case.row.opened_at),
        closed_on=day_of(case.row.closed_at),
        gone_on=day_of(now) if left else None,
    )


def _account_until(case: Case) -> date | None:
    """Until when the account that a request led to keeps the request: as long as it lives, and the usual time after."""
    closed = db.session.scalars(
        select(RegisterEntry.closed_on).where(RegisterEntry.case_id == case.row.id)
    ).all()
    if not closed:
        return None
    ends = [keeping.years_after(one, case.definition.keep_years) if one else date.max for one in closed]
    return max(ends)


def sweep(*, now: datetime) -> int:
    """The job of each day: announce the closed cases whose time has come. Returns how many."""
    today, found = day_of(now), 0
    with unit_of_work() as uow:
        for row in queries.closed_cases():
            passed = row.keep_until is not None and row.keep_until <= today
            if (passed or row.state == keeping.LOW) and not row.legal_hold:
                uow.announce(Event.CASE_DISPOSAL, case_id=row.id)
                found += 1
    return found


def ask(*, case_id: UUID, now: datetime) -> None:
    """The job: ask the two who have to agree; once both have, dispose of it."""
    with unit_of_work():
        try:
            case = cases.get_case(case_id, lock=True)
        except NotFound:
            return
        today = day_of(now)
        row = case.row
        if row.closed_at is None or row.legal_hold or row.keep_until is None:
            return
        roster = people.roster(today)
        found = keeping_of(case, roster, now)
        left = found.basis is keeping.Basis.LEFT and not _kept_lately(case_id, today)
        until = row.keep_until if case.definition.key == ALLEGATION else found.until
        if until > today and not left:
            return
        asks = {one.seat: one for one in _open_asks(case_id)}
        out = barred(roster, case.subjects)
        for seat in SEATS:
            beside = {one.person_id for key, one in asks.items() if key != seat}
            entitled = _entitled(case, seat, roster, frozenset(beside))
            asked = _ask_seat(case, seat, entitled, out, asks.get(seat), now, found)
            if asked is not None:
                asks[seat] = asked
        _alarm_unless_both(case, asks, roster, now)
        db.session.flush()
        agreed = {one.person_id for one in _open_asks(case_id) if one.answer == "agreed"}
        if len(agreed) == len(SEATS):
            _dispose(case)


def _kept_lately(case_id: UUID, today: date) -> bool:
    """Whether somebody refused within the last year."""
    refused = db.session.scalars(
        select(DisposalAsk.answered_at).where(DisposalAsk.case_id == case_id, DisposalAsk.answer == "refused")
    )
    return any(at is not None and keeping.years_after(day_of(at), 1) > today for at in refused)


def _open_asks(case_id: UUID) -> list[DisposalAsk]:
    return list(
        db.session.scalars(
            select(DisposalAsk).where(DisposalAsk.case_id == case_id, DisposalAsk.ended_at.is_(None))
        )
    )


def _entitled(case: Case, seat: str, roster: Roster, beside: frozenset[UUID]) -> list[UUID]:
    """Who may give a consent, in order; never the person who gives the other."""
    out = barred(roster, case.subjects) | beside
    people_ = [person for role in SEATS[seat] for person in roster.holders(role, None)]
    if seat == "dpo":
        people_ += [one.person_id for one in stand_ins.list_stand_ins() if one.person_id in roster.people()]
    return [person for person in people_ if person not in out]


def _ask_seat(
    case: Case,
    seat: str,
    entitled: list[UUID],
    out: frozenset[UUID],
    there: DisposalAsk | None,
    now: datetime,
    found: Keeping,
) -> DisposalAsk | None:
    """Whoever is asked for a consent; None: there is nobody. Who agreed and may not decide any more, did not agree."""
    if there is not None and (there.person_id in entitled or (there.answer and there.person_id not in out)):
        return there
    if there is not None:
        there.ended_at = now
        db.session.flush()
    if not entitled:
        return None
    row = DisposalAsk(
        id=uuid4(),
        case_id=case.row.id,
        person_id=entitled[0],
        seat=seat,
        reference=case.row.reference,
        basis=str(found.basis),
        due_on=found.until,
        asked_at=now,
        answer="",
        reason="",
    )
    db.session.add(row)
    message = wording.disposal(trust_slug=tenants.get_trust().slug)
    notify(entitled[0], subject=message.subject, body=message.body, path=message.path)
    return row


def _alarm_unless_both(case: Case, asks: Mapping[str, DisposalAsk], roster: Roster, now: datetime) -> None:
    """Where nobody may give a consent, the record is kept: the clerk hears that something waits, and whoever may name a
    stand-in that one is wanted. Once, until there is somebody.
    """
    missing = [seat for seat in SEATS if seat not in asks or asks[seat].ended_at is not None]
    raised = set(
        db.session.scalars(
            select(Alarm.person_id).where(Alarm.task_id == case.row.id, Alarm.cleared_at.is_(None))
        )
    )
    if not missing:
        for one in db.session.scalars(
            select(Alarm).where(Alarm.task_id == case.row.id, Alarm.cleared_at.is_(None))
        ):
            one.cleared_at = now
        return
    slug = tenants.get_trust().slug
    close = case.subjects.union(*(roster.related_to(one) for one in case.subjects))
    alarm = wording.alarm(trust_slug=slug)
    for person_id in roster.holders(Role.CLERK, None):
        if person_id not in close | raised:
            db.session.add(Alarm(id=uuid4(), person_id=person_id, task_id=case.row.id, raised_at=now))
            notify(person_id, subject=alarm.subject, body=alarm.body, path=alarm.path)
    namers = _entitled(case, "chair", roster, frozenset())
    if "dpo" in missing and not raised and namers:
        wanted = wording.stand_in_wanted(trust_slug=slug)
        notify(namers[0], subject=wanted.subject, body=wanted.body, path=wanted.path)


def _dispose(case: Case) -> None:
    """Remove everything that was written, and who took part; the links of its chain and its reference stay."""
    scope = current_scope()
    assert scope is not None
    db.session.flush()
    db.session.execute(
        text("SELECT dispose_of_case(CAST(:trust AS uuid), CAST(:case AS uuid), :nothing)"),
        {
            "trust": str(scope.trust_id),
            "case": str(case.row.id),
            "nothing": case.seal.close({}, case.row.id),
        },
        execution_options={"unscoped_because": "the function checks the trust, and that two people agreed"},
    )
    db.session.expire_all()


def answer(actor: Actor, *, ask_id: UUID, agree: bool, reason: str, now: datetime) -> DisposalAsk:
    """Agree that a case is disposed of, or refuse with a reason. Whoever refuses is asked again in a year.

    Whoever lost the post for which they were asked, or stands in no more, finds nothing.
    """
    with unit_of_work() as uow:
        row = db.session.scalars(
            select(DisposalAsk).where(DisposalAsk.id == ask_id).with_for_update()
        ).one_or_none()
        if row is None or row.person_id != actor.person_id or not stand_ins.still_asked(actor, [row]):
            raise NotFound()
        if row.ended_at is not None or row.answer:
            raise RuleBroken("This was answered already.")
        words = reason.strip()
        if not agree and not words:
            raise RuleBroken("Say why it has to be kept.", "reason")
        row.answer, row.reason, row.answered_at = ("agreed" if agree else "refused"), words[:400], now
        uow.announce(Event.CASE_DISPOSAL_ANSWERED, ask_id=row.id)
    return row


def follow(*, ask_id: UUID, now: datetime) -> None:
    """The job after an answer: a refusal keeps the case for another year; the second consent disposes of it."""
    with unit_of_work():
        row = db.session.scalars(select(DisposalAsk).where(DisposalAsk.id == ask_id)).one_or_none()
        if row is None or row.ended_at is not None:
            return
        case_id, refused = row.case_id, row.answer == "refused"
        if refused:
            case = cases.get_case(case_id, lock=True)
            for one in _open_asks(case_id):
                one.ended_at = now
            kept = db.session.scalars(select(WorkflowCase).where(WorkflowCase.id == case_id)).one()
            kept.keep_until = keeping.years_after(day_of(now), 1)
            chain.record(
                case.seal, case_id, "kept", actor_id=row.person_id, now=now, said="decided that it is kept longer",
                comment=row.reason,
            )  # fmt: skip
    if not refused:
        ask(case_id=case_id, now=now)
