"""What trusts and schools put on the home page: for whoever manages schools, those that are being set up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission
from trustportal.tenants import queries
from trustportal.tenants.tasks import Task


def my_tasks(actor: Actor, today: date) -> Iterable[Task]:
    """The schools that wait to be started."""
    if not actor.can(Permission.SCHOOL_MANAGE):
        return
    for school in queries.list_schools_being_set_up():
        yield Task(
            title=f"Start {school.short_name}",
            url=url_for("tenants.start_school", trust=web.trust().slug, school=school.slug),
            detail="It is being set up: its public page is empty, and nobody is asked to sign.",
            due_on=school.joined_on if school.joined_on > today else None,
            place=school.short_name,
        )
