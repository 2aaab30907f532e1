"""What every page has around its content: who reads it and where, the navigation, the token of its forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from flask import current_app, g, session, url_for
from flask_wtf.csrf import generate_csrf
from htmx_flask import request

from trustportal.access import ROLE_LABELS, Actor, Role

Links = Callable[[Actor], list[dict[str, Any]]]
_navigation: list[Links] = []


def add_navigation(links: Links) -> None:
    """Let a feature fill the primary navigation: its links for an actor, each with `url`, `label`, `order`."""
    if links not in _navigation:
        _navigation.append(links)


def _role_label() -> str:
    who: Actor | None = g.get("actor")
    if who is None:
        return ""
    if "school" in g and who.roles_at(g.school.id):
        roles = who.roles_at(g.school.id)
        labels = g.school.role_labels
    elif who.trust_roles:
        roles, labels = who.trust_roles, {}
    else:
        roles = frozenset().union(*who.school_roles.values())
        labels = g.my_schools[0].role_labels if len(g.my_schools) == 1 else {}
    order = list(Role)
    # Whoever chairs the board is a trustee too: the post says more.
    first = min(roles, key=lambda role: (role is Role.TRUSTEE, order.index(role)))
    return labels.get(first) or ROLE_LABELS[first]


def _place_name() -> str:
    if "school" in g:
        return cast(str, g.school.name)
    who: Actor | None = g.get("actor")
    if who is None or who.trust_roles:
        return "Trust board" if who and who.trust_roles & {Role.TRUSTEE, Role.CHAIR_OF_TRUST_BOARD} else ""
    return cast(str, g.my_schools[0].name) if len(g.my_schools) == 1 else f"{len(g.my_schools)} schools"


@lru_cache(1024)
def _parts(address: str) -> tuple[str, ...]:
    return tuple(address.strip("/").split("/"))


def _depth(link: dict[str, Any], path: tuple[str, ...]) -> int:
    """How deep the part of the portal reaches that a page lies in and a link stands for; 0: it lies elsewhere."""
    found = [
        len(part)
        for part in map(_parts, (link.get("section") or "?", *link.get("also", ())))
        if len(part) <= len(path) and all(one in {"*", there} for one, there in zip(part, path, strict=False))
    ]
    return max(found, default=0)


def _current(links: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The link of the page, or of the nearest part of the portal that it lies in. A link names its `section`, and in
    `also` other parts that belong to it; a `*` there stands for any school.
    """
    exact = next((link for link in links if link["url"] == request.path), None)
    path = _parts(request.path)
    nearest = max(links, key=lambda link: _depth(link, path), default=None)
    return exact or (nearest if nearest is not None and _depth(nearest, path) else None)


@lru_cache(4096)
def _signed(_secret: str, _raw: str) -> str:
    return cast(str, generate_csrf())


def _csrf_token() -> str:
    """The token of this session for forms, signed once per process: every page carries it."""
    raw = session.get("csrf_token")
    return _signed(cast(str, current_app.secret_key), raw) if raw else cast(str, generate_csrf())


def context() -> dict[str, Any]:
    """What templates find besides what their view gives them."""
    settings = current_app.config["PORTAL"]
    shared: dict[str, Any] = {
        "csrf_token": _csrf_token,
        "demo_mode": settings.demo,
        "public_url": settings.public_url,
        "person": None,
        "trust": g.get("trust"),
        "school": g.get("school"),
        "navigation": [],
        "place_name": "",
        "theme_url": None,
    }
    who: Actor | None = g.get("actor")
    if "trust" in g and g.trust is not None:
        shared["theme_url"] = url_for("tenants.theme", trust=g.trust.slug, colour=g.trust.colour.lstrip("#"))
    if who is not None:
        links = sorted(
            (link for build in _navigation for link in build(who)), key=lambda link: link.get("order", 50)
        )
        here = _current(links)
        for link in links:
            link.setdefault("count", 0)
            link["current"] = link is here
        shared |= {
            "actor": who,
            "person": {"name": who.name, "role_label": _role_label()},
            "place_name": _place_name(),
            "my_schools": g.my_schools,
            "navigation": links,
        }
    return shared
