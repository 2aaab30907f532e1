"""Asking for an archive, and the two who agree to one with cases.

The same two posts are asked whatever cases there are. Nobody is passed over because of one, and nothing that anybody is
told depends on one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import Actor, Permission, Role
from trustportal.archives import mail as wording
from trustportal.archives import queries
from trustportal.archives.chapters import chapters
from trustportal.archives.domain import DECIDE_WITHIN, SEATS, Seat, choose_two
from trustportal.archives.models import Archive, ArchiveConsent
from trustportal.audit import Action
from trustportal.db import db, one_at_a_time, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


def ask(actor: Actor, *, school_id: UUID | None, with_cases: bool, reason: str, now: datetime) -> Archive:
    """Ask for an archive of the trust or of one school. One with cases waits for two people; any other is begun.

    One is made at a time, and one with cases decided about.
    """
    actor.require(Permission.ARCHIVE_ASK)
    if actor.person_id is None:
        raise NotFound()
    words = " ".join(reason.split())
    if not words or len(words) > 400:
        raise RuleBroken("Say why, in up to 400 characters.", "reason")
    with unit_of_work() as uow:
        one_at_a_time("ask for an archive")
        if school_id is not None:
            tenants.get_school(school_id)
        if queries.find_in_state("making") is not None:
            raise RuleBroken("An archive is being made already. Wait until it is there.")
        if with_cases and queries.find_in_state("waiting") is not None:
            raise RuleBroken("An archive with case records waits for two people already.", "with_cases")
        if with_cases and _two(actor.person_id, now) is None:
            raise RuleBroken(
                "Two people have to agree to case records: the data protection officer and the chair of the trust"
                " board. They must be two different people, and neither of them you. Fill both posts first.",
                "with_cases",
            )
        archive = Archive(
            id=uuid4(),
            school_id=school_id,
            with_cases=with_cases,
            reason=words,
            asked_by=actor.person_id,
            asked_at=now,
            decide_until=now + DECIDE_WITHIN,
            state="waiting" if with_cases else "making",
            total=len(chapters(with_cases=with_cases)),
            collector_id=None if with_cases else actor.person_id,
        )
        db.session.add(archive)
        audit.record(
            actor,
            Action.ARCHIVE_ASKED,
            now=now,
            archive_id=archive.id,
            school_id=school_id,
            with_cases=with_cases,
        )
        if with_cases:
            uow.announce(Event.ARCHIVE_ASKED, archive_id=archive.id)
        else:
            uow.announce(Event.ARCHIVE_STEP, archive_id=archive.id, after="")
    return archive


def _two(asked_by: UUID, now: datetime) -> tuple[UUID, UUID] | None:
    today = day_of(now)
    return choose_two(
        tenants.people_with_role(SEATS[Seat.DPO], on=today),
        tenants.people_with_role(SEATS[Seat.CHAIR], on=today),
        asked_by,
    )


def withdraw(actor: Actor, *, archive_id: UUID, now: datetime) -> None:
    """Take a request back that waits; whoever asked does."""
    actor.require(Permission.ARCHIVE_ASK)
    with unit_of_work():
        archive = queries.get_archive(archive_id, lock=True)
        if archive.asked_by != actor.person_id:
            raise NotFound()
        if archive.state != "waiting":
            raise RuleBroken("It was decided already.")
        archive.state, archive.ended_at = "withdrawn", now
        audit.record(
            actor,
            Action.ARCHIVE_REMOVED,
            now=now,
            archive_id=archive_id,
            school_id=archive.school_id,
            because="withdrawn",
        )


def ask_two(*, archive_id: UUID, now: datetime) -> None:
    """The job: ask the two. Each gets a row that only they and jobs see."""
    with unit_of_work():
        archive = queries.get_archive(archive_id, lock=True)
        if archive.state != "waiting" or queries.list_consents(archive_id):
            return
        two = _two(archive.asked_by, now)
        if two is None:
            end(archive, "lapsed", now=now)
            return
        slug = tenants.get_trust().slug
        for seat, person_id in zip((Seat.DPO, Seat.CHAIR), two, strict=True):
            db.session.add(
                ArchiveConsent(
                    id=uuid4(),
                    archive_id=archive_id,
                    person_id=person_id,
                    seat=str(seat),
                    asked_at=now,
                    answer="",
                    reason="",
                )
            )
            message = wording.asked(trust_slug=slug, until=archive.decide_until)
            notify(person_id, subject=message.subject, body=message.body, path=message.path)


def answer(actor: Actor, *, archive_id: UUID, agree: bool, reason: str, now: datetime) -> ArchiveConsent:
    """Agree to one request for case records, or refuse it. Whoever was not asked, or lost the post, finds nothing."""
    actor.require(Permission.ARCHIVE_AGREE)
    with unit_of_work() as uow:
        consent = queries.find_consent(archive_id, actor.person_id, lock=True)
        if consent is None or SEATS[Seat(consent.seat)] not in actor.trust_roles:
            raise NotFound()
        archive = queries.get_archive(archive_id)
        if consent.answer or archive.state != "waiting":
            raise RuleBroken("This was decided already.")
        if archive.decide_until <= now:
            raise RuleBroken("The time to decide is over. It has to be asked for again.")
        words = reason.strip()
        if not agree and not words:
            raise RuleBroken("Say why not, in a sentence.", "reason")
        consent.answer, consent.reason, consent.answered_at = (
            "agreed" if agree else "refused",
            words[:400],
            now,
        )
        audit.record(
            actor,
            Action.ARCHIVE_ANSWERED,
            now=now,
            archive_id=archive_id,
            seat=consent.seat,
            answer=consent.answer,
        )
        uow.announce(Event.ARCHIVE_ANSWERED, archive_id=archive_id)
    return consent


def follow(*, archive_id: UUID, now: datetime) -> None:
    """The job after an answer: one refusal ends the request; the second agreement begins the archive."""
    with unit_of_work() as uow:
        archive = queries.get_archive(archive_id, lock=True)
        if archive.state != "waiting":
            return
        answers = {one.seat: one for one in queries.list_consents(archive_id)}
        if any(one.answer == "refused" for one in answers.values()):
            end(archive, "refused", now=now)
            return
        if any(one.answer != "agreed" for one in answers.values()) or len(answers) != len(SEATS):
            return
        if not still_agreed(archive, now):
            end(archive, "lapsed", now=now)
            return
        archive.state, archive.collector_id = "making", answers[Seat.DPO].person_id
        uow.announce(Event.ARCHIVE_STEP, archive_id=archive_id, after="")


def still_agreed(archive: Archive, now: datetime) -> frozenset[UUID]:
    """The two whose agreement holds: both agreed to this very request in time, hold their posts today, and neither of
    them asked for it. Nobody, where any of that fails. (PostgreSQL looks at the same rows again.)
    """
    if archive.decide_until <= now:
        return frozenset()
    today, found = day_of(now), set()
    for one in queries.list_consents(archive.id):
        held: Role = SEATS[Seat(one.seat)]
        if one.answer == "agreed" and one.person_id in tenants.people_with_role(held, on=today):
            found.add(one.person_id)
    found.discard(archive.asked_by)
    return frozenset(found) if len(found) == len(SEATS) else frozenset()


def end(archive: Archive, state: str, *, now: datetime) -> None:
    """End a request in the open unit of work, and tell who asked."""
    archive.state, archive.ended_at = state, now
    message = wording.ended(trust_slug=tenants.get_trust().slug, archive_id=archive.id, state=state)
    notify(archive.asked_by, subject=message.subject, body=message.body, path=message.path)
