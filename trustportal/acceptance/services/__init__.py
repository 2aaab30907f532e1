"""Use cases of acceptance: campaigns, assigning, signing, reminding, verifying."""

from __future__ import annotations

from trustportal.acceptance.services.assigning import assign_person, assign_place
from trustportal.acceptance.services.campaigns import (
    close_campaign,
    open_campaign,
    preview_campaign,
    suggest_campaign,
)
from trustportal.acceptance.services.reminding import remind_due, remind_now
from trustportal.acceptance.services.signing import sign, to_read
from trustportal.acceptance.services.verifying import verify_signature

__all__ = [
    "assign_person",
    "assign_place",
    "close_campaign",
    "open_campaign",
    "preview_campaign",
    "remind_due",
    "remind_now",
    "sign",
    "suggest_campaign",
    "to_read",
    "verify_signature",
]
