"""Opening an allegation from another case: the same intake, the same job, the same routing that fails closed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from trustportal.access import Actor
from trustportal.db import current_unit
from trustportal.jobs import Event
from trustportal.workflows.domain.definition import Definition, FieldKind
from trustportal.workflows.queries import definitions
from trustportal.workflows.services.sending import intake_row

#: The workflow that is asked for first, where a trust has several about somebody's conduct.
ALLEGATION = "allegation"


def find_allegation() -> definitions.Current | None:
    """The workflow in use for allegations against somebody who works here; None: there is none."""
    about_conduct = [one for one in definitions.list_current() if one.definition.safeguarding]
    return next((one for one in about_conduct if one.key == ALLEGATION), next(iter(about_conduct), None))


def open_allegation(
    actor: Actor, *, school_id: UUID, about: Collection[UUID], words: str, now: datetime
) -> bool:
    """Send an allegation about somebody who works here, in the open unit of work; a job opens the case and finds who
    may have it. False where the trust has no workflow for it in use.

    Whoever has to decide about the threshold is not asked to do it here: nothing but whom and what is handed on.
    """
    current = find_allegation()
    if current is None:
        return False
    row = intake_row(
        actor.person_id,
        school_id=school_id,
        version_id=current.version_id,
        values=_answers(current.definition, about, words),
        now=now,
    )
    current_unit().announce(Event.CASE_SENT, intake_id=row.id)
    return True


def _answers(definition: Definition, about: Collection[UUID], words: str) -> dict[str, object]:
    """Whom it is about in the field that asks it, and the words in the first that takes an account of it."""
    named = definition.field(definition.subject_fields[0])
    people = [str(one) for one in sorted(about, key=str)]
    values: dict[str, object] = {
        definition.subject_fields[0]: people if named is None or named.kind is FieldKind.PEOPLE else people[0]
    }
    told = next((one for one in definition.form if one.kind is FieldKind.LONG_TEXT), None)
    if told is not None:
        values[told.key] = words
    if definition.key == ALLEGATION:
        # Who hands it on has decided whom it is about: where that is the head, the table sees it by their post.
        values["involved"] = "no"
    return values
