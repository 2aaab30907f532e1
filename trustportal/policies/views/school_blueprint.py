"""The blueprint of a school's policies, and what its pages share: which policy the address means, and links to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, url_for

from trustportal.access import Permission
from trustportal.policies import queries
from trustportal.policies.models import Policy
from trustportal.web import actor, school, trust

blueprint = Blueprint("school_policies", __name__)
ROOT = "/t/<trust>/schools/<school>/policies"


def here(slug: str) -> Policy:
    """The policy of the address. Raises `NotFound`."""
    found = queries.get_policy(slug)
    g.policy = found
    return found


def may(permission: Permission) -> bool:
    """Whether whoever is signed in may do this at the school of the address."""
    return actor().can(permission, school().id)


def url(endpoint: str, **arguments: Any) -> str:
    """An address about the policy and the school of the present one: `url("clauses")`."""
    if "policy" in g:
        arguments.setdefault("policy", g.policy.slug)
    return url_for(f"school_policies.{endpoint}", trust=trust().slug, school=school().slug, **arguments)
