"""What archives put on the home page: for the two who agree to case records, and for whoever collects them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import url_for

from trustportal import web
from trustportal.access import Actor, Permission
from trustportal.archives import queries
from trustportal.tenants.tasks import Task
from trustportal.times import day_of


def my_tasks(actor: Actor, today: date) -> Iterable[Task]:
    """A request to decide about; an archive to collect."""
    if not actor.can(Permission.ARCHIVE_AGREE):
        return
    url = url_for("archives.decisions", trust=web.trust().slug)
    for archive, consent in queries.list_asked(actor):
        if archive.state == "waiting" and not consent.answer:
            yield Task(
                title="Decide about an archive with case records",
                url=url,
                detail="It is made only if the data protection officer and the chair of the trust board both agree.",
                due_on=day_of(archive.decide_until),
            )
        elif archive.state == "ready" and archive.collector_id == actor.person_id and archive.expires_at:
            yield Task(
                title="Collect the archive with case records",
                url=url,
                detail="It is removed by itself when its time is over.",
                due_on=day_of(archive.expires_at),
            )
