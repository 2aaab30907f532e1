"""What workflows ask of a school before it is live: who receives an allegation about the head.

Whoever starts a school sees no ties that others declared, and must not learn of one here. A tie cannot make a case
reach the wrong person all the same: it goes a tier up when it comes, and in the end raises the clerk's alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from trustportal.tenants import queries as tenants
from trustportal.tenants.models import School
from trustportal.tenants.starting import Requirement
from trustportal.words import listed
from trustportal.workflows.domain import recipients as domain
from trustportal.workflows.queries import people, recipients


def receives_about_head(school: School, today: date) -> Iterable[Requirement]:
    """Who receives an allegation about the head, by the table that trustees approved, as posts are filled today."""
    found = domain.about_head(recipients.get_table(), people.roster(today), school.id)
    names = sorted(tenants.names_of(found).values())
    yield Requirement(
        "Somebody who receives an allegation about the head",
        bool(found),
        f"{listed(names, 'or')}."
        if found
        else "By the table of recipients it would reach nobody but the head. Usually it is the chair of governors: give"
        " somebody that role, or have the trustees approve another table.",
        "workflows.recipients_shown",
        {},
        "See who receives allegations",
    )
