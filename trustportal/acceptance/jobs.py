"""Doors for workers. Each calls one service; each may run twice without harm."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import current_app

from trustportal.acceptance.domain.campaign import place_of
from trustportal.acceptance.services import (
    anchoring,
    assigning,
    certificates,
    chasing,
    packs,
    questions,
    reminding,
)
from trustportal.jobs import Event, job
from trustportal.times import now, today


def _public_url() -> str:
    address: str = current_app.config["PORTAL"].public_url
    return address


@job("default", on=Event.CAMPAIGN_OPENED)
def plan_campaign(*, campaign_id: str) -> None:
    """A job for each place of a new campaign."""
    assigning.plan_campaign(campaign_id=UUID(campaign_id), today=today())


@job("default", on=Event.CAMPAIGN_CHANGED)
def replan_campaign(*, campaign_id: str) -> None:
    """A job for each place of a campaign that was changed."""
    assigning.plan_campaign(campaign_id=UUID(campaign_id), today=today())


@job("default", on=Event.DAY_BEGAN)
def plan_day(*, slot: str) -> None:
    """A job for each place: people began and left, campaigns opened."""
    assigning.plan_day(today=today())


@job("default", on=Event.DAY_BEGAN)
def forget_traces(*, slot: str) -> None:
    """Dispose of what is kept for twelve months only."""
    reminding.forget_traces(now=now())


@job("default", on=Event.PLACE_TO_ASSIGN)
def assign_place(*, place: str) -> None:
    """Ask the people of one place."""
    assigning.assign_place(place_of(place), today=today(), now=now())


@job("default", on=Event.SCHOOL_STARTED)
def school_started(*, school_id: str) -> None:
    """A school is live: ask its people."""
    assigning.assign_place(UUID(school_id), today=today(), now=now())


@job("default", on=Event.EDITION_IN_FORCE)
def edition_in_force(*, edition_id: str) -> None:
    """Ask for an edition, if its PDF is stored."""
    assigning.assign_for_edition(edition_id=UUID(edition_id), today=today(), now=now())


@job("default", on=Event.PDF_STORED)
def pdf_stored(*, edition_id: str) -> None:
    """Ask for an edition, if it is in force."""
    assigning.assign_for_edition(edition_id=UUID(edition_id), today=today(), now=now())


@job("default", on=Event.OUTSIDE_DOCUMENT_RECORDED)
def document_recorded(*, document_id: str) -> None:
    """Ask for the edition of an outside document that was recorded."""
    assigning.assign_for_document(document_id=UUID(document_id), today=today())


@job("default", on=Event.POLICY_WITHDRAWN)
def policy_withdrawn(*, policy_id: str) -> None:
    """Nobody is asked any more to sign a policy that was withdrawn: every place that a campaign reaches is planned."""
    assigning.plan_day(today=today())


@job("default", on=Event.MEMBERSHIP_CHANGED)
def membership_changed(*, person_id: str, membership_id: str = "", school_id: str = "") -> None:
    """Ask a joiner, close a leaver's: at all places of the person, since another role may still hold."""
    assigning.assign_person(person_id=UUID(person_id), today=today(), now=now())


@job("default", on=Event.REMINDERS_DUE)
def remind_due(*, slot: str) -> None:
    """One reminder for each person who is due one."""
    reminding.remind_due(today=date.fromisoformat(slot), now=now())


@job("default", on=Event.REMINDERS_DUE)
def escalate(*, slot: str) -> None:
    """Tell line managers, heads and the trust who is late."""
    chasing.escalate(today=date.fromisoformat(slot), now=now())


@job("default", on=Event.ABSENCE_CHANGED)
def absence_changed(*, person_id: str) -> None:
    """Wait for somebody who is away; go on where they are back."""
    assigning.assign_person(person_id=UUID(person_id), today=today(), now=now())


@job("documents", on=Event.CERTIFICATE_WANTED)
def make_certificate(*, signature_id: str) -> None:
    """Make the certificate of a signature, once."""
    certificates.make(signature_id=UUID(signature_id), public_url=_public_url(), now=now())


@job("documents", on=Event.EVIDENCE_STEP)
def evidence_step(*, pack_id: str) -> None:
    """Some more certificates of an evidence pack; the last step puts the file together."""
    packs.step(pack_id=UUID(pack_id), public_url=_public_url(), now=now())


@job("default", on=Event.ANCHORS_DUE)
def anchor_chain(*, slot: str) -> None:
    """Keep where the trust's audit trail stands, once a day."""
    anchoring.anchor(on=date.fromisoformat(slot), now=now(), settings=current_app.config["PORTAL"])


@job("default", on=Event.STAMP_WANTED, outside=True)
def stamp_anchor(*, anchor_id: str) -> None:
    """Have an anchor stamped by the authority that the settings name."""
    anchoring.stamp(anchor_id=UUID(anchor_id), now=now(), settings=current_app.config["PORTAL"])


@job("default", on=Event.QUESTION_ASKED)
def question_asked(*, question_id: str) -> None:
    """Tell those who are asked."""
    questions.tell_asked(question_id=UUID(question_id), now=now())


@job("default", on=Event.QUESTION_ANSWERED)
def question_answered(*, question_id: str) -> None:
    """Tell whoever asked."""
    questions.tell_asker(question_id=UUID(question_id), now=now())
