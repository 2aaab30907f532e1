"""A head brings the school's old policy, decides clause by clause, and ends with changes that wait to be sent."""

from __future__ import annotations

import json
import re
from io import BytesIO

import pytest
from sqlalchemy import select

from tests.integration.policies.given import ADMINISTRATORS, Social, run_quick_jobs
from tests.unit.importing.word_files import p, word
from trustportal.access import Role
from trustportal.db import db
from trustportal.kernel_models import AuditPayload
from trustportal.mail import Notice
from trustportal.policies import queries, reading
from trustportal.policies.import_models import JoiningPair

OLD = word(
    p("Social media", style="Title")
    + p("Why we have this policy", style="Heading1")
    + p("Official accounts", style="Heading1")
    + p("Every account has at least three administrators.")
    + p("Nobody opens an account before the headteacher approves it in writing.")
    + p("Sixth-form societies may run an account.")
    + p("Photographs of the orchard are never shared before the harvest is in.")
)


@pytest.fixture
def pairs(at_ashgrove: Social, client_for) -> tuple[Social, object, dict[str, str]]:  # type: ignore[no-untyped-def]
    """The head has brought the file and compared it: (school, client, text of each own clause -> address)."""
    return compared(at_ashgrove, client_for(at_ashgrove.head))


def compared(at_ashgrove: Social, client) -> tuple[Social, object, dict[str, str]]:  # type: ignore[no-untyped-def]
    """Somebody brings the file and compares it."""
    client.get(at_ashgrove.url("bring"))
    sent = client.post(
        at_ashgrove.url("bring"),
        data={"csrf_token": client.csrf, "file": (BytesIO(OLD), "ours.docx")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303, sent.get_data(as_text=True)[:3000]
    corrected = client.get(sent.location)
    assert "three administrators" in corrected.get_data(as_text=True)
    fixed = client.post(
        f"{sent.location}/correct",
        data={
            "action": "edit",
            "index": "2",
            "row_version": "1",
            "label": "",
            "heading": "",
            "text": "Every account has at least three keepers.",
        },
    )
    assert fixed.status_code == 303
    begun = client.post(f"{sent.location}/compare")
    assert begun.location.endswith("/joining")
    with at_ashgrove.world.looking():
        opened = queries.find_open_joining(at_ashgrove.policy_id, at_ashgrove.school.id)
        assert opened is not None
        found = {row.own_text: str(row.id) for row in queries.joining_pairs(opened.id)}
    return at_ashgrove, client, found


def row(social: Social, text: str) -> JoiningPair:
    with social.world.looking():
        opened = queries.find_open_joining(social.policy_id, social.school.id)
        assert opened is not None
        return next(one for one in queries.joining_pairs(opened.id) if one.own_text == text)


THREE = "Every account has at least three keepers."
ORCHARD = "Photographs of the orchard are never shared before the harvest is in."
WRITING = "Nobody opens an account before the headteacher approves it in writing."


def test_the_page_shows_each_pair_with_its_redline_and_says_what_is_locked(pairs) -> None:  # type: ignore[no-untyped-def]
    social, client, _ = pairs
    page = client.get(social.url("joining")).get_data(as_text=True)
    assert "Decide 3 clauses of your own policy" in page
    assert re.search(r"<del>.*two.*</del>|<del>.*administrators", page, re.DOTALL)
    assert "cannot be replaced" in page
    assert "Sixth-form societies" in page
    with social.world.looking():
        assert queries.list_overrides(social.policy_id, social.school.id) == []


def test_accepted_clauses_become_changes_with_reasons_and_nothing_in_force_moves(pairs) -> None:  # type: ignore[no-untyped-def]
    social, client, addresses = pairs
    for text, choice in ((THREE, "accept"), (ORCHARD, "accept"), (WRITING, "drop")):
        one = row(social, text)
        sent = client.post(
            social.url(f"joining/{addresses[text]}"),
            data={
                "choice": choice,
                "text": one.text,
                "heading": one.heading,
                "reason": "We did so before.",
                "row_version": "1",
            },
        )
        assert sent.status_code == 303, sent.get_data(as_text=True)[:2000]
    done = client.post(social.url("joining/finish"), data={})
    assert done.location.endswith("/clauses")
    with social.world.looking():
        overrides, added = reading.working_answers(social.policy_id, social.school.id)
        assert {key: (one.text, one.reason) for key, one in overrides.items()} == {
            "administrators": (THREE, "We did so before.")
        }
        assert [(one.text, one.reason) for one in added] == [(ORCHARD, "We did so before.")]
        edition = queries.find_latest_edition(social.policy_id, social.school.id)
        assert edition is not None
        assert any(one.text == ADMINISTRATORS for one in reading.clauses_of(edition))
    page = client.get(social.url("clauses")).get_data(as_text=True)
    assert "2 clauses differ" in page
    social.submit_and_approve()
    assert THREE in client.get(social.url()).get_data(as_text=True)


def test_a_decision_needs_a_reason_is_kept_and_can_be_changed(pairs) -> None:  # type: ignore[no-untyped-def]
    social, client, addresses = pairs
    address = social.url(f"joining/{addresses[THREE]}")
    refused = client.post(
        address, data={"choice": "accept", "text": "Four keepers.", "reason": " ", "row_version": "1"}
    )
    assert refused.status_code == 422
    assert "Four keepers." in refused.get_data(as_text=True)
    client.post(address, data={"choice": "drop", "reason": "", "row_version": "1"})
    stale = client.post(
        address, data={"choice": "accept", "text": THREE, "reason": "Yes.", "row_version": "1"}
    )
    assert stale.status_code == 422
    assert row(social, THREE).choice == "drop"
    client.post(address, data={"choice": "accept", "text": THREE, "reason": "Yes.", "row_version": "2"})
    assert row(social, THREE).choice == "accept"
    unfinished = client.post(social.url("joining/finish"), data={})
    assert unfinished.status_code == 422
    assert "not decided yet" in unfinished.get_data(as_text=True)
    assert client.post(social.url("joining/finish"), data={"drop_rest": "yes"}).status_code == 303


def test_giving_up_takes_nothing_over_and_one_can_begin_again(pairs, client_for) -> None:  # type: ignore[no-untyped-def]
    social, client, addresses = pairs
    assert client.get(social.url("bring")).location.endswith("/joining")
    assert client.post(social.url("joining/give-up")).status_code == 303
    assert client.get(social.url("bring")).status_code == 200
    with social.world.looking():
        assert reading.working_answers(social.policy_id, social.school.id) == ({}, ())
    other = social.world.school("Elsewhere")
    stranger = social.world.person("Hugo Head", (Role.HEADTEACHER, other))
    assert client_for(stranger).get(social.url("joining")).status_code in (403, 404)
    assert client_for(social.teacher).get(social.url("bring")).status_code == 403
    assert addresses


def test_the_trusts_office_prepares_and_the_head_decides(at_ashgrove: Social, client_for) -> None:  # type: ignore[no-untyped-def]
    on, world = at_ashgrove, at_ashgrove.world
    manager = client_for(world.manager)
    assert on.url("bring") in manager.get(on.url()).text
    _, _, addresses = compared(on, manager)
    page = manager.get(on.url("joining")).text
    assert "Suggest an answer for 3 clauses" in page
    assert on.url("joining/finish") not in page

    def say(client, text: str, choice: str, words: str = "", row_version: int = 1):  # type: ignore[no-untyped-def]
        sent = {"choice": choice, "text": words or text, "reason": "So it was agreed when the school joined."}
        return client.post(
            on.url(f"joining/{addresses[text]}"), data={**sent, "row_version": str(row_version)}
        )

    for text, choice in ((THREE, "accept"), (WRITING, "drop")):
        assert say(manager, text, choice).status_code == 303
    assert "1 clause has no suggestion yet" in manager.get(on.url("joining")).text
    # Only the head decides, by whatever way the trust's office tries.
    for way in ("finish", "take-prepared"):
        assert manager.post(on.url(f"joining/{way}"), data={"drop_rest": "yes"}).status_code == 403
    assert (row(on, THREE).prepared, row(on, THREE).choice) == ("accept", None)
    assert manager.post(on.url("joining/hand-over")).status_code == 303
    run_quick_jobs(world)

    head = client_for(on.head)
    home = head.get(world.url()).text
    assert "Decide three clauses of your own policy beside the Social media policy" in home
    assert "suggests an answer for two of them" in home
    with world.looking():
        subjects = list(db.session.scalars(select(Notice.subject).where(Notice.person_id == on.head.id)))
    assert "Social media policy: decide what Ashgrove keeps of its own policy" in subjects
    page = head.get(on.url("joining")).text
    assert "Nora Network suggests to take these words over" in page
    assert "So it was agreed when the school joined." in page
    assert "Nora Network suggests to drop them" in page
    # The head sees one otherwise; the office has no say about it any more.
    assert say(head, WRITING, "accept", row_version=2).status_code == 303
    late = say(manager, WRITING, "drop", row_version=3)
    assert late.status_code == 422
    assert "has decided this clause already" in late.text
    assert "can give it up" in manager.post(on.url("joining/give-up")).text
    assert head.post(on.url("joining/take-prepared")).status_code == 303
    assert (row(on, THREE).choice, row(on, THREE).decided_by) == ("accept", on.head.id)
    assert row(on, THREE).prepared_by == world.manager.id
    assert row(on, ORCHARD).choice is None
    assert head.post(on.url("joining/finish"), data={"drop_rest": "yes"}).status_code == 303
    with world.looking():
        overrides, added = reading.working_answers(on.policy_id, on.school.id)
        assert overrides["administrators"].text == THREE
        assert [one.text for one in added] == [WRITING]
        said = [json.loads(one) for one in db.session.scalars(select(AuditPayload.payload))]
    taken = [one for one in said if "taken over from its own policy" in json.dumps(one)]
    # Of what was taken over as it was suggested, the trail says by whom.
    assert len(taken) == 2
    [suggested] = [one for one in taken if "prepared_by" in json.dumps(one)]
    assert str(world.manager.id) in json.dumps(suggested)
    assert "administrators" in json.dumps(suggested)


def test_the_office_gives_up_what_it_began_itself(at_ashgrove: Social, client_for) -> None:  # type: ignore[no-untyped-def]
    manager = client_for(at_ashgrove.world.manager)
    compared(at_ashgrove, manager)
    given_up = manager.post(at_ashgrove.url("joining/give-up"))
    assert given_up.status_code == 303
    assert manager.get(given_up.location).status_code == 200
    assert manager.get(at_ashgrove.url("joining")).location == at_ashgrove.url()
