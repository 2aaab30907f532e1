"""Freezing the figures of a term: once, when it is over, for each person who oversees; what they say never changes."""

from __future__ import annotations

from datetime import date, datetime
from uuid import uuid4

from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.tenants import queries as tenants
from trustportal.workflows.domain import oversight as domain
from trustportal.workflows.meeting_models import CaseFigure
from trustportal.workflows.queries import definitions
from trustportal.workflows.queries import oversight as queries

#: Who sees figures, and nothing else of cases.
OVERSEERS = (Role.TRUSTEE, Role.CHAIR_OF_TRUST_BOARD, Role.NETWORK_MANAGER, Role.CEO)
#: So many terms are frozen for somebody who comes to such a post.
TERMS = 3


def freeze(*, today: date, now: datetime) -> int:
    """The job: write what is missing for terms that are over. Returns for how many people and terms it did."""
    made = 0
    with unit_of_work():
        since = queries.first_day()
        viewers = {one for role in OVERSEERS for one in tenants.people_with_role(role, on=today)}
        offered = definitions.list_current(in_use_only=False)
        titles = {one.key: one.definition.title for one in offered}
        for term in domain.ended_terms(today, TERMS):
            if since is None or term.to_on < since:
                continue
            missing = viewers - queries.frozen_for(term.key)
            cases = queries.cases_of(term) if missing else []
            for viewer in sorted(missing, key=str):
                for position, one in enumerate(domain.figures(cases, list(titles), viewer)):
                    db.session.add(
                        CaseFigure(
                            id=uuid4(),
                            person_id=viewer,
                            term=term.key,
                            workflow=one.workflow,
                            title=titles.get(one.workflow, "All together"),
                            position=position,
                            began=one.began,
                            ended=one.ended,
                            in_time=one.in_time,
                            frozen_at=now,
                        )
                    )
                made += 1
    return made
