"""Reporting a concern about an adult: by whom, how without a name, who gets it, and what is never taken."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.workflows.allegation_world import Trust
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db
from trustportal.kernel_models import WebSession
from trustportal.workflows.models import Alarm, CaseIntake, CaseSubject
from trustportal.workflows.queries import cases as queries

Clients = Callable[[Someone], PortalClient]


def test_who_receives_what_whoever_it_is_about(trust: Trust, client_for: Clients) -> None:
    """Scenarios 1 to 11 of the field, one trust: never the subject, never whom they lead or are tied to."""
    teacher = client_for(trust.teacher)

    def goes_to(*about: Someone, **instead: Any) -> set[UUID]:
        return trust.holders(trust.report(teacher, *about, **instead))

    assert goes_to(trust.third) == {trust.head.id}
    assert goes_to(trust.dsl) == {trust.head.id}
    assert goes_to(trust.deputy) == {trust.head.id}
    assert goes_to(trust.head) == {trust.chair.id}
    assert goes_to(trust.head, trust.third) == {trust.chair.id}
    assert goes_to(trust.third, involved="head") == {trust.chair.id}
    assert goes_to(trust.third, involved="unsafe") == {trust.board.id}
    assert goes_to(trust.chair) == {trust.board.id}
    assert goes_to(trust.world.manager) == {trust.ceo.id}
    assert goes_to(trust.ceo) == {trust.board.id}
    assert goes_to(trust.trustee) == {trust.board.id}
    assert goes_to(trust.board) == {trust.vice_board.id}
    # In words, nobody named: whoever may be meant by them is kept out.
    assert goes_to(about_words="the supply teacher on Monday") == {trust.head.id}
    assert goes_to(about_words="Mrs Head") == {trust.chair.id}
    assert goes_to(about_words="your headteacher") == {trust.chair.id}
    assert goes_to(about_words="the chair of governors") == {trust.board.id}
    # A chair who is tied to the head, then none, then nobody at all.
    trust.tied(trust.chair, trust.head)
    assert goes_to(trust.head) == {trust.vice.id}
    trust.leaves(trust.vice)
    assert goes_to(trust.head) == {trust.board.id}
    trust.leaves(trust.head)
    assert goes_to(trust.third) == {trust.ceo.id}


def test_at_the_top_nobody_gets_it_and_the_clerk_hears_no_word(
    trust: Trust, client_for: Clients, postbox: Postbox
) -> None:
    teacher = client_for(trust.teacher)
    for one in (trust.board, trust.vice_board):
        trust.leaves(one)
    postbox.received.clear()
    case_id = trust.report(teacher, trust.ceo)
    assert trust.holders(case_id) == set()
    assert trust.participants(case_id) == set()
    with trust.behind():
        assert [one.person_id for one in db.session.scalars(select(Alarm))] == [trust.clerk.id]
    (mail,) = postbox.received
    assert trust.clerk.email in str(mail["To"])
    assert not any(word in str(mail) for word in ("Cem", "Ashgrove", "allegation", "concern", str(case_id)))
    # Somebody comes who may: they get it, and the alarm ends.
    new = trust.world.person("Nils New", Role.CHAIR_OF_TRUST_BOARD)
    trust.world.run_jobs()
    assert trust.holders(case_id) == {new.id}


def test_the_form_says_what_comes_first_and_what_is_wrong(trust: Trust, client_for: Clients) -> None:
    teacher = client_for(trust.teacher)
    form = teacher.get(trust.url()).get_data(as_text=True)
    assert form.index("Ring 999") < form.index("What did you see or hear?")
    assert "LADO" in form
    assert 'type="file"' not in form
    assert "threshold" not in form.lower()
    wrong = teacher.post(trust.url(), data=trust.words(what="", involved=""))
    html = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert "Say whom it is about, as well as you can." in html
    assert "Fill this in." in html
    hidden = teacher.post(
        trust.url(), data=trust.words(trust.third, what="data:image/png;base64,iVBORw0KGgo=")
    )
    assert "nothing that could be a picture" in hidden.get_data(as_text=True)
    # Scenario 24: a file is refused, whatever it is called.
    sent = teacher.post(
        trust.url(),
        data={**trust.words(trust.third), "file": (io.BytesIO(b"\x89PNG\r\n"), "a.png")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 422
    assert "files cannot be sent here" in sent.get_data(as_text=True)
    trust.world.run_jobs()
    assert trust.case_ids() == set()
    assert teacher.get(trust.world.url(f"schools/{trust.school.slug}/requests/allegation")).status_code == 303


def test_without_a_name_nothing_is_kept_of_who_it_was(trust: Trust, client_for: Clients) -> None:
    teacher = client_for(trust.teacher)
    before = trust.case_ids()
    response = teacher.post(trust.url(), data={**trust.words(trust.third), "without_name": "y"})
    assert "Thank you" in response.get_data(as_text=True)
    trust.world.run_jobs()
    (case_id,) = trust.case_ids() - before
    case = trust.case(case_id)
    assert case.row.starter_id is None
    assert str(trust.teacher.id) not in str(case.values)
    head = client_for(trust.head)
    shown = head.get(trust.world.url(f"cases/{case_id}")).get_data(as_text=True)
    assert "Somebody who gave no name sent the form" in shown
    assert "Tara Teacher" not in re.sub("<option.*?</option>", "", shown)


def test_anybody_can_report_openly_and_add_to_it_and_leaves_no_trace(trust: Trust, app: Flask) -> None:
    """Scenarios 16 and 17: anonymous; taken back later, and the case goes on."""
    anybody = app.test_client()
    url = f"/p/{trust.world.slug}/{trust.school.slug}/report-a-concern"
    with trust.world.looking():
        sessions = len(db.session.scalars(select(WebSession.id)).all())
    page = anybody.get(url)
    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "Thea Third" not in html, "nobody's name is offered to the public"
    assert "Set-Cookie" not in page.headers
    sent = anybody.post(url, data=trust.words(about_words="Ms Third"))
    assert sent.status_code == 200
    assert "Set-Cookie" not in sent.headers
    found = re.search(r'class="receipt">([A-Z0-9-]+)<', sent.get_data(as_text=True))
    assert found
    trust.world.run_jobs()
    (case_id,) = trust.case_ids()
    assert trust.holders(case_id) == {trust.head.id}
    with trust.behind():
        assert set(db.session.scalars(select(CaseSubject.person_id))) == {trust.third.id}
        assert len(db.session.scalars(select(WebSession.id)).all()) == sessions
    answers = [
        anybody.post(f"{url}/more", data={"code": code, "text": "I take it back."})
        for code in ("AAAA-AAAA-AAAA", found.group(1).lower())
    ]
    assert answers[0].get_data() == answers[1].get_data(), "nobody finds out which code is right"
    trust.world.run_jobs()
    with trust.behind():
        case = queries.get_case(case_id)
        (note,) = queries.list_notes(case_id, case.seal)
        assert "I take it back." in note.text
        assert db.session.scalars(select(CaseIntake)).all() == []
    assert trust.holders(case_id) == {trust.head.id}
    statuses = [anybody.post(url, data=trust.words(about_words="Ms Third")).status_code for _ in range(6)]
    assert 422 in statuses
