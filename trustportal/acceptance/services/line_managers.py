"""Who manages whom at a place, as far as signing needs it: whom to ask, and whom to tell first when it is late."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from trustportal.acceptance.models import LineManagement
from trustportal.acceptance.queries import people
from trustportal.acceptance.queries.facts import Place
from trustportal.access import Actor, Permission
from trustportal.audit import Action, record
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken


def set_line_manager(
    actor: Actor, *, person_id: UUID, school_id: Place, manager_id: UUID | None, today: date
) -> None:
    """Note somebody's line manager at a place, who serves there too; None: nobody."""
    actor.require(Permission.ACCEPTANCE_OVERSEE, school_id)
    with unit_of_work():
        people.require_serving(person_id, school_id, today)
        if manager_id is not None:
            if manager_id == person_id:
                raise RuleBroken("Nobody is their own line manager.", "manager")
            if manager_id not in {one for one, _ in people.list_colleagues(school_id, today)}:
                raise RuleBroken("Choose somebody who serves here.", "manager")
        standing = people.find_line_management(person_id, school_id, lock=True)
        if manager_id is None:
            if standing is not None:
                db.session.delete(standing)
        elif standing is not None:
            standing.manager_id = manager_id
        else:
            db.session.add(
                LineManagement(id=uuid4(), school_id=school_id, person_id=person_id, manager_id=manager_id)
            )
        record(
            actor, Action.PERSON_CHANGED, person_id=person_id, school_id=school_id, fields=["line_manager"]
        )
