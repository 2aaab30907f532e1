"""Use cases of acceptance: campaigns, assigning, signing, asking, chasing, codes, paper, absence, proving."""

from __future__ import annotations

from trustportal.acceptance.services.absences import end_absence, record_absence
from trustportal.acceptance.services.assigning import assign_person, assign_place
from trustportal.acceptance.services.campaigns import (
    change_campaign,
    close_campaign,
    open_campaign,
    preview_campaign,
    proposed_year,
    suggest_campaign,
)
from trustportal.acceptance.services.chasing import escalate, set_schedule
from trustportal.acceptance.services.line_managers import set_line_manager
from trustportal.acceptance.services.papers import record_paper
from trustportal.acceptance.services.questions import answer, ask
from trustportal.acceptance.services.reminding import remind_due, remind_now
from trustportal.acceptance.services.signing import sign, to_read
from trustportal.acceptance.services.verifying import verify_signature

__all__ = [
    "answer",
    "ask",
    "assign_person",
    "assign_place",
    "change_campaign",
    "close_campaign",
    "end_absence",
    "escalate",
    "open_campaign",
    "preview_campaign",
    "proposed_year",
    "record_absence",
    "record_paper",
    "remind_due",
    "remind_now",
    "set_line_manager",
    "set_schedule",
    "sign",
    "suggest_campaign",
    "to_read",
    "verify_signature",
]
