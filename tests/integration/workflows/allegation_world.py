"""A trust with everybody whom an allegation may meet, and what they do in one."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from tests.integration.conftest import PortalClient
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.times import now, today
from trustportal.workflows.models import Tie, WorkflowCase

WORDS = "He took her by the arm in the corridor and shouted."
#: Answers of the records that a step may ask for.
RECORDS: dict[str, dict[str, Any]] = {
    "lado": {
        "officer": "Lana Officer", "authority": "Northshire", "at": "14:20", "reference": "N-17",
        "advice": "Gather facts.", "actions": "A strategy meeting on Friday.", "may_be_told": "Nobody yet.",
    },
    "alternative": {"decision": "rejected", "why": "There is only one corridor."},
    "suspension": {"why": "No alternative does.", "agreed_with": "The LADO", "contact": "Hetty Resource"},
    "confirmation": {"how": "By hand"},
    "suspension_ends": {"why": "They return to Year 4."},
    "employer": {"who": "Bright Supply, Sal", "agreed": "They are told what is decided."},
    "told": {"whom": "subject", "what": "That there is an allegation.", "agreed_with": "The LADO"},
    "welfare": {"what": "The DSL spoke with her.", "by": "Dee Safeguarding"},
    "evidence": {"what": "CCTV of the corridor", "where": "The office", "custodian": "Bo Manager"},
    "referral": {"to": "dbs", "reference": "D-1", "why": "Removed from regulated activity."},
}  # fmt: skip
OUTCOME = {
    "outcome": "substantiated",
    "rationale": "Two people saw it.",
    "employment": "warned",
    "dbs": "not_met",
    "dbs_why": "Nobody was removed.",
    "tra": "not_met",
    "lessons": "The corridor is watched at break.",
}
FILE = {"reference": "no", "summary": "What was alleged, and how it ended."}


class Trust(Office):
    """The office with those above it, and reports as people send them."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.vice = world.person("Vera Vice", (Role.VICE_CHAIR_OF_GOVERNORS, self.school))
        self.board = world.person("Bea Board", Role.CHAIR_OF_TRUST_BOARD)
        self.vice_board = world.person("Victor Board", Role.VICE_CHAIR_OF_TRUST_BOARD)
        self.hr = world.person("Hetty Resource", Role.HR_LEAD)
        self.dpo = world.person("Dora Protect", Role.DPO)
        world.run_jobs()

    def words(self, *about: Someone, **instead: Any) -> dict[str, Any]:
        """A report as a browser sends it."""
        return {
            "f_about": [str(one.id) for one in about],
            "f_involved": "no",
            "f_what": WORDS,
            "f_capacity": "saw",
            "f_no_images": "y",
            **{f"f_{key}": value for key, value in instead.items()},
        }

    def url(self) -> str:
        """Where people of the school report."""
        return self.world.url(f"schools/{self.school.slug}/concerns")

    def case_ids(self) -> set[UUID]:
        """Every case there is."""
        with self.behind():
            return set(db.session.scalars(select(WorkflowCase.id)))

    def report(self, client: PortalClient, *about: Someone, **instead: Any) -> UUID:
        """Send a report through the web, and let the jobs open it."""
        before = self.case_ids()
        response = client.post(self.url(), data=self.words(*about, **instead))
        assert response.status_code == 200, response.get_data(as_text=True)
        assert "Thank you. It is sent." in response.get_data(as_text=True)
        self.world.run_jobs()
        (new,) = self.case_ids() - before
        return new

    def tied(self, one: Someone, other: Someone) -> None:
        """They are related."""
        with self.behind(), unit_of_work():
            db.session.add(
                Tie(id=uuid4(), person_id=one.id, other_id=other.id, kind="related", declared_at=now())
            )

    # -- what a case manager does ----------------------------------------------------------------------------------

    def case_url(self, case_id: UUID, path: str = "") -> str:
        """The address of a case."""
        return self.world.url(f"cases/{case_id}{path}")

    def step(
        self, client: PortalClient, case_id: UUID, action: str, *, comment: str = "", **given: Any
    ) -> Any:
        """Take a step as the page does."""
        data = {f"f_{key}": value for key, value in given.items()}
        response = client.post(
            self.case_url(case_id, f"/actions/{action}"), data={**data, "comment": comment}
        )
        self.world.run_jobs()
        return response

    def record(self, client: PortalClient, case_id: UUID, kind: str, **given: Any) -> Any:
        """Record something as the page does; days are today unless given."""
        said = {**RECORDS[kind], **given}
        if kind in {
            "lado",
            "suspension",
            "confirmation",
            "suspension_ends",
            "employer",
            "told",
            "welfare",
            "referral",
        }:
            said.setdefault("on", today().isoformat())
        return client.post(
            self.case_url(case_id, f"/records/{kind}"),
            data={f"f_{key}": value for key, value in said.items()},
        )

    def to_managing(self, client: PortalClient, case_id: UUID) -> None:
        """The LADO was rung, and the threshold may be met."""
        assert self.record(client, case_id, "lado").status_code == 303
        done = self.step(client, case_id, "threshold", limbs=["harm", "risk"], why_threshold="She was hurt.")
        assert done.status_code == 303, problems(done)

    def conclude(
        self, client: PortalClient, case_id: UUID, outcome: str = "substantiated", **file: Any
    ) -> None:
        """From managing to its end."""
        given = {**OUTCOME, "outcome": outcome}
        done = self.step(client, case_id, "outcome", **given)
        assert done.status_code == 303, problems(done)
        done = self.step(client, case_id, "file", **{**FILE, **file})
        assert done.status_code == 303, problems(done)


def problems(response: Any) -> list[str]:
    """What the error summary says."""
    html = response.get_data(as_text=True)
    summary = re.search(r"govuk-error-summary__list.*?</ul>", html, re.S)
    return re.findall(r"<li>(?:<a[^>]*>)?([^<]*)", summary.group(0)) if summary else [html[:3000]]
