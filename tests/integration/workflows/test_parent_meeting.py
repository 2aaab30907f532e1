"""A meeting with a parent, from the post that was seen to the day on which a restriction ends by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from tests.integration.conftest import PortalClient
from tests.integration.workflows.meetings import KEY, Parents, Quiet
from tests.integration.workflows.test_about_somebody import concerned
from tests.world import Someone
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.times import today
from trustportal.workflows import chain
from trustportal.workflows.models import CaseSubject, WorkflowCase, WorkflowDefinition
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import holds
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import referring

Clients = Callable[[Someone], PortalClient]
__all__ = ["concerned"]


@pytest.fixture
def parents(app: Flask, worker_app: Flask) -> Parents:
    """Ashgrove, its policy, an account."""
    return Parents(Quiet(app, worker_app, name="Larkfield Academies Trust", slug="larkfield"))


@pytest.fixture
def office(parents: Parents) -> Parents:
    """For fixtures that build on an office."""
    return parents


def test_from_the_post_to_the_end_of_a_restriction(parents: Parents) -> None:
    case_id = parents.report()
    assert parents.holders(case_id) == {parents.head.id}
    assert parents.participants(case_id) == {parents.head.id}, "whoever reported it has done their part"
    parents.invited(case_id)
    letter = parents.letter(case_id, "invitation")
    assert letter["address"] == ["Ms R Calder", "4 Mill Lane", "Larkfield"]
    for words in (
        "Dear Ms R Calder",
        "A post says that the school lies about the trip.",
        "Social media policy, 1.1 (Comments about others)",
        "at 15:45\nLength: Three quarters of an hour\nPlace: The head’s office",
        " and ",
        "Hana Head",
        "Dana Deputy",
        "Bo Manager takes notes",
        "bring somebody with you",
        "interpreter",
        "get in touch with Bo Manager, 01632 960002",
        "You do not have to come. If you do not",
        "Please take the post down until we have met.",
        "not a hearing of a formal complaint",
        "Hana Head\nHeadteacher",
    ):
        assert words in letter["body"], words
    assert "We have noted" not in letter["body"], "a paragraph with nothing to say is left out"
    assert parents.deputy.id in parents.participants(case_id), "whoever takes part sees it"
    parents.act(parents.head, case_id, "accepted", answer="She comes with a friend.")
    assert parents.state(case_id) == "invited"
    parents.act(
        parents.head,
        case_id,
        "met",
        met_who="Ms Calder, the head",
        account="She was upset.",
        agreed="Nothing.",
    )
    assert "She was upset." in parents.letter(case_id, "notes")["body"]
    with pytest.raises(RuleBroken) as refused:
        parents.act(parents.head, case_id, "decide", **parents.restriction(review_on=""))
    assert refused.value.field == "review_on", "no restriction without the day on which it is looked at again"
    with pytest.raises(RuleBroken) as refused:
        parents.act(parents.head, case_id, "decide", **parents.restriction(channel_tried=""))
    assert refused.value.field == "channel_tried"
    parents.act(parents.head, case_id, "decide", **parents.restriction())
    assert parents.holders(case_id) == {parents.office.id}
    outcome = parents.letter(case_id, "outcome")["body"]
    for words in ("On the", "Our page", "Comment", "Letters, and the office’s e-mail", "ask for a review"):
        assert words.lower() in outcome.lower() or words == "On the", words
    parents.act(parents.office, case_id, "implemented", proof="Blocked; see the list.")
    ends = today() + timedelta(days=60)
    parents.passes(ends - timedelta(days=13))
    assert parents.state(case_id) == "restricted"
    parents.passes(ends + timedelta(days=7))
    assert parents.state(case_id) == "lapsed", "it never goes on by itself"
    assert parents.holders(case_id) == {parents.office.id}
    parents.passes(ends + timedelta(days=7))
    with parents.behind():
        happened = [one.action for one in chain.timeline(Seal.of_trust(), case_id)]
    assert [happened.count(one) for one in ("reminded", "overdue", "lapse")] == [1, 1, 1]
    parents.act(parents.office, case_id, "restored", restored="She can comment again.")
    assert parents.state(case_id) == "settled"
    assert "use them again" in parents.letter(case_id, "restored")["body"]


def test_a_restriction_is_decided_anew_reviewed_and_ended(parents: Parents) -> None:
    case_id = parents.report()
    parents.invited(case_id)
    parents.act(parents.head, case_id, "met", met_who="All", account="So.", agreed="Nothing.")
    parents.act(parents.head, case_id, "decide", **parents.restriction())
    parents.act(parents.office, case_id, "implemented", proof="Blocked.")
    later = (today() + timedelta(days=90)).isoformat()
    anew = {"review_on": later, "proportion": "Still.", "equality": "Looked at."}
    with pytest.raises(RuleBroken):
        parents.act(parents.head, case_id, "renew", **anew)
    parents.act(parents.head, case_id, "renew", comment="It began again.", **anew)
    assert "It began again." in parents.letter(case_id, "renewed")["body"]
    parents.passes(today() + timedelta(days=67))
    assert parents.state(case_id) == "restricted", "the earlier day counts no more"
    parents.act(parents.head, case_id, "ask_review", comment="She says it is too much.")
    assert parents.holders(case_id) == {parents.chair.id}, "somebody who did not decide"
    parents.act(parents.chair, case_id, "review_decided", reviewed="lifted", comment="Less would do.")
    assert parents.state(case_id) == "restore"
    assert "I had no part in the decision" in parents.letter(case_id, "reviewed")["body"]


def test_nobody_comes_twice_and_it_is_decided_on_the_papers(parents: Parents) -> None:
    case_id = parents.report()
    parents.invited(case_id)
    with pytest.raises(RuleBroken, match="has not come yet"):
        parents.act(parents.head, case_id, "missed", absence="Nobody came.")
    parents.day_comes(case_id)
    parents.act(parents.head, case_id, "missed", absence="Nobody came by 16:15.")
    assert parents.state(case_id) == "invite_again"
    parents.act(parents.head, case_id, "invite_again", **parents.meeting())
    assert "a second time" in parents.letter(case_id, "second")["body"]
    parents.day_comes(case_id)
    parents.act(parents.head, case_id, "missed", absence="Nobody came.")
    assert parents.state(case_id) == "in_absence"
    # What was typed about a restriction means nothing where another decision was taken.
    decision = parents.restriction(outcome="warning", reasons="The post names a child.")
    with pytest.raises(RuleBroken):
        parents.act(parents.head, case_id, "decide_absent", **decision)
    parents.act(parents.head, case_id, "decide_absent", comment="I have read the post.", **decision)
    letter = parents.letter(case_id, "outcome_absent")["body"]
    assert "I invited you twice" in letter
    assert "I have read the post." in letter
    assert "A written warning" in letter
    assert "looked at again" not in letter, "nothing about a restriction that there is not"
    assert parents.state(case_id) == "settled"


def calendars(parents: Parents, client: PortalClient, case_id: UUID) -> list[Any]:
    """Every calendar file, read as a calendar does."""
    found = []
    for one in parents.letters(case_id):
        if one["key"].startswith("calendar-"):
            answer = client.get(parents.world.url(f"cases/{case_id}/documents/{one['id']}.ics"))
            assert answer.content_type.startswith("text/calendar")
            found.append(Calendar.from_ical(answer.get_data()))
    return found


def test_the_calendar_file_follows_the_meeting_and_two_changes_are_enough(
    parents: Parents, client_for: Clients
) -> None:
    case_id = parents.report()
    parents.invited(case_id, meeting_on="2035-07-05")
    other = parents.meeting(meeting_on="2035-07-06", meeting_at="9.30")
    for _ in range(2):
        parents.act(parents.head, case_id, "rearranged", comment="She works.", **other)
    with pytest.raises(NotFound):
        parents.act(parents.head, case_id, "rearranged", **other)
    parents.act(parents.head, case_id, "call_off", comment="The post is gone.")
    # The network manager allows a third change: for cases that begin from now on.
    manager, editor = client_for(parents.world.manager), parents.world.url(f"workflows/{KEY}")
    shown = manager.get(editor).get_data(as_text=True)
    assert "They ask for another day: at most 2 times in one case" in shown
    assert "Until the day in “When is it looked at again?”" in shown
    assert "It goes on to “Expired – restore access” by itself." in shown
    change = {"state": "invited", "action": "rearranged", "at_most": "0"}
    assert manager.post(f"{editor}/limits", data=change).status_code == 422
    assert manager.post(f"{editor}/limits", data={**change, "at_most": "3"}).status_code == 303
    assert "at most 3 times in one case" in manager.get(editor).get_data(as_text=True)
    made = calendars(parents, client_for(parents.head), case_id)
    events = [one.walk("VEVENT")[0] for one in made]
    assert len({str(one["UID"]) for one in events}) == 1
    assert [int(one["SEQUENCE"]) for one in events] == [0, 1, 2, 3]
    assert [str(one["METHOD"]) for one in made] == ["PUBLISH"] * 3 + ["CANCEL"]
    assert [str(one["STATUS"]) for one in events] == ["CONFIRMED"] * 3 + ["CANCELLED"]
    first, second = events[0], events[1]
    assert first["DTSTART"].dt.isoformat() == "2035-07-05T14:45:00+00:00", "15:45 on the English clock"
    assert (first["DTEND"].dt - first["DTSTART"].dt) == timedelta(minutes=45)
    assert second["DTSTART"].dt.isoformat() == "2035-07-06T08:30:00+00:00"
    for one in made:
        text = one.to_ical().decode()
        assert "Calder" not in text, "a calendar is read over shoulders"
        assert parents.case(case_id).row.reference not in text
    assert "The post is gone." in parents.letter(case_id, "called_off")["body"]
    pdf = client_for(parents.head).get(
        parents.world.url(f"cases/{case_id}/documents/{parents.letters(case_id)[1]['id']}.pdf")
    )
    assert pdf.status_code == 404
    outsider = client_for(parents.third).get(
        parents.world.url(f"cases/{case_id}/documents/{parents.letters(case_id)[1]['id']}.ics")
    )
    assert outsider.status_code == 404


def test_whom_it_is_about_is_asked_before_anybody_gets_it(parents: Parents, client_for: Clients) -> None:
    case_id = parents.report(about_whom="yes", about=[str(parents.head.id)])
    assert parents.holders(case_id) == {parents.chair.id}, "about the head: somebody else decides"
    assert client_for(parents.head).get(parents.world.url(f"cases/{case_id}")).status_code == 404
    about_the_chair = parents.report(about_whom="yes", about=[str(parents.chair.id)])
    assert parents.holders(about_the_chair) == {parents.head.id}
    with pytest.raises(RuleBroken) as refused:
        parents.report(about_whom="yes", about=[])
    assert refused.value.field == "about"
    # Whoever writes about themself sees nothing more of it either.
    own = parents.report(parents.head, about_whom="yes", about=[str(parents.head.id)])
    assert parents.participants(own) == {parents.chair.id}


def test_no_letter_names_another_pupil_and_a_second_meeting_has_the_chair(parents: Parents) -> None:
    case_id = parents.report()
    parents.go_on(case_id)
    with pytest.raises(RuleBroken, match="names “Noor”") as refused:
        parents.act(
            parents.head, case_id, "invite", **parents.meeting(concern="A post about Noor and the trip.")
        )
    assert refused.value.field == "concern"
    parents.act(
        parents.head,
        case_id,
        "invite",
        **parents.meeting(concern="A post about another pupil. Robin is fine."),
    )
    parents.act(parents.head, case_id, "met", met_who="All", account="So.", agreed="Nothing.")
    with pytest.raises(RuleBroken) as refused:
        parents.act(
            parents.head, case_id, "decide", outcome="advice", reasons="Ben Pike’s picture was shown."
        )
    assert refused.value.field == "reasons"
    parents.act(parents.head, case_id, "decide", outcome="advice", reasons="It was unkind.")
    for one in parents.letters(case_id):
        if one["kind"] == "letter":
            assert not {"Noor", "Aziz", "Pike", "Holt"} & set(one["body"].replace("’", " ").split())
    # A second meeting about the same has the chair in it.
    case_id = parents.report()
    parents.go_on(case_id, repeat="yes")
    with pytest.raises(RuleBroken) as refused:
        parents.act(parents.head, case_id, "invite", **parents.meeting())
    assert refused.value.field == "attends"
    # The chair is not of the school's staff, and can be chosen all the same.
    parents.act(
        parents.head,
        case_id,
        "invite",
        **parents.meeting(attends=[str(parents.head.id), str(parents.chair.id)]),
    )
    assert parents.chair.id in parents.participants(case_id)


def test_two_people_share_a_letter_only_where_they_may(parents: Parents) -> None:
    together = parents.report(household="together", other_name="Mr D Calder")
    assert parents.reported() == [together]
    parents.invited(together)
    letter = parents.letter(together, "invitation")
    assert letter["address"][0] == "Ms R Calder and Mr D Calder"
    assert "Dear Ms R Calder and Mr D Calder" in letter["body"]
    # A restriction of contact, or two addresses: a case each, and nothing of the other in either.
    for household in ("apart", "restricted"):
        before = set(parents.reported())
        parents.report(
            household=household,
            other_name="Mr D Frost",
            other_address="9 Hill Road",
            other_reached="01632 960009",
        )
        found = {}
        for case_id in set(parents.reported()) - before:
            parents.invited(case_id)
            written = parents.letter(case_id, "invitation")["address"]
            found[tuple(written)] = f"{parents.letters(case_id)} {parents.case(case_id).values}"
        calder = found[("Ms R Calder", "4 Mill Lane", "Larkfield")]
        frost = found[("Mr D Frost", "9 Hill Road")]
        assert not any(words in calder for words in ("Frost", "Hill Road", "960009"))
        assert not any(words in frost for words in ("Ms R", "Mill Lane", "960001"))


def test_other_ways_that_it_can_take(parents: Parents, client_for: Clients) -> None:
    ways: list[tuple[str, str, list[str]]] = [
        ("complaint", "signposted", ["complaint"]),
        ("not_parent", "elsewhere", []),
        ("nothing", "ended", []),
    ]
    for triage, state, letters in ways:
        case_id = parents.report()
        parents.go_on(case_id, triage=triage)
        assert parents.state(case_id) == state
        assert [one["key"] for one in parents.letters(case_id) if one["key"] != "form"] == letters
    # A letter that came back is no absence.
    case_id = parents.report()
    parents.invited(case_id)
    parents.act(
        parents.head, case_id, "bounced", comment="Moved.", parent_address="1 New Street", parent_reached=""
    )
    assert parents.state(case_id) == "invite"
    parents.act(parents.head, case_id, "invite", **parents.meeting())
    assert parents.letter(case_id, "invitation")["address"] == ["Ms R Calder", "1 New Street"]
    # A complaint pauses nothing, and shows.
    before = parents.case(case_id)
    parents.act(parents.head, case_id, "complaint", complaint_on="2026-11-20")
    after = parents.case(case_id)
    assert (after.row.state, after.row.visit) == (before.row.state, before.row.visit)
    shown = client_for(parents.head).get(parents.world.url(f"cases/{case_id}")).get_data(as_text=True)
    assert "A complaint about this was lodged on 20 November 2026. It pauses nothing" in shown


# -- awaiting advice ------------------------------------------------------------------------------------------------


def hold(parents: Parents, case_id: UUID, *because: str, **instead: Any) -> None:
    parents.act(parents.head, case_id, "hold", hold_because=list(because), **instead)


def words_of(parents: Parents, client: PortalClient, case_id: UUID) -> str:
    """The page of a case without what differs from case to case anyway."""
    html = client.get(parents.world.url(f"cases/{case_id}")).get_data(as_text=True)
    html = html.replace(str(case_id), "ID").replace(parents.case(case_id).row.reference, "REF")
    html = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", html)
    html = re.sub(r'name="csrf_token" value="[^"]*"', "", html)
    html = re.sub(r"at \d\d:\d\d", "", html)
    return re.sub(r"X-CSRFToken[^}]*", "", html)


def test_a_held_letter_says_the_same_whatever_the_reason(concerned: Parents, client_for: Clients) -> None:
    parents = concerned
    pages = []
    reasons: list[dict[str, Any]] = [
        {"hold_because": ["police"]},
        {"hold_because": ["dsl", "s141f"]},
        {
            "hold_because": ["allegation"],
            "alleged": [str(parents.third.id)],
            "alleged_words": "She writes that he pushed her son.",
        },
    ]
    watching = client_for(parents.deputy)
    cases = []
    for reason in reasons:
        case_id = parents.report()
        parents.go_on(case_id)
        parents.act(parents.head, case_id, "invite", **parents.meeting())
        parents.act(parents.head, case_id, "hold", **reason)
        cases.append(case_id)
        assert parents.state(case_id) == "held"
    for case_id in cases:
        pages.append(words_of(parents, watching, case_id))
        assert "Awaiting advice" in pages[-1]
    assert pages[0] == pages[1] == pages[2]
    assert "pushed" not in "".join(pages)
    # Who asked for advice is told what to do, and nobody else.
    own = client_for(parents.head).get(parents.world.url(f"cases/{cases[0]}")).get_data(as_text=True)
    assert "Only you see this." in own
    assert "Tell the police" in own
    assert "Only you see this." not in pages[0]
    with parents.world.acting(parents.deputy):
        case = queries.get_case(cases[0])
        assert holds.list_mine(cases[0], case.seal) == []
    # The allegation is a case of its own, about him, with whoever may have it.
    (opened,) = [one for one in map(parents.case, parents.reported()) if one.definition.safeguarding]
    allegation = opened.row.id
    assert opened.subjects == {parents.third.id}
    assert "She writes that he pushed her son." in opened.values["what"]
    assert parents.holders(allegation) == {parents.head.id}
    # With advice it goes on, where it began.
    parents.act(parents.head, cases[2], "resume")
    assert parents.state(cases[2]) == "triage"


def test_whoever_is_accused_loses_the_case_at_once_even_who_decided(concerned: Parents) -> None:
    parents = concerned
    case_id = parents.report()
    hold(
        parents,
        case_id,
        "allegation",
        alleged=[str(parents.head.id)],
        alleged_words="She writes that the head hit a child.",
    )
    assert parents.holders(case_id) == {parents.chair.id}
    with parents.world.acting(parents.head), pytest.raises(NotFound):
        queries.get_case(case_id)
    with parents.behind():
        about = db.session.scalars(
            select(WorkflowCase.id)
            .join(CaseSubject, CaseSubject.case_id == WorkflowCase.id)
            .where(CaseSubject.person_id == parents.head.id)
        ).all()
    (allegation,) = [one for one in about if one != case_id]
    assert parents.holders(allegation) == {parents.chair.id}


def test_without_a_workflow_for_allegations_the_page_says_so_and_the_letter_stays(
    parents: Parents, client_for: Clients
) -> None:
    # Nobody can switch it off in the portal; it may still be missing where it was never brought.
    with parents.world.looking():
        while (found := referring.find_allegation()) is not None:
            with unit_of_work():
                db.session.scalars(
                    select(WorkflowDefinition).where(WorkflowDefinition.key == found.key)
                ).one().in_use = False
    case_id = parents.report()
    head = client_for(parents.head)
    url = parents.world.url(f"cases/{case_id}")
    missing = "no workflow for allegations in use"
    assert missing in head.get(url).get_data(as_text=True)
    accused = {"alleged": [str(parents.third.id)], "alleged_words": "Words."}
    hold(parents, case_id, "allegation", **accused)
    assert missing in head.get(url).get_data(as_text=True)
    assert parents.state(case_id) == "held"
    assert parents.reported() == [case_id]


def test_through_the_web(parents: Parents, client_for: Clients) -> None:
    """The form asks whom it is about first, offers clauses and accounts, and keeps what was typed."""
    teacher = client_for(parents.teacher)
    url = parents.world.url(f"schools/{parents.school.slug}/requests/{KEY}")
    form = teacher.get(url).get_data(as_text=True)
    first = form.index("somebody who works here, or who governs")
    assert first < form.index("On which day was it seen?")
    assert "Bram Board" in form, "a post can be about somebody of the trust"
    assert "Social media policy, 1.1 (Comments about others)" in form
    sent = {f"f_{key}": value for key, value in parents.post().items() if value}
    sent["f_seen_on"] = list(reversed(str(sent["f_seen_on"]).split("-")))
    refused = teacher.post(url, data={**sent, "f_words": "", "send": "yes"})
    assert refused.status_code == 422
    assert "The parent or carer" in refused.get_data(as_text=True)
    answer = teacher.post(url, data={**sent, "send": "yes"})
    assert answer.headers["Location"].endswith("/cases")
    parents.world.run_jobs()
    (case_id,) = parents.reported()
    assert teacher.get(parents.world.url(f"cases/{case_id}")).status_code == 404
    head = client_for(parents.head)
    shown = head.get(parents.world.url(f"cases/{case_id}")).get_data(as_text=True)
    assert "Social media policy, 1.1 (Comments about others)" in shown
    posted = head.post(
        parents.world.url(f"cases/{case_id}/actions/go_on"),
        data={"f_triage": "meeting", "f_repeat": "no", "f_clauses": [parents.clause], "revision": "1"},
    )
    assert posted.status_code == 303
    parents.world.run_jobs()
    day = date.fromisoformat(parents.meeting()["meeting_on"])
    asked = {f"f_{key}": value for key, value in parents.meeting(meeting_at="quarter to four").items()}
    asked["f_meeting_on"] = [str(day.day), str(day.month), str(day.year)]
    wrong = head.post(parents.world.url(f"cases/{case_id}/actions/invite"), data=asked)
    assert wrong.status_code == 422
    text = wrong.get_data(as_text=True)
    assert "Enter a time, like 14:30." in text
    assert "quarter to four" in text
