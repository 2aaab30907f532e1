"""What acceptance puts into the primary navigation."""

from __future__ import annotations

from typing import Any

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission


def links(actor: Actor) -> list[dict[str, Any]]:
    """Progress for those who may see it; their own policies and signatures for everybody else."""
    trust = web.trust().slug
    if actor.can_anywhere(Permission.ACCEPTANCE_TOTALS):
        url = url_for("acceptance.campaigns", trust=trust)
        also = [f"/t/{trust}/signatures", f"/t/{trust}/schools/*/acceptance"]
        return [{"text": "Signing", "url": url, "section": url, "also": also, "count": 0, "order": 40}]
    url = url_for("acceptance.my_signatures", trust=trust)
    return [{"text": "My signatures", "url": url, "section": url, "count": 0, "order": 40}]
