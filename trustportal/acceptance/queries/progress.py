"""How far a campaign is: totals by school, role and policy, and its course over time.

Counted are the people who serve in a role that the campaign asks, on the day that is looked at: somebody who left is in
no total. The queries are the same few for one school and for fifty.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, or_, select

from trustportal.acceptance.domain.counting import as_bits, from_bits
from trustportal.acceptance.models import Assignment, Campaign, CampaignPerson, Signature
from trustportal.acceptance.queries.facts import Place, at_places
from trustportal.access import Role
from trustportal.db import db
from trustportal.times import day_of

#: Whoever is away for long owes nothing meanwhile, and counts neither as asked nor as late.
_THERE = Assignment.paused_on.is_(None)
OWED = and_(_THERE, or_(Assignment.state == "open", Assignment.closed_because == "ended"))
#: Only what is closed says why (the table sees to it); without a reason it is open or signed.
COUNTS = and_(_THERE, or_(Assignment.closed_because.is_(None), Assignment.closed_because == "ended"))


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


def counted(campaign: Campaign, places: Collection[Place], today: date) -> ColumnElement[bool]:
    """The rows of those who count at some places: whoever serves in a role that is asked, on the day that counts."""
    on = day_counted(campaign, today)
    return and_(
        CampaignPerson.campaign_id == campaign.id,
        CampaignPerson.counts,
        at_places(CampaignPerson.school_id, places),
        CampaignPerson.from_on <= on,
        or_(CampaignPerson.to_on.is_(None), CampaignPerson.to_on >= on),
        CampaignPerson.roles.op("&")(as_bits(campaign.roles)) > 0,
    )


@dataclass(frozen=True, slots=True)
class Tallies:
    """A campaign counted in two ways: people by place, and by role (somebody with two roles in each)."""

    places: Mapping[Place, Tally]
    roles: Mapping[Role, Tally]


def tallies_of(campaign: Campaign, places: Collection[Place], today: date) -> Tallies:
    """How far a campaign is at some places. A person who serves at two schools counts at each.

    PostgreSQL counts by place, and by the roles that people hold together, which are few; what those add up to by role
    is added here.
    """
    held = CampaignPerson.roles.op("&")(as_bits(campaign.roles)).label("held")
    people = (
        select(CampaignPerson.school_id, held, CampaignPerson.owed_by)
        .where(counted(campaign, places, today))
        .subquery()
    )
    statement = select(
        people.c.school_id,
        people.c.held,
        func.count(),
        func.count(people.c.owed_by),
        func.count().filter(people.c.owed_by < today),
    ).group_by(func.grouping_sets(people.c.school_id, people.c.held))
    by_place: dict[Place, Tally] = {}
    by_role: dict[Role, Tally] = {}
    for school_id, roles, count, owed, behind in db.session.execute(statement):
        tally = Tally(count, count - owed, behind)
        if roles is None:
            by_place[school_id] = tally
            continue
        for role in from_bits(roles):
            by_role[role] = by_role.get(role, Tally()) + tally
    return Tallies(by_place, {role: by_role[role] for role in Role if role in by_role})


#: What an assignment asks for: a policy, or an outside document.
_TEXT = func.coalesce(Assignment.policy_id, Assignment.outside_id)


def tally_by_policy(
    campaign: Campaign, places: Collection[Place], titles: Mapping[UUID, str], today: date
) -> dict[str, Tally]:
    """People and places together, by the title of the policy, of those who serve on the day that counts.

    `titles`: of policies and outside documents, by id; the answer is in their order.
    """
    each = (
        select(
            _TEXT.label("text_id"),
            func.coalesce(Assignment.school_id, Assignment.trust_id).label("place"),
            Assignment.person_id,
            func.bool_or(OWED).label("owed"),
            func.bool_or(and_(OWED, Assignment.due_on < today)).label("late"),
        )
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), COUNTS)
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
        .join(
            CampaignPerson,
            and_(
                CampaignPerson.person_id == each.c.person_id,
                func.coalesce(CampaignPerson.school_id, CampaignPerson.trust_id) == each.c.place,
            ),
        )
        .where(counted(campaign, places, today))
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
    # By the hour first, which is cheap: a day in England begins with one, winter and summer.
    hour = func.date_bin(timedelta(hours=1), signed_at, datetime(2000, 1, 1, tzinfo=UTC)).label("hour")
    hours = (
        select(hour, func.count().label("count"))
        .where(Assignment.campaign_id == campaign.id, at_places(Assignment.school_id, places), COUNTS)
        .group_by(hour)
        .subquery()
    )
    day = func.date(func.timezone("Europe/London", hours.c.hour)).label("day")
    rows = db.session.execute(
        select(day, cast(func.sum(hours.c.count), Integer)).group_by(day).order_by(day)
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
            func.count().filter(OWED).label("owed"),
            func.count().filter(OWED, Assignment.due_on < today).label("late"),
        )
        .join(Campaign, Campaign.id == Assignment.campaign_id)
        .where(
            Assignment.policy_id == policy_id,
            Assignment.school_id.is_not_distinct_from(school_id),
            Campaign.academic_year == newest,
            COUNTS,
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
    campaigns: Collection[Campaign], places: Collection[Place], today: date
) -> dict[UUID, Tally]:
    """People and places together, by campaign: for the list of campaigns."""
    if not campaigns:
        return {}
    rows = db.session.execute(
        select(
            CampaignPerson.campaign_id,
            func.count(),
            func.count(CampaignPerson.owed_by),
            func.count().filter(CampaignPerson.owed_by < today),
        )
        .where(or_(*(counted(one, places, today) for one in campaigns)))
        .group_by(CampaignPerson.campaign_id)
    )
    return {campaign_id: Tally(asked, asked - owed, late) for campaign_id, asked, owed, late in rows}


def find_newest_campaign(places: Collection[Place]) -> Campaign | None:
    """The campaign that asks people at some places now, or did last: for the home page's «41 of 48 have signed»."""
    asked = select(Assignment.campaign_id).where(at_places(Assignment.school_id, places))
    return db.session.scalars(
        select(Campaign)
        .where(Campaign.id.in_(asked))
        .order_by(Campaign.state.desc(), Campaign.academic_year.desc(), Campaign.opens_on.desc())
        .limit(1)
    ).one_or_none()
