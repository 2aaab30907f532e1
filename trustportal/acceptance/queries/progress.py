"""How far a campaign is: totals by school and role, and, for those who may see names, who has not signed.

Counted are the people who serve in a role that the campaign asks, on the day that is looked at: somebody who left is in
no total. The queries are the same few for one school and for fifty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, and_, case, func, or_, select, union_all

from trustportal.acceptance.models import Assignment, Campaign, OutsideEdition, Question, Signature
from trustportal.acceptance.queries.facts import Place, at_places, holds
from trustportal.acceptance.queries.mine import TITLE
from trustportal.access import Role
from trustportal.db import db
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Edition, Policy
from trustportal.tenants.models import Membership, Person, School
from trustportal.times import day_of

PAGE = 100
#: Whoever is away for long owes nothing meanwhile, and counts neither as asked nor as late.
_THERE = Assignment.paused_on.is_(None)
_OWED = and_(_THERE, or_(Assignment.state == "open", Assignment.closed_because == "ended"))
_COUNTS = and_(_THERE, or_(Assignment.state.in_(["open", "signed"]), Assignment.closed_because == "ended"))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people were asked, how many of them owe nothing, how many are late."""

    asked: int = 0
    signed: int = 0
    late: int = 0

    @property
    def missing(self) -> int:
        return self.asked - self.signed

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means everybody."""
        return self.signed * 100 // self.asked if self.asked else 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.asked + other.asked, self.signed + other.signed, self.late + other.late)


def day_counted(campaign: Campaign, today: date) -> date:
    """The day whose memberships count: today, or the day on which the campaign was closed."""
    return day_of(campaign.closed_at) if campaign.closed_at else today


def _people(campaign_ids: Collection[UUID], places: Collection[Place], today: date) -> Subquery:
    """One row for each campaign, place and person: what they owe and what is late."""
    return (
        select(
            Assignment.campaign_id,
            Assignment.school_id,
            Assignment.person_id,
            func.count().filter(_OWED).label("owed"),
            func.count().filter(_OWED, Assignment.due_on < today).label("late"),
        )
        .where(Assignment.campaign_id.in_(campaign_ids), at_places(Assignment.school_id, places), _COUNTS)
        .group_by(Assignment.campaign_id, Assignment.school_id, Assignment.person_id)
        .subquery()
    )


#: A place as one column: the school, or the trust itself.
_PLACE = func.coalesce(Membership.school_id, Membership.trust_id)


#: A bit for each role that somebody holds, and above them those for what they are asked.
_BITS: Mapping[str, int] = {str(role): 1 << number for number, role in enumerate(Role)}
_ROLES = (1 << len(Role)) - 1
_LATE, _OWES, _ASKED = (1 << (len(Role) + above) for above in range(3))


def _serving(campaign: Campaign, places: Collection[Place], on: date) -> Any:
    return select(_PLACE.label("place"), Membership.person_id).where(
        at_places(Membership.school_id, places), Membership.role.in_(campaign.roles), holds(on)
    )


@contextmanager
def _in_heaps() -> Iterator[None]:
    """Let PostgreSQL count by hashing. It cannot tell beforehand how many rows row-level security leaves, takes them
    for a few hundred, and would sort twenty thousand people.
    """
    _choose("enable_sort", "off")
    yield
    # After a fault there is no transaction left in which it would hold.
    _choose("enable_sort", "on")


def _choose(name: str, value: str) -> None:
    db.session.execute(
        select(func.set_config(name, value, True)),
        execution_options={"unscoped_because": "a setting of the transaction; no rows are read"},
    )


@dataclass(frozen=True, slots=True)
class Tallies:
    """A campaign counted in two ways: people by place, and by role (somebody with two roles in each)."""

    places: Mapping[Place, Tally]
    roles: Mapping[Role, Tally]


def tallies_of(campaign: Campaign, places: Collection[Place], today: date) -> Tallies:
    """How far a campaign is at some places. A person who serves at two schools counts at each.

    PostgreSQL counts people by place and by the roles that they hold together, which are few; what those add up to by
    place and by role is added here. What people hold and what they are asked is laid together in one heap, a bit for
    each thing, and gone through once: twenty thousand people would be long in a join.
    """
    serving = select(
        _PLACE.label("place"),
        Membership.person_id,
        case(_BITS, value=Membership.role, else_=0).label("bits"),
    ).where(
        at_places(Membership.school_id, places),
        Membership.role.in_(campaign.roles),
        holds(day_counted(campaign, today)),
    )
    asked = select(
        func.coalesce(Assignment.school_id, Assignment.trust_id),
        Assignment.person_id,
        case(
            (and_(_OWED, Assignment.due_on < today), _ASKED | _OWES | _LATE),
            (_OWED, _ASKED | _OWES),
            else_=_ASKED,
        ),
    ).where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), _COUNTS)
    heap = union_all(serving, asked).subquery()
    people = (
        select(heap.c.place, func.bit_or(heap.c.bits).label("bits"))
        .group_by(heap.c.person_id, heap.c.place)
        .subquery()
    )
    held = people.c.bits.op("&")(_ROLES).label("held")
    statement = (
        select(
            people.c.place,
            held,
            func.count(),
            func.count().filter(people.c.bits.op("&")(_OWES) > 0),
            func.count().filter(people.c.bits.op("&")(_LATE) > 0),
        )
        .where(people.c.bits >= _ASKED, people.c.bits.op("&")(_ROLES) > 0)
        .group_by(people.c.place, held)
    )
    with _in_heaps():
        rows = db.session.execute(statement).all()
    by_place: dict[Place, Tally] = defaultdict(Tally)
    by_role: dict[str, Tally] = defaultdict(Tally)
    for place, roles, count, owed, behind in rows:
        tally = Tally(count, count - owed, behind)
        by_place[None if place == campaign.trust_id else place] += tally
        for role, bit in _BITS.items():
            if roles & bit:
                by_role[role] += tally
    return Tallies(dict(by_place), {role: by_role[role] for role in Role if role in by_role})


#: What an assignment asks for: a policy, or an outside document.
_TEXT = func.coalesce(Assignment.policy_id, Assignment.outside_id)


def tally_by_policy(
    campaign: Campaign, places: Collection[Place], titles: Mapping[UUID, str], today: date
) -> dict[str, Tally]:
    """People and places together, by the title of the policy, of those who serve on the day that counts.

    `titles`: of policies and outside documents, by id; the answer is in their order.
    """
    serving = (
        _serving(campaign, places, day_counted(campaign, today))
        .distinct()
        .cte("serving")
        .prefix_with("MATERIALIZED")
    )
    each = (
        select(
            _TEXT.label("text_id"),
            func.coalesce(Assignment.school_id, Assignment.trust_id).label("place"),
            Assignment.person_id,
            func.bool_or(_OWED).label("owed"),
            func.bool_or(and_(_OWED, Assignment.due_on < today)).label("late"),
        )
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), _COUNTS)
        .group_by(_TEXT, Assignment.school_id, Assignment.trust_id, Assignment.person_id)
        .cte("asked")
        .prefix_with("MATERIALIZED")
    )
    rows = db.session.execute(
        select(
            each.c.text_id,
            func.count(),
            func.count().filter(each.c.owed),
            func.count().filter(each.c.late),
        )
        .select_from(each)
        .join(serving, and_(serving.c.person_id == each.c.person_id, serving.c.place == each.c.place))
        .group_by(each.c.text_id)
    )
    found = {text_id: Tally(count, count - owed, late) for text_id, count, owed, late in rows}
    return {title: found[text_id] for text_id, title in titles.items() if text_id in found}


@dataclass(frozen=True, slots=True)
class Course:
    """How a campaign went, day by day: (day, signatures until its end), from the first day to the last one known."""

    days: Sequence[tuple[date, int]]
    wanted: int


def course_of(campaign: Campaign, places: Collection[Place], today: date) -> Course:
    """The signatures of a campaign, day by day, and how many there would be if everybody had signed."""
    signed_at = case((Assignment.state == "signed", Assignment.closed_at))
    day = func.date(func.timezone("Europe/London", signed_at)).label("day")
    rows = db.session.execute(
        select(day, func.count())
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), _COUNTS)
        .group_by(day)
        .order_by(day)
    ).all()
    days, total = [(campaign.opens_on, 0)], 0
    for on, count in rows:
        if on is not None:
            total += count
            days.append((on, total))
    last = min(today, day_counted(campaign, today))
    if last > days[-1][0]:
        days.append((last, total))
    return Course(days, sum(count for _, count in rows))


def tally_of_policy(policy_id: UUID, school_id: Place, today: date) -> Tally:
    """How many of those who were asked in this year's campaigns have signed a policy at a place."""
    newest = (
        select(func.max(Campaign.academic_year))
        .join(Assignment, Assignment.campaign_id == Campaign.id)
        .where(Assignment.policy_id == policy_id, Assignment.school_id.is_not_distinct_from(school_id))
        .scalar_subquery()
    )
    each = (
        select(
            func.count().filter(_OWED).label("owed"),
            func.count().filter(_OWED, Assignment.due_on < today).label("late"),
        )
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .where(
            Assignment.policy_id == policy_id,
            Assignment.school_id.is_not_distinct_from(school_id),
            Campaign.academic_year == newest,
            _COUNTS,
        )
        .group_by(Assignment.person_id)
        .subquery()
    )
    asked, signed, late = db.session.execute(
        select(
            func.count(), func.count().filter(each.c.owed == 0), func.count().filter(each.c.late > 0)
        ).select_from(each)
    ).one()
    return Tally(asked, signed, late)


def find_own(policy_id: UUID, school_id: Place, person_id: UUID) -> Signature | None:
    """Somebody's newest signature for a policy at a place."""
    return db.session.scalars(
        select(Signature)
        .where(
            Signature.policy_id == policy_id,
            Signature.school_id.is_not_distinct_from(school_id),
            Signature.person_id == person_id,
        )
        .order_by(Signature.signed_at.desc())
        .limit(1)
    ).first()


def tally_of_campaigns(
    campaign_ids: Collection[UUID], places: Collection[Place], today: date
) -> dict[UUID, Tally]:
    """People and places together, by campaign: for the list of campaigns."""
    people = _people(campaign_ids, places, today)
    rows = db.session.execute(
        select(
            people.c.campaign_id,
            func.count(),
            func.count().filter(people.c.owed == 0),
            func.count().filter(people.c.late > 0),
        ).group_by(people.c.campaign_id)
    )
    return {campaign_id: Tally(asked, signed, late) for campaign_id, asked, signed, late in rows}


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Somebody who has not signed everything at one place."""

    person_id: UUID
    name: str
    school_id: UUID | None
    school_name: str | None
    roles: Sequence[Role]
    policies: Sequence[str]
    due_on: date
    reminded_on: date | None
    has_email: bool
    #: Whether they asked about something, or refused, and wait for an answer.
    asked_about: bool


@dataclass(frozen=True, slots=True)
class UnsignedPage:
    """A page of them, and how many there are in all."""

    people: Sequence[Unsigned]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def list_unsigned(
    campaign: Campaign,
    places: Collection[Place],
    today: date,
    *,
    role: Role | None = None,
    page: int = 1,
    total: int | None = None,
    skip: int | None = None,
) -> UnsignedPage:
    """Who has not signed at some places, by school and name; `role`: only those who hold it there.

    `total` and `skip` where it is known how many there are, and how many of the page's start lie at places before
    these: then only the places that the page shows need be looked at.
    """
    roles = func.array_agg(Membership.role.distinct())
    waiting = (
        select(Question.assignment_id)
        .where(Question.trust_id == Assignment.trust_id, Question.state == "open")
        .correlate(Assignment)
    )
    statement = (
        select(
            Person.id,
            Person.name,
            Person.email.is_not(None),
            Assignment.school_id,
            School.name,
            roles,
            func.array_agg(TITLE.distinct()),
            func.min(Assignment.due_on),
            func.max(Assignment.reminded_on),
            func.bool_or(Assignment.id.in_(waiting)),
            func.count().over(),
        )
        .select_from(Assignment)
        .join(Person, Person.id == Assignment.person_id)
        .outerjoin(Policy, Policy.id == Assignment.policy_id)
        .outerjoin(OutsideEdition, OutsideEdition.id == Assignment.outside_edition_id)
        .join(
            Membership,
            and_(
                Membership.person_id == Assignment.person_id,
                Membership.school_id.is_not_distinct_from(Assignment.school_id),
                Membership.role.in_(campaign.roles),
                holds(day_counted(campaign, today)),
            ),
        )
        .outerjoin(School, School.id == Assignment.school_id)
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), _OWED)
        .group_by(Person.id, Person.name, Person.email, Assignment.school_id, School.name)
        # In the order of their letters' codes, as the tallies by place are sorted: pages follow each other exactly.
        .order_by(School.name.collate("C").nulls_first(), Person.name, Person.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE if skip is None else skip)
    )
    if role is not None:
        statement = statement.having(func.bool_or(Membership.role == str(role)))
    rows = db.session.execute(statement).all()
    return UnsignedPage(
        people=[
            Unsigned(
                person_id=person_id,
                name=name,
                school_id=school_id,
                school_name=school_name,
                roles=[one for one in Role if one in held],
                policies=sorted(titles),
                due_on=due_on,
                reminded_on=reminded_on,
                has_email=has_email,
                asked_about=asked_about,
            )
            for (
                person_id,
                name,
                has_email,
                school_id,
                school_name,
                held,
                titles,
                due_on,
                reminded_on,
                asked_about,
                _,
            ) in rows
        ],
        total=total if total is not None else (rows[0][-1] if rows else 0),
        page=page,
    )


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
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), _COUNTS)
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


def find_newest_campaign(places: Collection[Place]) -> Campaign | None:
    """The campaign that asks people at some places now, or did last: for the home page's «41 of 48 have signed»."""
    asked = select(Assignment.campaign_id).where(at_places(Assignment.school_id, places))
    return db.session.scalars(
        select(Campaign)
        .where(Campaign.id.in_(asked))
        .order_by(Campaign.state.desc(), Campaign.academic_year.desc(), Campaign.opens_on.desc())
        .limit(1)
    ).one_or_none()
