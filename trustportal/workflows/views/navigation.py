"""What workflows put into the primary navigation."""

from __future__ import annotations

from typing import Any

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission


def links(actor: Actor) -> list[dict[str, Any]]:
    """Requests and cases for everybody; the register and the workflows for those who keep them."""
    trust = web.trust().slug
    found: list[dict[str, Any]] = []
    if actor.person_id is not None:
        also = (
            "concerns",
            "ties",
            "kept",
            *(f"schools/*/{one}" for one in ("cases", "requests", "concerns", "workflows")),
        )
        found.append(_link("Requests", url_for("cases.mine", trust=trust), 45, *also))
    if actor.can_anywhere(Permission.REGISTER_READ):
        found.append(_link("Accounts", url_for("register.overview", trust=trust), 50, "schools/*/register"))
    if actor.can(Permission.WORKFLOW_MANAGE):
        found.append(_link("Workflows", url_for("workflows.overview", trust=trust), 87, "recipients"))
    if actor.can(Permission.CASE_FIGURES):
        found.append(_link("Case figures", url_for("cases.figures", trust=trust), 88))
    if actor.can(Permission.INTEREST_READ):
        found.append(_link("Interests", url_for("cases.interests", trust=trust), 89))
    # Whoever manages workflows finds it among them.
    if actor.can(Permission.ROUTING_READ) and not actor.can(Permission.WORKFLOW_MANAGE):
        found.append(
            _link("Who receives allegations", url_for("workflows.recipients_shown", trust=trust), 90)
        )
    return found


def _link(words: str, url: str, order: int, *also: str) -> dict[str, Any]:
    """`also`: other parts of the trust's portal that belong to it."""
    parts = [f"/t/{web.trust().slug}/{one}" for one in also]
    return {"text": words, "url": url, "section": url, "also": parts, "count": 0, "order": order}
