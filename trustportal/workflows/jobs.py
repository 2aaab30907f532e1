"""Doors for workers. Each calls one service; each may run twice without harm."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import current_app

from trustportal.db import current_unit
from trustportal.jobs import Event, job
from trustportal.times import now, today
from trustportal.workflows.services import (
    anchoring,
    deadlines,
    defining,
    documents,
    keeping,
    oversight,
    register,
    reporting,
    routing,
    starting,
)


@job("default", on=Event.SCHOOL_CREATED)
def install_for_school(*, school_id: str) -> None:
    """A trust with its first school has workflows."""
    defining.install(now=now())


@job("default", on=Event.DAY_BEGAN)
def install_daily(*, slot: str) -> None:
    """What came with a newer release."""
    defining.install(now=now())


@job("default", on=Event.CASE_SENT)
def open_case(*, intake_id: str) -> None:
    """A form that was sent becomes a case."""
    starting.open_case(intake_id=UUID(intake_id), now=now())


@job("default", on=Event.CASE_MORE)
def add_to_case(*, intake_id: str) -> None:
    """Whoever reported a concern has something to add."""
    reporting.add_to_case(intake_id=UUID(intake_id), now=now())


@job("default", on=Event.CASE_ROUTE)
def route_case(*, case_id: str) -> None:
    """Give out what waits in a case."""
    routing.route_case(case_id=UUID(case_id), now=now())


@job("default", on=Event.DAY_BEGAN)
def route_daily(*, slot: str) -> None:
    """Posts begin and end with the day."""
    routing.announce_touched()


@job("default", on=Event.MEMBERSHIP_CHANGED)
def membership_changed(*, person_id: str, membership_id: str = "", school_id: str = "") -> None:
    """Somebody came or left: tasks, who sees what, and the accounts in which they have a part."""
    routing.announce_touched(school_id=UUID(school_id) if school_id else None, person_id=UUID(person_id))
    register.announce_checks(person_id=UUID(person_id))


@job("default", on=Event.DEADLINES_DUE)
def sweep_deadlines(*, slot: str) -> None:
    """A job for each deadline that has come."""
    deadlines.sweep(today=today())


@job("default", on=Event.CASE_DEADLINE)
def fire_deadline(*, deadline_id: str) -> None:
    """One deadline."""
    deadlines.fire(deadline_id=UUID(deadline_id), now=now())


@job("documents", on=Event.CASE_DOCUMENT)
def print_document(*, document_id: str) -> None:
    """The PDF of a letter or signed form."""
    documents.print_document(document_id=UUID(document_id), now=now())


@job("default", on=Event.DAY_BEGAN)
def check_register(*, slot: str) -> None:
    """Reviews and closing days come with the day."""
    register.announce_checks()


@job("default", on=Event.REGISTER_CHECK)
def check_entry(*, entry_id: str) -> None:
    """What is to be seen to at one account."""
    register.check_entry(entry_id=UUID(entry_id), now=now())


@job("default", on=Event.TIE_CHANGED)
def tie_changed(*, tie_id: str) -> None:
    """Somebody declared a tie, or that it holds no more: every open case is given out again."""
    routing.announce_touched()


@job("default", on=Event.DAY_BEGAN)
def freeze_figures(*, slot: str) -> None:
    """The figures of a term that is over."""
    oversight.freeze(today=today(), now=now())


@job("default", on=Event.DAY_BEGAN)
def sweep_kept(*, slot: str) -> None:
    """Closed cases whose time to be kept has come."""
    keeping.sweep(now=now())


@job("default", on=Event.STAND_IN_NAMED)
def stand_in_named(*, stand_in_id: str) -> None:
    """Somebody gives the data protection officer's consent where that post may not: what waited for it is asked."""
    keeping.sweep(now=now())


@job("default", on=Event.CASE_DISPOSAL)
def ask_for_disposal(*, case_id: str) -> None:
    """Ask the two who have to agree."""
    keeping.ask(case_id=UUID(case_id), now=now())


@job("default", on=Event.CASE_DISPOSAL_ANSWERED)
def follow_disposal(*, ask_id: str) -> None:
    """One of the two has answered."""
    keeping.follow(ask_id=UUID(ask_id), now=now())


@job("default", on=Event.ANCHORS_DUE)
def anchor_cases(*, slot: str) -> None:
    """Keep where the chains of cases stand, once a day. What follows is announced whether there are cases or not."""
    anchoring.anchor(on=date.fromisoformat(slot), now=now())
    current_unit().announce(Event.CASES_ANCHORED, day=slot)
    current_unit().announce(Event.CASES_STAMP_WANTED, day=slot)


@job("mail", on=Event.CASES_ANCHORED, outside=True)
def tell_operator(*, day: str) -> None:
    """Mail the anchors of a day to whoever runs the installation, past the trust."""
    anchoring.tell_operator(on=date.fromisoformat(day), now=now(), settings=current_app.config["PORTAL"])


@job("default", on=Event.CASES_STAMP_WANTED, outside=True)
def stamp_cases(*, day: str) -> None:
    """Have the anchors up to a day stamped by the authority that the settings name."""
    anchoring.stamp(on=date.fromisoformat(day), now=now(), settings=current_app.config["PORTAL"])
