"""Requests and cases as people meet them: through the web and through the jobs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.integration.conftest import PortalClient
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.times import today

Clients = Callable[[Someone], PortalClient]


def posted(office: Office, **instead: Any) -> dict[str, Any]:
    """The form as a browser sends it."""
    sent: dict[str, Any] = {}
    for key, value in office.form(**instead).items():
        if key in {"go_live_on", "closes_on"}:
            value = list(reversed(str(value).split("-")))
        if key == "emergency_access":
            if not value:
                continue
            value = "y"
        sent[f"f_{key}"] = value
    return sent


def start(office: Office, client: PortalClient, **instead: Any) -> str:
    """Send the form; the address of the case."""
    url = office.world.url(f"schools/{office.school.slug}/requests/site-approval")
    response = client.post(url, data={**posted(office, **instead), "send": "yes"})
    assert response.status_code == 303, errors(response.get_data(as_text=True))
    return str(response.headers["Location"])


def errors(html: str) -> list[str]:
    """What the error summary says."""
    summary = re.search(r"govuk-error-summary__list.*?</ul>", html, re.S)
    return re.findall(r"<li>(?:<a[^>]*>)?([^<]*)", summary.group(0)) if summary else [html[:2000]]


def test_a_teachers_request_reaches_the_register(office: Office, client_for: Clients) -> None:
    teacher, leader, head = client_for(office.teacher), client_for(office.leader), client_for(office.head)
    offered = teacher.get(office.world.url(f"schools/{office.school.slug}/requests")).get_data(as_text=True)
    assert "Ask for a new account" in offered
    form = teacher.get(office.world.url(f"schools/{office.school.slug}/requests/site-approval"))
    assert "Administrators" in form.get_data(as_text=True)

    url = start(office, teacher)
    assert "On its way" in teacher.get(url).get_data(as_text=True)
    office.world.run_jobs()
    shown = teacher.get(url).get_data(as_text=True)
    assert "It waits for <strong>Lena Leader</strong>" in shown
    assert "in 5 working days" in shown

    home = leader.get(office.world.url()).get_data(as_text=True)
    assert "Year 6 at Ashgrove: the line manager reads and signs" in home
    refused = leader.post(f"{url}/actions/sign", data={})
    assert refused.status_code == 422
    assert errors(refused.get_data(as_text=True)) == [
        "Tick the box to say that you agree with the statement."
    ]
    assert leader.post(f"{url}/actions/sign", data={"confirmed": "y"}).status_code == 303
    office.world.run_jobs()

    assert head.post(f"{url}/actions/approve", data={"confirmed": "y"}).status_code == 303
    office.world.run_jobs()
    done = teacher.get(url).get_data(as_text=True)
    assert "Approved" in done
    assert "I approve the aims and content of the proposed site." in done
    papers = re.findall(r'href="([^"]+\.pdf)"', done)
    assert len(papers) == 2, "the approval and the signed form"
    for paper in papers:
        assert teacher.get(paper).get_data().startswith(b"%PDF-")
    register = head.get(office.world.url("register")).get_data(as_text=True)
    assert "Year 6 at Ashgrove" in register
    assert "Approved, live from" in register


def test_a_form_says_everything_that_is_wrong_at_once_and_keeps_what_was_typed(
    office: Office, client_for: Clients
) -> None:
    url = office.world.url(f"schools/{office.school.slug}/requests/site-approval")
    response = client_for(office.teacher).post(
        url,
        data={
            **posted(office, administrators=[str(office.teacher.id)], line_manager=str(office.teacher.id)),
            "f_closes_on": ["1", "1", "2020"],
            "f_contributors": ["pupils", "families"],
            "send": "yes",
        },
    )
    html = response.get_data(as_text=True)
    assert response.status_code == 422
    assert errors(html) == [
        "Your line manager: this has to be somebody else than whoever fills in this form.",
        "Administrators: name at least 2 different people.",
        "Who checks contributors from outside, and how? Fill this in.",
        "How do you tell parents, and get their consent? Fill this in.",
        "When does it close? This has to be after “When does it go live?”.",
    ]
    assert "Pictures of work, never of faces." in html


def test_a_draft_is_kept_and_sent_later(office: Office, client_for: Clients) -> None:
    teacher = client_for(office.teacher)
    url = office.world.url(f"schools/{office.school.slug}/requests/site-approval")
    saved = teacher.post(url, data={"f_site_name": "Only a name yet", "save": "yes"})
    assert saved.status_code == 303
    assert "Only a name yet" in teacher.get(saved.headers["Location"]).get_data(as_text=True)
    assert "Not sent yet" in teacher.get(office.world.url("cases")).get_data(as_text=True)
    assert client_for(office.leader).get(saved.headers["Location"]).status_code == 404
    sent = teacher.post(saved.headers["Location"], data={**posted(office), "send": "yes"})
    assert sent.status_code == 303
    office.world.run_jobs()
    assert teacher.get(sent.headers["Location"]).status_code == 200
    assert "Not sent yet" not in teacher.get(office.world.url("cases")).get_data(as_text=True)


def test_nobody_outside_sees_anything_of_a_case(office: Office, client_for: Clients) -> None:
    url = start(office, client_for(office.teacher))
    office.world.run_jobs()
    for outsider in (
        office.dsl,
        office.chair,
        office.world.manager,
        office.trustee,
        office.ceo,
        office.third,
    ):
        client = client_for(outsider)
        for path in ("", "/form", "/documents/00000000-0000-4000-8000-000000000000.pdf"):
            assert client.get(url + path).status_code == 404
        for path in ("/actions/sign", "/notes", "/step-back"):
            assert (
                client.post(url + path, data={"confirmed": "y", "text": "x", "reason": "x"}).status_code
                == 404
            )
        assert "Year 6" not in client.get(office.world.url("cases")).get_data(as_text=True)
        assert "Year 6" not in client.get(office.world.url()).get_data(as_text=True)


def test_somebody_who_saw_an_older_form_reads_it_again(office: Office, client_for: Clients) -> None:
    teacher, leader = client_for(office.teacher), client_for(office.leader)
    url = start(office, teacher)
    office.world.run_jobs()
    seen = re.search(r'name="revision" value="(\d+)"', leader.get(url).get_data(as_text=True))
    assert seen
    changed = teacher.post(f"{url}/form", data=posted(office, aims="Something else altogether."))
    assert changed.status_code == 303
    office.world.run_jobs()
    late = leader.post(f"{url}/actions/sign", data={"confirmed": "y", "revision": seen.group(1)})
    assert late.status_code == 422
    assert "Somebody else has changed this meanwhile" in late.get_data(as_text=True)


def test_notes_are_for_those_who_take_part(office: Office, client_for: Clients) -> None:
    teacher = client_for(office.teacher)
    url = start(office, teacher)
    office.world.run_jobs()
    assert teacher.post(f"{url}/notes", data={"text": ""}).status_code == 422
    assert teacher.post(f"{url}/notes", data={"text": "The choir wants to join."}).status_code == 303
    assert "The choir wants to join." in client_for(office.leader).get(url).get_data(as_text=True)


def test_a_day_in_the_past_is_refused_with_its_words(office: Office, client_for: Clients) -> None:
    url = office.world.url(f"schools/{office.school.slug}/requests/site-approval")
    yesterday = (today() - timedelta(days=1)).isoformat()
    response = client_for(office.teacher).post(
        url, data={**posted(office, go_live_on=yesterday), "send": "yes"}
    )
    assert errors(response.get_data(as_text=True)) == ["When does it go live? This day has to lie ahead."]
