"""What this feature puts into the primary navigation, and how an address's school is found."""

from __future__ import annotations

from typing import Any

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission
from trustportal.tenants import queries


def links(actor: Actor) -> list[dict[str, Any]]:
    """The home page for everybody; people, schools and settings for those who may."""
    trust = web.trust().slug
    found: list[dict[str, Any]] = [
        {"text": "My tasks", "url": url_for("pages.home", trust=trust), "order": 0}
    ]
    if actor.can_anywhere(Permission.PEOPLE_READ):
        found.append(_link("People", url_for("tenants.people", trust=trust), 80))
    if actor.can(Permission.SCHOOL_MANAGE) or actor.can_anywhere(Permission.PLACEHOLDER_EDIT):
        found.append(_link("Schools", url_for("tenants.schools", trust=trust), 85))
    if actor.can(Permission.TRUST_SETTINGS):
        found.append(_link("Settings", url_for("tenants.settings", trust=trust), 90))
    return found


def _link(words: str, url: str, order: int) -> dict[str, Any]:
    return {"text": words, "url": url, "section": url, "order": order}


def find_school(slug: str) -> web.SchoolHere:
    """The school of an address, among those that the scope can see."""
    school = queries.get_school_by_slug(slug)
    return web.SchoolHere(school.id, school.slug, school.name, school.short_name, school.role_labels)
