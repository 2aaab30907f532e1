"""Cases and what belongs to them; whoever imports this module has every table of workflows.

Rows of a case are shown to the web only when the person of the scope takes part in the case: PostgreSQL sees to it
(`Reach.CASE` in `trustportal.protection`). Everything that people wrote in a case is sealed with the trust's own key
(`workflows.sealing`). Case tables have no server defaults: reading back a new row would be refused.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustOwned, TrustRow, points_at
from trustportal.workflows.anchors import CaseAnchor as CaseAnchor
from trustportal.workflows.anchors import CaseStamp as CaseStamp
from trustportal.workflows.definition_models import SchoolBreak as SchoolBreak
from trustportal.workflows.definition_models import Tie as Tie
from trustportal.workflows.definition_models import TrustKey as TrustKey
from trustportal.workflows.definition_models import WorkflowDefinition as WorkflowDefinition
from trustportal.workflows.definition_models import WorkflowOverride as WorkflowOverride
from trustportal.workflows.definition_models import WorkflowVersion as WorkflowVersion
from trustportal.workflows.register_models import RegisterEntry as RegisterEntry
from trustportal.workflows.register_models import RegisterFlag as RegisterFlag
from trustportal.workflows.register_models import RegisterPerson as RegisterPerson

#: How the kinds of deadlines begin from which the clock knows that a late step goes upwards: the tier follows.
ESCALATE = "escalate-"
#: How somebody takes part who sees an earlier case because of a later one about the same person. They change nothing in
#: it, and nobody else sees that they see it: that would say that there is a later one.
PATTERN = "pattern"


class CaseIntake(TrustRow):
    """A form that is being filled in, or was sent and waits for the job that opens the case; then it is gone.

    Seen by who writes it (`person_id` None: by nobody), and by jobs.
    """

    __tablename__ = "case_intake"
    __rules__ = (
        points_at("person", "person_id"),
        points_at("school", "school_id"),
        points_at("workflow_version", "version_id"),
        Index("ix_case_intake_person", "trust_id", "person_id"),
    )

    person_id: Mapped[UUID | None]
    school_id: Mapped[UUID]
    version_id: Mapped[UUID]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: draft, sent
    state: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class WorkflowCase(TrustRow):
    """A case. `sealed`: the answers to its form. Its reference is random: no number says how many there are."""

    __tablename__ = "workflow_case"
    __rules__ = (
        points_at("school", "school_id"),
        points_at("workflow_version", "version_id"),
        points_at("person", "starter_id"),
        UniqueConstraint("trust_id", "reference", name="uq_workflow_case_reference"),
        Index("ix_workflow_case_school", "trust_id", "school_id", "closed_at"),
    )

    school_id: Mapped[UUID]
    version_id: Mapped[UUID]
    reference: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(60))
    starter_id: Mapped[UUID | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: Counts changes: a form that was opened before somebody else changed the case is not taken.
    revision: Mapped[int]
    #: How often the present state was entered: tells one visit's tasks and deadlines from another's.
    visit: Mapped[int]
    #: By when its payloads are disposed of; None while it is open.
    keep_until: Mapped[date | None]
    legal_hold: Mapped[bool]


class _OfCase(TrustRow):
    """A row of one case."""

    __abstract__ = True
    case_id: Mapped[UUID]


class CaseParticipant(_OfCase):
    """Somebody who sees a case. Only jobs add and end them, after routing."""

    __tablename__ = "case_participant"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "person_id"),
        Index("ix_case_participant_person", "trust_id", "person_id", postgresql_where="until_at IS NULL"),
        Index(
            "uq_case_participant_one",
            "trust_id",
            "case_id",
            "person_id",
            "part",
            unique=True,
            postgresql_where="until_at IS NULL",
        ),
    )

    person_id: Mapped[UUID]
    #: starter, acts, watches
    part: Mapped[str] = mapped_column(String(20))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    #: recused, replaced, left, subject
    because: Mapped[str | None] = mapped_column(String(20))


class CaseSubject(_OfCase):
    """Somebody whom a case is about: they see nothing of it, whatever else they are, from this row on."""

    __tablename__ = "case_subject"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "person_id"),
        UniqueConstraint("trust_id", "case_id", "person_id", name="uq_case_subject_person"),
    )

    person_id: Mapped[UUID]
    added_at: Mapped[datetime]


class CaseTask(_OfCase):
    """What one seat has to do in one visit of a state. Without assignees it is being given out, or found nobody."""

    __tablename__ = "case_task"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "done_by"),
        UniqueConstraint("trust_id", "case_id", "visit", "seat", name="uq_case_task_seat"),
        Index("ix_case_task_open", "trust_id", "case_id", postgresql_where="ended_at IS NULL"),
    )

    state: Mapped[str] = mapped_column(String(60))
    seat: Mapped[str] = mapped_column(String(60))
    visit: Mapped[int]
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]
    #: Whom somebody asked to have it (reassigned, standing in), before the rules are tried.
    wanted_id: Mapped[UUID | None]
    #: Since when nobody can get it.
    stuck_at: Mapped[datetime | None]


class CaseAssignee(_OfCase):
    """Somebody who may do a task. Only jobs make and end them, after routing."""

    __tablename__ = "case_assignee"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("case_task", "task_id"),
        points_at("person", "person_id"),
        Index("ix_case_assignee_person", "trust_id", "person_id", postgresql_where="until_at IS NULL"),
        Index(
            "uq_case_assignee_one",
            "trust_id",
            "task_id",
            "person_id",
            unique=True,
            postgresql_where="until_at IS NULL",
        ),
    )

    task_id: Mapped[UUID]
    person_id: Mapped[UUID]
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class CaseRecusal(_OfCase):
    """Somebody who stepped back from a case: no rule gives them anything in it again."""

    __tablename__ = "case_recusal"
    __rules__ = (points_at("workflow_case", "case_id"), points_at("person", "person_id"))

    person_id: Mapped[UUID]
    at: Mapped[datetime]


class CaseDeadline(_OfCase):
    """A day on which something about a visit of a state is due: a reminder, or its end. The clock looks for them."""

    __tablename__ = "case_deadline"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        UniqueConstraint("trust_id", "case_id", "visit", "kind", name="uq_case_deadline_kind"),
        Index("ix_case_deadline_due", "trust_id", "due_on", postgresql_where="ended_at IS NULL"),
    )

    state: Mapped[str] = mapped_column(String(60))
    visit: Mapped[int]
    #: remind, day (on the day itself), due, escalate-1, escalate-2 and so on
    kind: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date]
    fired_at: Mapped[datetime | None]
    #: Fired, or the state was left before.
    ended_at: Mapped[datetime | None]


class CaseEscalation(_OfCase):
    """To whom a late step went upwards, and when; without a person: there was nobody left, and an alarm was raised.

    Only jobs add them. `tier`: how often it went up in this visit.
    """

    __tablename__ = "case_escalation"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "person_id"),
        Index(
            "uq_case_escalation_once",
            "trust_id",
            "case_id",
            "visit",
            "tier",
            "person_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    person_id: Mapped[UUID | None]
    visit: Mapped[int]
    tier: Mapped[int]
    at: Mapped[datetime]


class CaseSignature(_OfCase):
    """That somebody signed a form as it stood. A changed form voids it; it stays to be seen."""

    __tablename__ = "case_signature"
    __rules__ = (points_at("workflow_case", "case_id"), points_at("person", "person_id"))

    state: Mapped[str] = mapped_column(String(60))
    seat: Mapped[str] = mapped_column(String(60))
    person_id: Mapped[UUID]
    person_name: Mapped[str] = mapped_column(String(200))
    role_label: Mapped[str] = mapped_column(String(200))
    statement: Mapped[str] = mapped_column(String(400))
    #: SHA-256 over the definition's version and the answers as they were signed.
    content_hash: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[datetime]
    method: Mapped[str] = mapped_column(String(40))
    voided_at: Mapped[datetime | None]


class CaseNote(_OfCase):
    """A note of somebody who takes part, for the others who do."""

    __tablename__ = "case_note"
    __rules__ = (points_at("workflow_case", "case_id"), points_at("person", "author_id"))

    author_id: Mapped[UUID | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[datetime]


class CaseDocument(_OfCase):
    """A letter, or the signed form: its words sealed, and its PDF, which is made once."""

    __tablename__ = "case_document"
    __rules__ = (
        points_at("workflow_case", "case_id"),
        points_at("person", "to_id"),
        UniqueConstraint("trust_id", "case_id", "visit", "key", name="uq_case_document_key"),
    )

    #: A letter's key, or "form".
    key: Mapped[str] = mapped_column(String(60))
    visit: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    to_id: Mapped[UUID | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    made_at: Mapped[datetime | None]
    written_at: Mapped[datetime]


class CaseEvent(TrustOwned):
    """One link of a case's own chain: nothing of it lies in the trust's. Appended by a function of the database."""

    __tablename__ = "case_event"
    __table_args__ = (
        ForeignKeyConstraint(["trust_id"], ["trust.id"]),
        points_at("workflow_case", "case_id"),
        UniqueConstraint("trust_id", "id", name="uq_case_event_trust"),
    )
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(60))
    actor_id: Mapped[UUID | None]
    entry: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class CaseEventPayload(TrustOwned):
    """What an event of a case says, sealed. The chain holds only its salted hash, so that it can be disposed of."""

    __tablename__ = "case_event_payload"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]), points_at("workflow_case", "case_id"))
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class CaseHead(TrustOwned):
    """Where a case's chain ends: finds truncation."""

    __tablename__ = "case_head"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]), points_at("workflow_case", "case_id"))
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class Alarm(TrustRow):
    """That something waits which nobody can receive: for the clerk, without a word of what, where or about whom."""

    __tablename__ = "alarm"
    __rules__ = (
        points_at("person", "person_id"),
        Index("ix_alarm_person", "trust_id", "person_id", postgresql_where="cleared_at IS NULL"),
    )

    person_id: Mapped[UUID]
    #: Which task found nobody; an id that opens nothing.
    task_id: Mapped[UUID]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]


# Tables that lie in modules of their own, so that whoever imports this one has them all.
from trustportal.workflows import allegation_models as allegation_models  # noqa: E402
from trustportal.workflows import meeting_models as meeting_models  # noqa: E402
