"""What archives put into the primary navigation. Whoever asks for one finds it among the trust's settings."""

from __future__ import annotations

from typing import Any

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission


def links(actor: Actor) -> list[dict[str, Any]]:
    """The decisions, for the two who agree to case records."""
    if not actor.can(Permission.ARCHIVE_AGREE):
        return []
    url = url_for("archives.decisions", trust=web.trust().slug)
    return [{"text": "Archives", "url": url, "section": url, "count": 0, "order": 92}]
