"""A request for an account, from the teacher to the register, with everything that can go otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import RuleBroken
from trustportal.times import now, today
from trustportal.workflows.domain import engine, reading
from trustportal.workflows.models import RegisterEntry, RegisterFlag
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import register
from trustportal.workflows.services import acting
from trustportal.workflows.services import register as services


def test_from_the_teacher_to_the_register(office: Office) -> None:
    case_id = office.send()
    assert office.holders(case_id) == {office.leader.id}
    office.act(office.leader, case_id, "sign")
    assert office.holders(case_id) == {office.head.id}
    office.act(office.head, case_id, "approve")
    case = office.case(case_id)
    assert case.state.title == "Approved"
    assert case.tasks == []
    entry = office.entry()
    assert (entry.name, entry.case_id, entry.custodian_id) == (
        "Year 6 at Ashgrove",
        case_id,
        office.office.id,
    )


def refuse(office: Office, **instead: Any) -> RuleBroken:
    """What sending such a form is answered with."""
    with pytest.raises(RuleBroken) as refused:
        office.send(**instead)
    return refused.value


def test_one_administrator_or_the_same_twice_is_refused(office: Office) -> None:
    one = [str(office.teacher.id)]
    assert refuse(office, administrators=one).field == "administrators"
    assert "twice" in refuse(office, administrators=one * 2).message
    assert refuse(office, moderators=[str(office.office.id)] * 2).field == "moderators"


def test_the_author_is_not_their_own_line_manager(office: Office) -> None:
    assert refuse(office, line_manager=str(office.teacher.id)).field == "line_manager"


def test_somebody_who_does_not_serve_here_cannot_be_named(office: Office) -> None:
    other = office.world.person("Olga Other", (Role.STAFF, office.world.school("Birchwood")))
    refused = refuse(office, administrators=[str(office.teacher.id), str(other.id)])
    assert "serve here" in refused.message


def test_it_closes_after_it_goes_live(office: Office) -> None:
    assert refuse(office, closes_on=(today() + timedelta(days=3)).isoformat()).field == "closes_on"
    assert refuse(office, closes_on="").field == "closes_on"


def test_pupils_who_contribute_need_a_plan_for_consent(office: Office) -> None:
    assert refuse(office, contributors=["pupils"]).field == "consent"
    assert refuse(office, contributors=["public"]).field == "vetting"


def test_the_heads_own_request_is_decided_by_somebody_else(office: Office) -> None:
    case_id = office.send(office.head)
    assert office.holders(case_id) == {office.leader.id}
    office.act(office.leader, case_id, "sign")
    assert office.holders(case_id) == {office.ceo.id}
    office.act(office.ceo, case_id, "approve")
    assert office.entry().case_id == case_id


def test_a_head_who_is_the_line_manager_does_not_sign_twice(office: Office) -> None:
    case_id = office.send(line_manager=str(office.head.id))
    office.act(office.head, case_id, "sign")
    assert office.holders(case_id) == {office.ceo.id}


def test_a_changed_form_voids_the_signature(office: Office) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    with office.world.acting(office.teacher) as actor:
        acting.change_form(actor, case_id=case_id, given=office.form(aims="Something else."), now=now())
    office.world.run_jobs()
    case = office.case(case_id)
    assert case.state.key == "line_manager"
    assert office.holders(case_id) == {office.leader.id}
    assert [one.voided_at is None for one in case.signatures] == [False]
    office.approve(case_id)
    assert [one.voided_at is None for one in office.case(case_id).signatures] == [False, True, True]


def test_sent_back_it_waits_for_its_author_and_goes_round_again(office: Office) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    office.act(office.head, case_id, "return", comment="Who reads it at weekends?")
    assert office.holders(case_id) == {office.teacher.id}
    with office.world.acting(office.teacher) as actor:
        acting.change_form(actor, case_id=case_id, given=office.form(risks="Two people read it."), now=now())
    office.world.run_jobs()
    assert office.holders(case_id) == {office.leader.id}


def test_a_refusal_says_why_in_a_letter(office: Office, postbox: Postbox) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    office.act(office.head, case_id, "refuse", comment="There is one for Year 6 already.")
    case = office.case(case_id)
    assert case.state.title == "Refused"
    with office.behind():
        assert db.session.scalars(select(RegisterEntry)).all() == []
        (letter,) = queries.list_documents(case_id)
        assert letter.pdf is not None
        assert "There is one for Year 6 already." in case.seal.open(letter.sealed, letter.id)["body"]
    subjects = [str(mail["Subject"]) for mail in postbox.to(str(office.teacher.email))]
    assert any("Your request for an account" in one or "things for you" in one for one in subjects)


def test_the_author_withdraws(office: Office) -> None:
    case_id = office.send()
    office.act(office.teacher, case_id, "withdraw")
    assert office.case(case_id).state.title == "Withdrawn"
    assert office.holders(case_id) == set()


def test_an_administrator_who_left_before_the_decision_stops_it(office: Office) -> None:
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    office.leaves(office.colleague)
    with pytest.raises(RuleBroken, match="fewer than 2"):
        office.act(office.head, case_id, "approve")


def test_no_account_goes_live_before_it_is_approved(office: Office) -> None:
    case_id = office.send(go_live_on=(today() + timedelta(days=1)).isoformat())
    office.act(office.leader, case_id, "sign")
    late = now() + timedelta(days=2)
    with pytest.raises(RuleBroken, match="has passed"), office.world.acting(office.head) as actor:
        acting.act(actor, case_id=case_id, action="approve", given=engine.Given(confirmed=True), now=late)


# -- the register --------------------------------------------------------------------------------------------------


def flags(office: Office) -> set[str]:
    """What is to be seen to."""
    with office.world.looking():
        rows = db.session.scalars(select(RegisterFlag).where(RegisterFlag.cleared_at.is_(None)))
        return {row.kind for row in rows}


def test_a_moderator_who_leaves_raises_a_task_until_somebody_is_named(
    office: Office, client_for: Callable[[Someone], PortalClient]
) -> None:
    office.approve(office.send())
    assert flags(office) == set()
    office.leaves(office.third)
    assert flags(office) == {"few_moderators"}
    home = client_for(office.office).get(office.world.url()).get_data(as_text=True)
    assert "See to the account “Year 6 at Ashgrove”" in home
    url = office.world.url(f"schools/{office.school.slug}/register/{office.entry().id}")
    keeper = client_for(office.office)
    people = {
        "administrators": [str(office.teacher.id), str(office.colleague.id)],
        "moderators": [str(office.office.id)],
        "custodian": str(office.office.id),
    }
    refused = keeper.post(f"{url}/people", data=people)
    assert refused.status_code == 422
    people["moderators"] = [str(office.office.id), str(office.leader.id)]
    assert keeper.post(f"{url}/people", data=people).status_code == 303
    office.world.run_jobs()
    assert flags(office) == set()
    assert client_for(office.teacher).get(url).status_code == 403


def test_a_closing_day_that_passes_is_red_until_it_is_closed(
    office: Office, client_for: Callable[[Someone], PortalClient]
) -> None:
    office.approve(office.send())
    entry = office.entry()
    after = datetime.combine(entry.closes_on + timedelta(days=1), time(9), tzinfo=UTC)
    with office.behind():
        services.check_entry(entry_id=entry.id, now=after)
        services.check_entry(entry_id=entry.id, now=after)
    assert flags(office) == {"closing_passed", "review_due"}
    url = office.world.url(f"schools/{office.school.slug}/register/{entry.id}")
    keeper = client_for(office.office)
    assert "should be closed by now" in keeper.get(url).get_data(as_text=True)
    assert keeper.post(f"{url}/close", data={"note": "It went well."}).status_code == 422
    closing = {"archived": "y", "access_removed": "y", "note": "It went well."}
    assert keeper.post(f"{url}/close", data=closing).status_code == 303
    office.world.run_jobs()
    assert flags(office) == set()
    assert "It went well." in keeper.get(url).get_data(as_text=True)


def test_more_time_is_asked_for_and_approved(office: Office) -> None:
    office.approve(office.send())
    entry = office.entry()
    longer = entry.closes_on + timedelta(days=60)
    case_id = office.send(
        key="site-change",
        entry=str(entry.id),
        what="Open until the autumn",
        why="Parents like it.",
        line_manager=str(office.leader.id),
        new_closes_on=longer.isoformat(),
        administrators=[str(office.teacher.id), str(office.third.id)],
    )
    office.act(office.leader, case_id, "sign")
    office.act(office.head, case_id, "approve")
    assert office.entry().closes_on == longer
    with office.world.looking():
        found = register.get_entry(entry.id)
    assert set(found.administrators) == {office.teacher.id, office.third.id}


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        (
            "logo-use",
            {"what": "A banner", "where": "The fair", "who": "own", "until_on": "2030-01-01"},
        ),
        (
            "third-party",
            {
                "what": "Reading club",
                "organisation": "The library",
                "address": "library.example",
                "why": "Books.",
                "pupils": "no",
                "from_on": "2029-01-01",
                "until_on": "2029-06-01",
            },
        ),
    ],
)
def test_the_logo_and_other_sites_take_the_same_way(
    office: Office, key: str, instead: dict[str, str]
) -> None:
    case_id = office.send(key=key, line_manager=str(office.leader.id), **instead)
    office.act(office.leader, case_id, "sign")
    office.act(office.head, case_id, "approve")
    assert office.case(case_id).state.title == "Approved"


def test_the_register_asks_for_no_password(office: Office) -> None:
    asked = " ".join(one.label + one.hint for one in reading.shipped()["site-approval"].fields).lower()
    assert "never stores a password" in asked
    columns = {column.name for column in RegisterEntry.__table__.columns}
    assert not {one for one in columns if "password" in one or "secret" in one}
