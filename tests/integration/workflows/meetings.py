"""A school with a policy in force, an account in its register, and a parent's post about it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from tests.integration.policies.given import publish, run_quick_jobs
from tests.integration.workflows.conftest import Office
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.policies.domain.clauses import Clause, Kind, NumberingStyle, Tree
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.services import drafts
from trustportal.times import now, today
from trustportal.workflows.models import CaseDocument, RegisterEntry, WorkflowCase
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import clauses
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import deadlines, starting

KEY = "parent-meeting"
TREE: Tree = (
    Clause("parents", None, Kind.SECTION, "Parents"),
    Clause("others", "parents", Kind.CLAUSE, "Comments about others", "Parents write about nobody online."),
)


def a_post(**instead: Any) -> dict[str, Any]:
    """What a parent wrote, as somebody reports it."""
    return {
        "about_whom": "no",
        "about": [],
        "seen_on": (today() - timedelta(days=1)).isoformat(),
        "platform": "Picturegram",
        "page": "Parents of Ashgrove",
        "words": "The school lies about the trip.",
        "source": "Mrs Holt showed it",
        "parent_name": "Ms R Calder",
        "identity": "confirmed",
        "parent_address": "4 Mill Lane\nLarkfield",
        "parent_reached": "01632 960001",
        "child": "Robin Calder",
        "household": "one",
        "pupils": "Noor Aziz, Ben Pike",
        **instead,
    }


class Quiet(World):
    """A world in which PDFs are made only where a test asks for them."""

    def run_jobs(self) -> int:
        """Everything due but the documents."""
        run_quick_jobs(self)
        return 0


class Parents(Office):
    """The office, with what a meeting with a parent needs."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.board = world.person("Bram Board", Role.CHAIR_OF_TRUST_BOARD)
        second = world.person("Una Trustee", Role.TRUSTEE)
        header = PolicyHeader(
            "Social media policy",
            person_responsible="Trust network manager",
            approving_body="Board of trustees",
        )
        with world.acting(world.manager) as actor:
            version = drafts.create_policy(
                actor,
                header=header,
                numbering=NumberingStyle.DECIMAL,
                tree=TREE,
                now=now() - timedelta(days=1),
            )
            version_id = version.id
        publish(world, (self.trustee, second), version_id, {})
        with world.acting(self.head):
            offered = clauses.list_choosable(self.school.id, today())
        self.clause = next(value for value, words in offered if "Comments about others" in words)
        with self.behind(), unit_of_work():
            self.account = self._account()

    def _account(self) -> UUID:
        row = RegisterEntry(
            id=uuid4(),
            school_id=self.school.id,
            name="Our page",
            platform="Picturegram",
            official_email="page@ashgrove.example",
            purpose="News",
            go_live_on=today(),
            review_on=today() + timedelta(days=100),
            closes_on=today() + timedelta(days=300),
            created_at=now(),
        )
        db.session.add(row)
        return row.id

    def post(self, **instead: Any) -> dict[str, Any]:
        """What was seen, as somebody reports it."""
        return a_post(**{"clauses": [self.clause], **instead})

    def report(self, by: Someone | None = None, **instead: Any) -> UUID:
        """Somebody reports a post; the job opens the case."""
        return self.send(by or self.teacher, KEY, **self.post(**instead))

    def reported(self) -> list[UUID]:
        """Every case, in the order in which it was opened."""
        with self.behind():
            return list(db.session.scalars(select(WorkflowCase.id).order_by(WorkflowCase.opened_at)))

    def meeting(self, **instead: Any) -> dict[str, Any]:
        """What an invitation says."""
        return {
            "meeting_on": (today() + timedelta(days=10)).isoformat(),
            "meeting_at": "15:45",
            "meeting_for": "45",
            "place": "The head’s office",
            "attends": [str(self.head.id), str(self.deputy.id)],
            "note_taker": str(self.office.id),
            "concern": "A post says that the school lies about the trip.",
            "interim": "Please take the post down until we have met.",
            "contact": "Bo Manager, 01632 960002, office@ashgrove.example",
            "needs": "",
            "sent_how": "post",
            **instead,
        }

    def restriction(self, **instead: Any) -> dict[str, Any]:
        """A decision to restrict."""
        return {
            "outcome": "restriction",
            "reasons": "The comments went on after we had met.",
            "accounts": [str(self.account)],
            "removed": ["comment"],
            "review_on": (today() + timedelta(days=60)).isoformat(),
            "proportion": "Deleting single comments did not help.",
            "equality": "No disability is known; letters are large enough to read.",
            "channel": "Letters, and the office’s e-mail",
            "channel_tried": "yes",
            **instead,
        }

    def invited(self, case_id: UUID, by: Someone | None = None, **instead: Any) -> None:
        """Read, and invited a first time."""
        who = by or self.head
        self.go_on(case_id, who)
        self.act(who, case_id, "invite", **self.meeting(**instead))

    def go_on(
        self, case_id: UUID, by: Someone | None = None, *, triage: str = "meeting", repeat: str = "no"
    ) -> None:
        """Somebody senior says what it is."""
        self.act(by or self.head, case_id, "go_on", triage=triage, repeat=repeat, clauses=[self.clause])

    def day_comes(self, case_id: UUID) -> None:
        """The meeting is today."""
        with self.behind(), unit_of_work():
            case = queries.get_case(case_id, lock=True)
            case.row.sealed = case.seal.close({**case.values, "meeting_on": today().isoformat()}, case_id)

    def letters(self, case_id: UUID) -> list[dict[str, Any]]:
        """What every letter and calendar file says, in the order of writing."""
        with self.behind():
            seal = Seal.of_trust()
            rows = db.session.scalars(
                select(CaseDocument).where(CaseDocument.case_id == case_id).order_by(CaseDocument.written_at)
            )
            return [{"key": one.key, "id": one.id, **seal.open(one.sealed, one.id)} for one in rows]

    def letter(self, case_id: UUID, key: str) -> dict[str, Any]:
        """The newest letter of a kind."""
        return [one for one in self.letters(case_id) if one["key"] == key][-1]

    def passes(self, day: date) -> None:
        """What the clock does on a day, run twice."""
        at = datetime.combine(day, time(9), tzinfo=UTC)
        with self.behind():
            due = queries.list_due_deadlines(day)
        for deadline_id in due:
            for _ in range(2):
                with self.behind():
                    deadlines.fire(deadline_id=deadline_id, now=at)
        self.world.run_jobs()

    def state(self, case_id: UUID) -> str:
        """Where it is."""
        return self.case(case_id).row.state

    def draft(self, by: Someone, **instead: Any) -> UUID:
        """A report that is begun."""
        with self.world.acting(by) as actor:
            return starting.save_draft(
                actor, school_id=self.school.id, key=KEY, given=self.post(**instead), now=now()
            ).id
