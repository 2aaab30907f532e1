"""Workflows of the trust, their versions, and what schools set for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.workflows.domain import editing, reading
from trustportal.workflows.domain.days import Break
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.editing import SchoolsOwn
from trustportal.workflows.models import (
    SchoolBreak,
    WorkflowDefinition,
    WorkflowOverride,
    WorkflowVersion,
)


@dataclass(frozen=True, slots=True)
class Current:
    """A workflow with its newest published version."""

    id: UUID
    key: str
    in_use: bool
    version_id: UUID
    number: int
    content: Mapping[str, Any]
    content_hash: str
    has_draft: bool = False

    @property
    def definition(self) -> Definition:
        """What it says."""
        return read(self.content_hash, self.content)


_READ: dict[str, Definition] = {}


def read(content_hash: str, content: Mapping[str, Any]) -> Definition:
    """A stored definition; each content is read once per process."""
    found = _READ.get(content_hash)
    if found is None:
        if len(_READ) > 500:
            _READ.clear()
        found = _READ[content_hash] = reading.from_data(content)
    return found


def list_everything() -> list[tuple[str, int | None, str, Mapping[str, Any]]]:
    """Every version of every workflow: its key, its number (None: a draft), its state, what it says."""
    rows = db.session.execute(
        select(WorkflowDefinition.key, WorkflowVersion.number, WorkflowVersion.state, WorkflowVersion.content)
        .join(WorkflowDefinition, WorkflowDefinition.id == WorkflowVersion.definition_id)
        .order_by(WorkflowDefinition.position, WorkflowVersion.number)
    )
    return [(row.key, row.number, row.state, row.content) for row in rows]


def list_current(*, in_use_only: bool = True) -> list[Current]:
    """Every workflow with a published version, in the trust's order."""
    newest = (
        select(WorkflowVersion.definition_id, func.max(WorkflowVersion.number).label("number"))
        .where(WorkflowVersion.state == "published")
        .group_by(WorkflowVersion.definition_id)
        .subquery()
    )
    drafts = set(
        db.session.scalars(select(WorkflowVersion.definition_id).where(WorkflowVersion.state == "draft"))
    )
    statement = (
        select(WorkflowDefinition, WorkflowVersion)
        .join(newest, newest.c.definition_id == WorkflowDefinition.id)
        .join(
            WorkflowVersion,
            (WorkflowVersion.definition_id == newest.c.definition_id)
            & (WorkflowVersion.number == newest.c.number),
        )
        .order_by(WorkflowDefinition.position, WorkflowDefinition.key)
    )
    if in_use_only:
        statement = statement.where(WorkflowDefinition.in_use)
    return [
        Current(
            one.id,
            one.key,
            one.in_use,
            version.id,
            version.number or 0,
            version.content,
            version.content_hash,
            one.id in drafts,
        )
        for one, version in db.session.execute(statement)
    ]


def get_current(key: str, *, in_use_only: bool = False) -> Current:
    """One workflow by its key."""
    for one in list_current(in_use_only=in_use_only):
        if one.key == key:
            return one
    raise NotFound()


def get_version(version_id: UUID) -> WorkflowVersion:
    """A version by its id."""
    found = db.session.scalars(select(WorkflowVersion).where(WorkflowVersion.id == version_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_draft(definition_id: UUID, *, lock: bool = False) -> WorkflowVersion | None:
    """The draft of a workflow's next version."""
    statement = select(WorkflowVersion).where(
        WorkflowVersion.definition_id == definition_id, WorkflowVersion.state == "draft"
    )
    return db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()


def list_versions(definition_id: UUID) -> list[WorkflowVersion]:
    """The published versions, newest first."""
    return list(
        db.session.scalars(
            select(WorkflowVersion)
            .where(WorkflowVersion.definition_id == definition_id, WorkflowVersion.state == "published")
            .order_by(WorkflowVersion.number.desc())
        )
    )


def definition_of(version: WorkflowVersion) -> Definition:
    """What a version says."""
    return read(version.content_hash, version.content)


def find_override(definition_id: UUID, school_id: UUID) -> WorkflowOverride | None:
    """What a school set for itself."""
    return db.session.scalars(
        select(WorkflowOverride).where(
            WorkflowOverride.definition_id == definition_id, WorkflowOverride.school_id == school_id
        )
    ).one_or_none()


def list_overrides(definition_id: UUID) -> dict[UUID, SchoolsOwn]:
    """What schools set for themselves in a workflow, by school."""
    rows = db.session.scalars(select(WorkflowOverride).where(WorkflowOverride.definition_id == definition_id))
    return {row.school_id: SchoolsOwn.read(row.content) for row in rows}


def at_school(version: WorkflowVersion, school_id: UUID) -> Definition:
    """What a version says at a school, with what the school set for itself."""
    own = find_override(version.definition_id, school_id)
    return editing.at_school(definition_of(version), SchoolsOwn.read(own.content if own else None))


def breaks_of(school_id: UUID) -> list[Break]:
    """A school's holidays."""
    return [Break(one.from_on, one.to_on) for one in list_breaks(school_id)]


def list_breaks(school_id: UUID) -> list[SchoolBreak]:
    """A school's holidays, by day."""
    return list(
        db.session.scalars(
            select(SchoolBreak).where(SchoolBreak.school_id == school_id).order_by(SchoolBreak.from_on)
        )
    )


def titles(versions: Iterable[UUID]) -> dict[UUID, Definition]:
    """What some versions say, by id."""
    wanted = set(versions)
    if not wanted:
        return {}
    rows = db.session.scalars(select(WorkflowVersion).where(WorkflowVersion.id.in_(wanted)))
    return {row.id: definition_of(row) for row in rows}
