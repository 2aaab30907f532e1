"""What a campaign asked, line by line, signed or not: for exports and evidence packs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition, Signature
from trustportal.acceptance.queries.facts import Place, at_places, holds
from trustportal.acceptance.queries.mine import TITLE
from trustportal.acceptance.queries.progress import COUNTS, day_counted
from trustportal.access import Role
from trustportal.db import db
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Edition, Policy
from trustportal.tenants.models import Membership, Person, School


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an export: one person, one policy, one place."""

    school_name: str | None
    name: str
    roles: Sequence[Role]
    policy: str
    edition: str
    state: str
    due_on: date
    signed_at: datetime | None
    statement: str | None
    #: How it was signed: in words, "" where it was not.
    how: str = ""
    #: For paper, the day that stands on it.
    paper_on: date | None = None


def list_lines(
    campaign: Campaign, places: Collection[Place], today: date, *, role: Role | None = None
) -> list[Line]:
    """Everything that a campaign asked at some places, signed or not, by school, name and policy."""
    held = (
        select(func.array_agg(Membership.role.distinct()))
        .where(
            Membership.trust_id == Assignment.trust_id,
            Membership.person_id == Assignment.person_id,
            Membership.school_id.is_not_distinct_from(Assignment.school_id),
            holds(day_counted(campaign, today)),
        )
        .correlate(Assignment)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            School.name,
            Person.name,
            held,
            TITLE.label("title"),
            Edition.major,
            Edition.minor,
            OutsideEdition.edition,
            Assignment.state,
            Assignment.due_on,
            Signature.signed_at,
            Signature.statement,
            Signature.person_name,
            Signature.roles,
            Signature.edition_label,
            Signature.method,
            Signature.witness,
        )
        .select_from(Assignment)
        .join(Person, Person.id == Assignment.person_id)
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(Edition, Edition.id == Assignment.edition_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .outerjoin(Signature, Signature.assignment_id == Assignment.id)
        .outerjoin(School, School.id == Assignment.school_id)
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), COUNTS)
        .order_by(School.name.nulls_first(), Person.name, TITLE, Assignment.created_at)
    )
    lines = []
    for row in rows:
        then = [one["role"] for one in row.roles] if row.roles else None
        roles = [one for one in Role if one in (then if then is not None else row[2] or ())]
        if role is not None and role not in roles:
            continue
        late = row.state != "signed" and row.due_on < today
        lines.append(
            Line(
                school_name=row[0],
                name=row.person_name or row[1],
                roles=roles,
                policy=row.title,
                edition=row.edition_label or row.edition or edition_label(row.major, row.minor),
                state="Signed" if row.state == "signed" else "Late" if late else "Not signed",
                due_on=row.due_on,
                signed_at=row.signed_at,
                statement=row.statement,
                how=_how(row.method, row.witness),
                paper_on=date.fromisoformat(row.witness["signed_on"]) if row.witness else None,
            )
        )
    return lines


def _how(method: str | None, witness: Mapping[str, str] | None) -> str:
    if method is None:
        return ""
    if witness:
        return f"On paper, recorded by {witness['recorder_name']}"
    return "Printed code" if method == "printed code" else "In the portal"
