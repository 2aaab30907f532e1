"""Requests of the demonstration trust: two accounts in a school's register, and one that is being asked for.

Made through the services that people use, by the people who would; everybody in it is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from trustportal.access import Actor
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.services import acting, starting

KEY = "site-approval"
LINE_MANAGER = "Simon Attwell"
HEAD = "Helen Marsden"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asked, so many days ago, and how far it has come."""

    by: str
    days_ago: int
    approved: bool
    administrators: tuple[str, ...]
    moderators: tuple[str, ...]
    second_reader: str
    answers: Mapping[str, Any]
    line_manager: str = LINE_MANAGER
    custodian: str = "Linda Okoro"
    goes_live_in: int = 14
    closes_in: int = 280


ASKED = (
    Asked(
        by="Linda Okoro",
        days_ago=40,
        approved=True,
        line_manager="Joanne Fairley",
        administrators=("Linda Okoro", "Beth Carrow"),
        moderators=("Joanne Fairley", "Kwame Asante"),
        second_reader="Beth Carrow",
        answers={
            "site_name": "Ashgrove news",
            "department": "Office",
            "platform": "A page on a social network",
            "address": "social.example/ashgrove-primary",
            "official_email": "news@ashgrove.example",
            "aims": "Families hear the same day when a club is off or the school closes early.",
            "content": "Short notices, and pictures of displays. No pictures of children.",
            "evaluation": "After a term we count the calls that ask what a notice had said. An hour a week.",
            "audience": ["families", "public"],
            "contributors": ["staff"],
            "security": "Only administrators write. Comments wait until a moderator lets them through.",
            "risks": "Somebody writes about a child in a comment: two moderators look twice a day.",
        },
    ),
    Asked(
        by="Daniel Prowse",
        days_ago=33,
        approved=True,
        administrators=("Daniel Prowse", "Linda Okoro"),
        moderators=("Simon Attwell", "Kwame Asante"),
        second_reader="Kwame Asante",
        answers={
            "site_name": "Ashgrove makes",
            "department": "Computing",
            "platform": "A blog",
            "address": "blogs.example/ashgrove-makes",
            "official_email": "computing@ashgrove.example",
            "aims": "Children see their programs used by others, and families see what computing is.",
            "content": "Programs, drawings and short texts by classes, signed with the class only.",
            "evaluation": "Two classes look at it each half term. Half an hour a week.",
            "audience": ["pupils", "families"],
            "contributors": ["staff"],
            "security": "Nobody from outside can write.",
            "risks": "A text names a child: a colleague reads each one first.",
        },
    ),
    Asked(
        by="Amina Yusuf",
        days_ago=1,
        approved=False,
        administrators=("Amina Yusuf", "Daniel Prowse"),
        moderators=("Simon Attwell", "Beth Carrow"),
        second_reader="Daniel Prowse",
        answers={
            "site_name": "Year 4 and the river",
            "department": "Year 4",
            "platform": "Picturegram",
            "address": "",
            "official_email": "year4@ashgrove.example",
            "aims": "Families follow what Year 4 measures at the river through the seasons.",
            "content": "Pictures of the river, of tables and drawings. No pictures of children.",
            "evaluation": "We ask families after a term. Half an hour a week.",
            "audience": ["families"],
            "contributors": ["staff"],
            "security": "Comments are closed.",
            "risks": "A picture shows where the class is: it is published a day later.",
        },
        goes_live_in=30,
        closes_in=240,
    ),
)


def load(
    *,
    acting_as: Callable[[str], AbstractContextManager[Actor]],
    run: Callable[[], None],
    people: Mapping[str, UUID],
    school_id: UUID,
    today: date,
    at: Callable[[date], datetime],
) -> None:
    """Ask, sign and approve, each on its day. `run` does the jobs that follow."""
    for asked in ASKED:
        day = today - timedelta(days=asked.days_ago)
        with acting_as(asked.by) as actor:
            case_id = starting.send(
                actor, school_id=school_id, key=KEY, given=_form(asked, people, day), now=at(day)
            ).id
        run()
        steps = [(asked.line_manager, "sign"), *([(HEAD, "approve")] if asked.approved else [])]
        for number, (name, action) in enumerate(steps):
            with acting_as(name) as actor:
                acting.act(
                    actor,
                    case_id=case_id,
                    action=action,
                    given=Given(confirmed=True),
                    now=at(day + timedelta(days=number)) + timedelta(hours=1),
                )
            run()


def _form(asked: Asked, people: Mapping[str, UUID], day: date) -> dict[str, Any]:
    def ids(names: tuple[str, ...]) -> list[str]:
        return [str(people[name]) for name in names]

    return {
        **asked.answers,
        "line_manager": str(people[asked.line_manager]),
        "administrators": ids(asked.administrators),
        "moderators": ids(asked.moderators),
        "custodian": str(people[asked.custodian]),
        "second_reader": str(people[asked.second_reader]),
        "minimum_age": "adults" if "pupils" not in asked.answers["audience"] else "yes",
        "host": "third_party",
        "host_name": str(asked.answers["platform"]),
        "emergency_access": True,
        "logo": "yes",
        "go_live_on": (day + timedelta(days=asked.goes_live_in)).isoformat(),
        "closes_on": (day + timedelta(days=asked.goes_live_in + asked.closes_in)).isoformat(),
    }
