"""What acceptance puts on the home page: one task for all that is to be signed, and how many have signed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import url_for

from trustportal import web
from trustportal.acceptance import mail, services
from trustportal.acceptance.domain.questions import Asking
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.queries import mine, overview, progress, questions
from trustportal.acceptance.queries.progress import Tally
from trustportal.access import Actor, Permission
from trustportal.tenants.tasks import Fact, Task


def my_tasks(actor: Actor, today: date) -> Iterable[Task]:
    """Whatever one has to sign, in all schools, is one sitting and one task."""
    assert actor.person_id is not None
    asked = [one for one in mine.list_open(actor.person_id) if not one.paused]
    if not asked:
        return
    slug = web.trust().slug
    ready = [one for one in asked if not one.waits_for_pdf]
    if not ready:
        # A newer edition has just come into force: nobody is sent to a page on which nothing can be signed yet.
        titles = list(dict.fromkeys(one.policy_title for one in asked))
        yield Task(
            title=f"On its way: {titles[0] if len(titles) == 1 else mail.counted(len(titles), 'policy', 'policies')}",
            url=url_for("acceptance.my_signing", trust=slug),
            detail="A new edition has just come into force and is being prepared. You can sign it in a few minutes.",
            action_label="See what is coming",
            urgency=2,
        )
        return
    asked = ready
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


def questions_for_me(actor: Actor, today: date) -> Iterable[Task]:
    """What others asked me instead of signing, and who refused: each is a task until I have answered."""
    assert actor.person_id is not None
    slug = web.trust().slug
    for one in questions.list_waiting_for(actor.person_id):
        refused = one.question.kind == Asking.REFUSAL
        yield Task(
            title=f"Speak with {one.asker}, who does not sign"
            if refused
            else f"Answer {one.asker}’s question",
            url=url_for("acceptance.question", trust=slug, question_id=one.question.id),
            detail=f"{one.policy_title}, {one.place_name}.",
            action_label="Read and note" if refused else "Answer",
            urgency=0,
            tag="Refused" if refused else "",
            tag_kind="late" if refused else "",
        )


def next_campaign(actor: Actor, today: date) -> Iterable[Task]:
    """The yearly round proposes itself: last year's again, with the days of this one, until somebody starts it."""
    if not actor.can(Permission.ACCEPTANCE_MANAGE):
        return
    year = services.proposed_year(today)
    if year is not None:
        yield Task(
            title=f"Start the annual signing for {year_label(year)}",
            url=url_for("acceptance.new_campaign", trust=web.trust().slug),
            detail="It is filled in as last year’s was. You see who will be asked before anybody is.",
            action_label="Look and start",
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
    tallies = progress.tallies_of(campaign, [one.id for one in places], today).places
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
