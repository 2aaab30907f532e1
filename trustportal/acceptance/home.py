"""What acceptance puts on the home page: one task for all that is to be signed, and how many have signed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import url_for

from trustportal import web
from trustportal.acceptance import mail
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.queries import mine, overview, progress
from trustportal.acceptance.queries.progress import Tally
from trustportal.access import Actor, Permission
from trustportal.tenants.tasks import Fact, Task


def my_tasks(actor: Actor, today: date) -> Iterable[Task]:
    """Whatever one has to sign, in all schools, is one sitting and one task."""
    assert actor.person_id is not None
    asked = mine.list_open(actor.person_id)
    if not asked:
        return
    slug = web.trust().slug
    titles = list(dict.fromkeys(one.policy_title for one in asked))
    places = {one.school_short_name or "" for one in asked}
    changed = sum(one.has_changed for one in asked)
    if len(asked) == 1:
        title = f"Sign {titles[0]} for {year_label(asked[0].academic_year)}"
        url = url_for("acceptance.sign", trust=slug, assignment_id=asked[0].id)
        detail = "It has changed since you last signed." if changed else "You have not signed it this year."
    else:
        year = year_label(max(one.academic_year for one in asked))
        what = mail.counted(len(titles), "policy", "policies")
        title = f"Sign {what} for {year}"
        if len(titles) < len(asked):  # the same policy at several schools: each has its own text
            title = f"Sign {titles[0] if len(titles) == 1 else what} at {len(places)} places for {year}"
        url = url_for("acceptance.my_signing", trust=slug)
        named = ", ".join(titles[:4]) + (" and others." if len(titles) > 4 else ".")
        verb = "has" if changed == 1 else "have"
        detail = named + (
            f" {mail.counted(changed, '', '').strip().capitalize()} {verb} changed since you last signed."
            if changed
            else ""
        )
    yield Task(
        title=title,
        url=url,
        detail=detail,
        due_on=min(one.due_on for one in asked),
        action_label="Read and sign",
        place=places.pop() if len(places) == 1 else "",
    )


def facts(actor: Actor, today: date) -> Iterable[Fact]:
    """“41 of 48 have signed”: at each of one's schools, or in the whole trust for its officers."""
    places = overview.places_of(actor, Permission.ACCEPTANCE_TOTALS)
    if not places:
        return
    campaign = progress.find_newest_campaign([one.id for one in places])
    if campaign is None:
        return
    slug = web.trust().slug
    tallies = progress.tally_by_place(campaign, [one.id for one in places], today)
    url = url_for("acceptance.campaign", trust=slug, campaign_id=campaign.id)
    if actor.is_officer:
        total = sum(tallies.values(), Tally())
        if total.asked:
            yield _fact(total, url, "")
        return
    for place in places:
        if place.id in tallies:
            here = url_for("acceptance.at_school", trust=slug, school=place.slug)
            yield _fact(tallies[place.id], here, place.short_name)


def _fact(tally: Tally, url: str, place: str) -> Fact:
    return Fact(str(tally.signed), f"of {tally.asked} have signed", url, place, tally.percent)
