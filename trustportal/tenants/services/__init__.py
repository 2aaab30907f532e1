"""The use cases of trusts, schools, people and memberships: one function, one transaction each."""

from __future__ import annotations

from trustportal.tenants.services.people import (
    add_person,
    add_with_role,
    begin_membership,
    change_person,
    end_membership,
    give_account,
    invite,
)
from trustportal.tenants.services.placeholders import add_placeholder, define_placeholders, fill_placeholders
from trustportal.tenants.services.schools import change_school, create_school, rename_roles, start_school
from trustportal.tenants.services.trusts import (
    change_trust,
    create_trust,
    rename_central_roles,
    rename_trust_roles,
    set_logo,
    show_in_demonstration,
)

__all__ = [
    "add_person",
    "add_placeholder",
    "add_with_role",
    "begin_membership",
    "change_person",
    "change_school",
    "change_trust",
    "create_school",
    "create_trust",
    "define_placeholders",
    "end_membership",
    "fill_placeholders",
    "give_account",
    "invite",
    "rename_central_roles",
    "rename_roles",
    "rename_trust_roles",
    "set_logo",
    "show_in_demonstration",
    "start_school",
]
