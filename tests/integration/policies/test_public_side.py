"""The public finds, reads and checks: search, feeds, snippets, withdrawn policies, schools that have left."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from xml.etree.ElementTree import fromstring

import time_machine

from tests.integration.policies.given import run_quick_jobs
from trustportal.db import Scope, db, scope
from trustportal.policies import queries
from trustportal.policies.services import documents, publishing, withdrawing
from trustportal.tenants import queries as tenant_queries
from trustportal.tenants import services as tenants
from trustportal.times import now, today

ATOM = "{http://www.w3.org/2005/Atom}"


def _public(on, path=""):
    return f"/p/{on.world.slug}/{on.school.slug}/{path}"


def _digest(on):
    with on.world.looking():
        found = queries.find_edition_in_force(on.policy_id, on.school.id, today())
        assert found is not None
        return found.content_hash


def withdraw(on, *, on_day=None, because="The new digital policy holds instead."):
    with on.world.acting(on.world.manager) as actor:
        withdrawing.withdraw_policy(
            actor,
            policy_id=on.policy_id,
            withdrawn_on=on_day or today(),
            because=because,
            now=now(),
            today=today(),
        )
    run_quick_jobs(on.world)


def leave(on, **given):
    with on.world.acting(on.world.manager) as actor:
        tenants.change_school(
            actor,
            school_id=on.school.id,
            name=on.school.name,
            short_name=on.school.short_name,
            closes_on=today() + timedelta(days=1),
            **given,
        )


# -- finding -----------------------------------------------------------------------------------------------------


def test_parents_find_a_clause_by_its_words(at_ashgrove, client):
    found = client.get(_public(at_ashgrove, "?q=ADMINISTRATORS+every"))
    assert "1 policy has" in found.text
    assert f"policies/{at_ashgrove.slug}#clause-administrators" in found.text
    assert "at least two administrators" in found.text
    assert "Social media policy" in client.get(_public(at_ashgrove, "?q=social")).text
    nothing = client.get(_public(at_ashgrove, "?q=hamster")).text
    assert "No policy has “hamster”" in nothing
    assert "Social media policy" not in re.sub(r"<title>.*?</title>", "", nothing)


def test_signs_of_patterns_are_looked_for_as_they_are(at_ashgrove, client):
    for wanted in ("100%", "a_b", "\\", "'; DROP TABLE edition; --"):
        page = client.get(_public(at_ashgrove), query_string={"q": wanted})
        assert page.status_code == 200
        assert "No policy has" in page.text


def test_what_a_school_left_out_is_not_found(at_ashgrove, client):
    from trustportal.policies.domain.answers import Answer

    assert "1 policy has" in client.get(_public(at_ashgrove, "?q=sixth-form")).text
    at_ashgrove.answer("societies", answer=Answer.LEAVE_OUT, reason="We have no sixth form.")
    at_ashgrove.submit_and_approve()
    assert "No policy has" in client.get(_public(at_ashgrove, "?q=sixth-form")).text


# -- feeds and snippets ------------------------------------------------------------------------------------------


def test_the_feeds_tell_of_a_new_edition(at_ashgrove, client):
    first = client.get(_public(at_ashgrove, "feed.json"))
    assert first.mimetype == "application/feed+json"
    feed = json.loads(first.text)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    (entry,) = feed["items"]
    assert entry["title"] == "Social media policy"
    assert entry["url"] == f"http://portal.example{_public(at_ashgrove, f'policies/{at_ashgrove.slug}')}"
    assert entry["id"].endswith(_digest(at_ashgrove))
    at_ashgrove.answer("administrators", "Three administrators.")
    at_ashgrove.submit_and_approve()
    (newer,) = json.loads(client.get(_public(at_ashgrove, "feed.json")).text)["items"]
    assert newer["id"] != entry["id"]
    assert "Administrators" in newer["content_text"]

    atom = client.get(_public(at_ashgrove, "feed.atom"))
    assert atom.mimetype == "application/atom+xml"
    root = fromstring(atom.data)  # noqa: S314 (our own feed)
    assert root.tag == f"{ATOM}feed"
    assert root.find(f"{ATOM}entry/{ATOM}id").text == newer["id"]
    assert root.find(f"{ATOM}updated").text.startswith(today().isoformat()[:4])
    assert "Set-Cookie" not in atom.headers


def test_the_frame_has_no_script_and_only_it_may_be_framed(at_ashgrove, client):
    frame = client.get(_public(at_ashgrove, "embed"))
    assert "<script" not in frame.text
    assert "script-src" not in frame.headers["Content-Security-Policy"]
    assert "default-src 'none'" in frame.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]
    for other in ("", f"policies/{at_ashgrove.slug}", "?q=social"):
        policy = client.get(_public(at_ashgrove, other)).headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy


def test_the_script_carries_its_list_and_evaluates_nothing(at_ashgrove, client, client_for):
    script = client.get(_public(at_ashgrove, "policies.js"))
    assert script.mimetype == "text/javascript"
    assert "Social media policy" in script.text
    assert "eval" not in script.text
    assert "innerHTML" not in script.text
    assert "fetch" not in script.text
    assert "<" not in script.text
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    index = at_ashgrove.world.url(f"schools/{at_ashgrove.school.slug}/policies")
    page = client_for(at_ashgrove.head).get(index).text
    assert "policies.js" in page
    assert "frame-src http://portal.example" in page
    assert "policies.js" not in client_for(at_ashgrove.teacher).get(index).text


def test_the_pdf_of_a_superseded_edition_stays_byte_for_byte(at_ashgrove, client):
    """35: whatever follows, the paper of an edition never changes."""
    address = _public(at_ashgrove, f"policies/{at_ashgrove.slug}/editions/1.1.pdf")
    with at_ashgrove.world.looking():
        edition_id = queries.find_latest_edition(at_ashgrove.policy_id, at_ashgrove.school.id).id
    with at_ashgrove.world.worker_app.app_context(), scope(Scope.job(at_ashgrove.world.trust_id)):
        documents.make_edition_pdf(edition_id=edition_id, public_url="http://portal.example")
    before = client.get(address).data
    assert before.startswith(b"%PDF-")
    at_ashgrove.answer("administrators", "Three administrators.")
    at_ashgrove.submit_and_approve()
    withdraw(at_ashgrove)
    with at_ashgrove.world.worker_app.app_context(), scope(Scope.job(at_ashgrove.world.trust_id)):
        documents.make_edition_pdf(edition_id=edition_id, public_url="http://portal.example")
    assert client.get(address).data == before


# -- a policy that is withdrawn ----------------------------------------------------------------------------------


def test_a_withdrawn_policy_shows_its_notice_and_keeps_its_editions(at_ashgrove, client, client_for):
    digest = _digest(at_ashgrove)
    manager = client_for(at_ashgrove.world.manager)
    address = at_ashgrove.world.url(f"policies/{at_ashgrove.slug}/withdrawal")
    day = [str(today().day), str(today().month), str(today().year)]
    assert manager.post(address, data={"withdrawn_on": day, "because": " "}).status_code == 422
    done = manager.post(address, data={"withdrawn_on": day, "because": "See the digital policy."})
    assert done.status_code == 303
    run_quick_jobs(at_ashgrove.world)

    listed = client.get(_public(at_ashgrove)).text
    assert "Withdrawn" in listed
    assert "See the digital policy." in listed
    notice = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}"))
    assert notice.status_code == 200
    assert "no longer in force" in notice.text
    old = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}/editions/1.1")).text
    assert "This policy was withdrawn" in old
    assert "at least two administrators" in old
    assert "This policy is withdrawn" in client.get(f"/check/{digest}").text
    assert json.loads(client.get(_public(at_ashgrove, "feed.json")).text)["items"] == []

    inside = client_for(at_ashgrove.teacher).get(at_ashgrove.url()).text
    assert "no longer in force" in inside
    assert "See the digital policy." in inside
    yesterday = client_for(at_ashgrove.teacher).get(at_ashgrove.url("editions/1.1"))
    assert yesterday.status_code == 200
    assert "cannot" not in manager.get(at_ashgrove.world.url(f"policies/{at_ashgrove.slug}")).text
    assert manager.post(address, data={"withdrawn_on": day, "because": "Again."}).status_code == 422


def test_a_withdrawal_to_come_changes_nothing_before_its_day(at_ashgrove, client):
    withdraw(at_ashgrove, on_day=today() + timedelta(days=3))
    page = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}"))
    assert "In force" in page.text
    with time_machine.travel(now() + timedelta(days=3), tick=False):
        assert "no longer in force" in client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}")).text


def test_nothing_new_is_made_of_a_withdrawn_policy(at_ashgrove):
    import pytest

    from trustportal.errors import RuleBroken
    from trustportal.policies.services import drafts

    at_ashgrove.answer("administrators", "Three administrators.")
    withdraw(at_ashgrove)
    with pytest.raises(RuleBroken, match="withdrawn"):
        at_ashgrove.answer("societies", "Other words.")
    with (
        at_ashgrove.world.acting(at_ashgrove.world.manager) as actor,
        pytest.raises(RuleBroken, match="withdrawn"),
    ):
        drafts.start_draft(actor, policy_id=at_ashgrove.policy_id, now=now())
    late = at_ashgrove.world.school("Hazel Lodge")
    run_quick_jobs(at_ashgrove.world)
    with at_ashgrove.world.looking():
        assert queries.find_standing(at_ashgrove.policy_id, late.id) is None


# -- a school that has left --------------------------------------------------------------------------------------


def test_a_school_that_left_says_where_it_went_and_lists_nothing_later(at_ashgrove, client):
    first = _digest(at_ashgrove)
    leave(at_ashgrove, went_to="Hilltop Learning Trust", went_to_url="https://hilltop.example/policies")
    with time_machine.travel(now() + timedelta(days=2), tick=False):
        page = client.get(_public(at_ashgrove))
        assert "Hilltop Learning Trust" in page.text
        assert 'href="https://hilltop.example/policies"' in page.text
        assert "Social media policy" in page.text
        read = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}")).text
        assert "until the school left the trust" in read
        assert "at least two administrators" in read
        checked = client.get(f"/check/{first}").text
        assert "This paper is a record" in checked
        assert "Hilltop Learning Trust" in checked


def test_an_edition_from_after_the_school_left_is_not_public(at_ashgrove, client):
    at_ashgrove.next_version(
        {"administrators": "Two, employed here."}, effective_on=today() + timedelta(days=5)
    )
    leave(at_ashgrove)
    with time_machine.travel(now() + timedelta(days=9), tick=False):
        page = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}"))
        assert "at least two administrators" in page.text
        assert "Edition 2.1" not in page.text
        assert (
            client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}/editions/2.1")).status_code == 404
        )


def test_where_a_school_went_is_a_real_address(at_ashgrove, client_for):
    manager = client_for(at_ashgrove.world.manager)
    address = at_ashgrove.world.url(f"schools/{at_ashgrove.school.slug}/change")
    sent = {"name": at_ashgrove.school.name, "short_name": "Ashgrove", "went_to": "Hilltop"}
    refused = manager.post(address, data=sent | {"went_to_url": "javascript:alert(1)"})
    assert refused.status_code == 422
    assert "Enter a whole address" in refused.text
    assert manager.post(address, data=sent | {"went_to_url": "https://hilltop.example/"}).status_code == 303


# -- a school that joins -----------------------------------------------------------------------------------------


def test_a_school_that_joins_adopts_what_is_in_force_and_publishes_it(at_ashgrove, client):
    hazel = at_ashgrove.world.school("Hazel Lodge")
    run_quick_jobs(at_ashgrove.world)
    page = client.get(f"/p/{at_ashgrove.world.slug}/{hazel.slug}/policies/{at_ashgrove.slug}").text
    assert "Accounts speak for Hazel Lodge Primary School." in page
    assert "Edition 1.1" in page
    with at_ashgrove.world.looking():
        assert publishing.announce_in_force(now=now(), today=today()) == 0
        assert tenant_queries.get_school(hazel.id) is not None
        db.session.rollback()
