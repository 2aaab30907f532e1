"""Jobs and the outbox: PostgreSQL is the memory, RQ is the hands.

`@job` registers a function for an event. Announcing the event in a unit of work writes one outbox row per job, in the
same transaction. The relay leases rows and rings RQ; the worker locks the row, does the work and marks it done in one
transaction. So the queue server may be emptied at any moment, and every effect still happens exactly once.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID, uuid4

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import select, text

from trustportal.db import Scope, UnitOfWork, current_scope, db, on_announcements, scope, unit_of_work
from trustportal.kernel_models import Outbox

log = logging.getLogger(__name__)

QUEUES = ("default", "documents", "mail")
#: How long a leased row waits for its worker before it is rung again. Longer than the longest job.
LEASE_SECONDS = 60
#: After so many failures a row is parked: it shows as a fault in /healthz and is retried by hand.
MAX_ATTEMPTS = 8


class Event(StrEnum):
    """Everything that may be announced."""

    ABSENCE_CHANGED = "absence.changed"
    ACCOUNT_MAIL = "account.mail"
    ANCHORS_DUE = "anchors.due"
    ANSWERS_ENDED = "answers.ended"
    ARCHIVE_ANSWERED = "archive.answered"
    ARCHIVE_ASKED = "archive.asked"
    ARCHIVE_STEP = "archive.step"
    APPROVAL_ASKED = "approval.asked"
    APPROVAL_ENDED = "approval.ended"
    APPROVAL_RATIFIED = "approval.ratified"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGN_OPENED = "campaign.opened"
    CERTIFICATE_WANTED = "certificate.wanted"
    CONSULTATION_CLOSED = "consultation.closed"
    CONSULTATION_OPENED = "consultation.opened"
    CASE_DEADLINE = "case.deadline"
    CASE_DISPOSAL = "case.disposal"
    CASE_DISPOSAL_ANSWERED = "case.disposal_answered"
    CASE_DOCUMENT = "case.document"
    CASE_MORE = "case.more"
    CASES_ANCHORED = "cases.anchored"
    CASES_STAMP_WANTED = "cases.stamp_wanted"
    CASE_ROUTE = "case.route"
    CASE_SENT = "case.sent"
    DAY_BEGAN = "day.began"
    DEADLINES_DUE = "deadlines.due"
    DRAFT_PDF_WANTED = "draft_pdf.wanted"
    EDITION_APPROVED = "edition.approved"
    EDITION_IN_FORCE = "edition.in_force"
    EVIDENCE_STEP = "evidence.step"
    GUIDANCE_REVIEW_OPENED = "guidance_review.opened"
    IMPORT_WAITS = "import.waits"
    INVITATION_MADE = "invitation.made"
    JOINING_PREPARED = "joining.prepared"
    MAIL_QUEUED = "mail.queued"
    MEMBERSHIP_CHANGED = "membership.changed"
    NOTICE_WRITTEN = "notice.written"
    OUTSIDE_DOCUMENT_RECORDED = "outside_document.recorded"
    PDF_STORED = "pdf.stored"
    PLACE_TO_ASSIGN = "place.to_assign"
    PLACE_TO_FORESEE = "place.to_foresee"
    PLACE_TO_REBASE = "place.to_rebase"
    PLACEHOLDER_CHANGED = "placeholder.changed"
    POLICY_WITHDRAWN = "policy.withdrawn"
    QUESTION_ANSWERED = "question.answered"
    QUESTION_ASKED = "question.asked"
    RECONCILE_DUE_CHANGED = "reconcile.due_changed"
    RECONCILE_FORCED = "reconcile.forced"
    RECONCILE_OPENED = "reconcile.opened"
    REDLINE_WANTED = "redline.wanted"
    REGISTER_CHECK = "register.check"
    REMINDERS_DUE = "reminders.due"
    SCHOOL_CREATED = "school.created"
    SCHOOL_STARTED = "school.started"
    SIGNATURE_GIVEN = "signature.given"
    STAND_IN_NAMED = "stand_in.named"
    TIE_CHANGED = "tie.changed"
    STAMP_WANTED = "stamp.wanted"
    VERSION_APPROVED = "version.approved"
    VERSION_PUBLISHED = "version.published"
    VERSION_SUBMITTED = "version.submitted"


F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Registered:
    """A job that may run: its name, its queue, its function. Anything else that arrives is refused."""

    name: str
    queue: str
    function: Callable[..., None]
    event: str
    #: An effect outside the database (mail): it manages its own transactions and happens at least once.
    outside: bool


REGISTRY: dict[str, Registered] = {}
_by_event: dict[str, list[Registered]] = defaultdict(list)


def job(queue: str, on: Event, *, outside: bool = False) -> Callable[[F], F]:
    """Register a function for an event: `@job("documents", on=Event.EDITION_APPROVED)`.

    The function takes the announced ids as keyword strings, belongs to one trust (the scope's), and may run twice
    without harm. It runs inside the transaction that marks its outbox row as done, unless it acts `outside`.
    """
    if queue not in QUEUES:
        raise ValueError(f"no worker listens to the queue {queue!r}")

    def register(function: F) -> F:
        name = f"{function.__module__.removeprefix('trustportal.')}.{function.__name__}"
        registered = Registered(name, queue, function, str(on), outside)
        REGISTRY[name] = registered
        _by_event[str(on)].append(registered)
        return function

    return register


def outbox_rows(
    event: str, ids: Mapping[str, str], *, not_before: datetime | None = None
) -> list[dict[str, Any]]:
    """The outbox rows of an announcement, one for each job that is registered for it: for whoever writes them with
    their own rows, in one statement.
    """
    now = datetime.now(UTC)
    return [
        {
            "id": uuid4(),
            "event": str(event),
            "job": registered.name,
            "queue": registered.queue,
            "payload": dict(ids),
            "created_at": now,
            "not_before": not_before or now,
            "attempts": 0,
        }
        for registered in _by_event.get(str(event), ())
    ]


def _write_announcements(unit: UnitOfWork) -> None:
    if not unit.announcements:
        return
    for event, ids, options in unit.announcements:
        db.session.add_all(Outbox(**row) for row in outbox_rows(event, ids, not_before=options["not_before"]))
    unit.announcements.clear()


on_announcements(_write_announcements)


# -- the worker's side -------------------------------------------------------------------------------------------


class OurJob(Job):
    """An RQ job that can only be `perform`: a JSON job that names anything else is refused before it is imported."""

    @property
    def func(self) -> Any:
        if self.func_name != "trustportal.jobs.perform":
            raise PermissionError("this queue runs the portal's own jobs only")
        return perform

    # RQ imports and calls these by the name that the queue gives, whatever became of the job: ours have none.
    success_callback = failure_callback = stopped_callback = None


def perform(outbox_id: str, trust_id: str) -> None:
    """Do the work of one outbox row, once. Called by RQ workers; harmless when called again."""
    with scope(Scope.job(UUID(trust_id))):
        try:
            _perform(UUID(outbox_id))
        except Exception as error:
            # Not only rolled back: what the job had in mind must not be written with the note of its failure.
            db.session.remove()
            _note_failure(UUID(outbox_id), type(error).__name__)
            # The traceback goes to the log without locals; ids only are in it.
            log.exception("job failed", extra={"outbox_id": outbox_id})


def _perform(outbox_id: UUID) -> None:
    with unit_of_work():
        row = db.session.scalars(select(Outbox).where(Outbox.id == outbox_id).with_for_update()).one_or_none()
        if row is None or row.done_at is not None or row.failed_at is not None:
            return
        registered = REGISTRY.get(row.job)
        if registered is None:
            raise PermissionError("not a registered job")
        if not registered.outside:
            registered.function(**row.payload)
            row.done_at = datetime.now(UTC)
            return
        payload = dict(row.payload)
    registered.function(**payload)
    with unit_of_work():
        row = db.session.scalars(select(Outbox).where(Outbox.id == outbox_id).with_for_update()).one()
        row.done_at = datetime.now(UTC)


def _note_failure(outbox_id: UUID, kind: str) -> None:
    with unit_of_work():
        row = db.session.scalars(select(Outbox).where(Outbox.id == outbox_id).with_for_update()).one_or_none()
        if row is None or row.done_at is not None:
            return
        now = datetime.now(UTC)
        row.attempts += 1
        row.last_error = kind[:120]
        if row.attempts >= MAX_ATTEMPTS:
            row.failed_at = now
        else:
            row.dispatched_at = None
            row.not_before = now + timedelta(seconds=min(600, 2**row.attempts))


# -- the relay's side --------------------------------------------------------------------------------------------


def queue(connection: Redis, name: str) -> Queue:
    """One of the portal's queues, JSON only."""
    return Queue(name, connection=connection, serializer=JSONSerializer, job_class=OurJob)


def relay(connection: Redis, *, limit: int = 100) -> int:
    """Lease what is due and ring RQ for it. Returns how many rows were rung; raises RedisError when it cannot ring.

    A row is leased before it is rung: if ringing fails, or the queue server forgets, the lease runs out and the row
    is rung again.
    """
    leased = db.session.execute(
        text("SELECT id, trust_id, queue FROM lease_outbox(:limit, :seconds)"),
        {"limit": limit, "seconds": LEASE_SECONDS},
        execution_options={"unscoped_because": "the relay serves all trusts; the function returns ids only"},
    ).all()
    db.session.commit()
    try:
        for row in leased:
            queue(connection, row.queue).enqueue_call(
                perform,
                args=(str(row.id), str(row.trust_id)),
                job_id=f"{row.id}",
                result_ttl=0,
                failure_ttl=0,
                timeout=LEASE_SECONDS - 5,
            )
    except RedisError:
        give_back([row.id for row in leased])
        raise
    return len(leased)


def give_back(ids: list[UUID]) -> None:
    """Return leases that could not be rung, so that they are rung as soon as the queue server is back."""
    db.session.execute(
        text("SELECT release_outbox(CAST(:ids AS uuid[]))"),
        {"ids": "{" + ",".join(map(str, ids)) + "}"},
        execution_options={"unscoped_because": "the relay serves all trusts; the function takes ids only"},
    )
    db.session.commit()


def run_inline(limit: int = 20_000, *, queues: Sequence[str] = QUEUES) -> int:
    """Do everything that is due in the trust of the scope, without RQ. For loading the demonstration, and tests."""
    value = current_scope()
    if value is None:
        raise RuntimeError("no scope")
    done = 0
    while done < limit:
        row = db.session.scalars(
            select(Outbox)
            .where(
                Outbox.done_at.is_(None),
                Outbox.failed_at.is_(None),
                Outbox.not_before <= datetime.now(UTC),
                Outbox.queue.in_(queues),
            )
            .order_by(Outbox.created_at)
            .limit(1)
        ).first()
        db.session.rollback()
        if row is None:
            return done
        _perform(row.id)
        done += 1
    raise RuntimeError("the outbox does not drain")
