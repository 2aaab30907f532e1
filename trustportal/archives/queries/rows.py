"""The rows of a trust's tables for an archive, a page at a time: never a whole table in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from trustportal.acceptance.models import Assignment
from trustportal.archives.domain import Sheet, Within
from trustportal.db import Model, TrustOwned, db
from trustportal.policies.models import Edition, Policy, TemplateVersion
from trustportal.tenants.models import Membership

PAGE = 1000


@cache
def model_of(table: str) -> type[Any]:
    """The model of a trust's table."""
    return next(
        mapper.class_
        for mapper in Model.registry.mappers
        if mapper.class_.__tablename__ == table and issubclass(mapper.class_, TrustOwned)
    )


def columns_of(sheet: Sheet) -> Mapping[str, InstrumentedAttribute[Any]]:
    """The columns that are taken away, by name."""
    model = model_of(sheet.table)
    return {
        column.key: getattr(model, column.key)
        for column in model.__mapper__.columns
        if column.key not in sheet.omit | {"trust_id"}
    }


def rows_of(
    sheet: Sheet, school_id: UUID | None, after: UUID | None, most: int
) -> Iterator[Mapping[str, Any]]:
    """Rows of a table that belong to the trust or (`school_id`) to one school, after an id, by id; up to `most`."""
    model, columns = model_of(sheet.table), columns_of(sheet)
    last = after
    for begin in range(0, most, PAGE):
        page = db.session.execute(
            select(*columns.values())
            .where(_within(model, sheet.within, school_id), model.id > last if last else true())
            .order_by(model.id)
            .limit(min(PAGE, most - begin))
        ).all()
        for row in page:
            yield dict(zip(columns, row, strict=True))
        if len(page) < PAGE:
            return
        last = page[-1].id


def _within(model: Any, within: Within, school_id: UUID | None) -> ColumnElement[bool]:
    if school_id is None or within is Within.ALL:
        return true()
    asked = select(Assignment.campaign_id).where(Assignment.school_id == school_id)
    chosen: dict[Within, Any] = {
        Within.OWN: lambda: model.school_id == school_id,
        Within.SELF: lambda: model.id == school_id,
        Within.SERVED: lambda: model.id.in_(
            select(Membership.person_id).where(Membership.school_id == school_id)
        ),
        Within.POLICIES: lambda: policies_at(school_id),
        Within.TEXTS: lambda: texts_at(school_id),
        Within.CAMPAIGNS: lambda: model.id.in_(asked),
        Within.OF_CAMPAIGNS: lambda: model.campaign_id.in_(asked),
        Within.NONE: false,
    }
    found: ColumnElement[bool] = chosen[within]()
    return found


def _said_at(school_id: UUID) -> Any:
    return select(Edition.policy_id).where(Edition.school_id == school_id)


def policies_at(school_id: UUID) -> ColumnElement[bool]:
    """Policies of a school's own, and those that have or had an edition there."""
    return or_(Policy.school_id == school_id, Policy.id.in_(_said_at(school_id)))


def texts_at(school_id: UUID) -> ColumnElement[bool]:
    """The versions that a school wrote, and those that the trust published of policies with an edition there."""
    return or_(
        TemplateVersion.school_id == school_id,
        TemplateVersion.policy_id.in_(_said_at(school_id)) & (TemplateVersion.state == "published"),
    )
