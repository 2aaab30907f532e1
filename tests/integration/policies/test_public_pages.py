"""What everybody may read without signing in, and the check of a printed paper."""

from __future__ import annotations

import pytest

from tests.integration.policies.given import social
from trustportal import blobs
from trustportal.db import unit_of_work
from trustportal.policies import queries
from trustportal.times import today


def _public(on, path=""):
    return f"/p/{on.world.slug}/{on.school.slug}/{path}"


def _edition(on):
    with on.world.looking():
        found = queries.find_edition_in_force(on.policy_id, on.school.id, today())
        assert found is not None
        return found


def test_parents_read_the_policy_in_force(at_ashgrove, client):
    listed = client.get(_public(at_ashgrove))
    assert listed.status_code == 200
    assert "Social media policy" in listed.text
    page = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}"))
    assert "Accounts speak for Ashgrove Primary School." in page.text
    assert 'id="clause-administrators"' in page.text
    assert "Trust, locked" not in page.text
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"].startswith("public")
    again = client.get(page.request.path, headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


def test_older_editions_say_that_they_are_superseded(at_ashgrove, client):
    at_ashgrove.answer("administrators", "Three administrators.")
    at_ashgrove.submit_and_approve()
    old = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}/editions/1.1"))
    assert "no longer in force" in old.text
    assert "at least two administrators" in old.text
    new = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}"))
    assert "Three administrators." in new.text
    assert "Edition 1.1" in new.text
    assert client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}/editions/1.7")).status_code == 404


def test_what_is_left_out_is_not_there(at_ashgrove, client):
    from trustportal.policies.domain.answers import Answer

    at_ashgrove.answer("societies", answer=Answer.LEAVE_OUT, reason="We have no sixth form.")
    at_ashgrove.submit_and_approve()
    page = client.get(_public(at_ashgrove, f"policies/{at_ashgrove.slug}")).text
    assert "clause-societies" not in page
    assert "We have no sixth form." not in page


def test_an_internal_policy_does_not_exist_here(world, client):
    inside = social(world, public=False)
    assert "Social media policy" not in client.get(_public(inside)).text
    for path in ("", ".pdf", "/editions/1.1", "/editions/1.1.pdf"):
        assert client.get(_public(inside, f"policies/{inside.slug}{path}")).status_code == 404


def test_other_places_do_not_exist(at_ashgrove, other_world, client):
    assert client.get(f"/p/{other_world.slug}/{at_ashgrove.school.slug}/").status_code == 404
    assert client.get(f"/p/{at_ashgrove.world.slug}/nowhere/").status_code == 404


@pytest.mark.parametrize("path", [".pdf", "/editions/1.1.pdf"])
def test_the_pdf_is_awaited_then_served(at_ashgrove, client, path):
    url = _public(at_ashgrove, f"policies/{at_ashgrove.slug}{path}")
    edition = _edition(at_ashgrove)
    if edition.pdf_hash is None:
        waiting = client.get(url)
        assert waiting.status_code == 202
        assert "being made" in waiting.text
        with at_ashgrove.world.looking(), unit_of_work():
            queries.get_edition(edition.id).pdf_hash = blobs.put(b"%PDF-1.7 made", "application/pdf")
    served = client.get(url)
    assert served.mimetype == "application/pdf"
    assert served.data.startswith(b"%PDF-")
    assert "inline" in served.headers["Content-Disposition"]


def test_the_check_tells_in_force_superseded_and_not_ours(at_ashgrove, client):
    first = _edition(at_ashgrove).content_hash
    in_force = client.get(f"/check/{first}")
    assert "This paper is in force" in in_force.text
    assert f"policies/{at_ashgrove.slug}" in in_force.text
    at_ashgrove.answer("administrators", "Three administrators.")
    at_ashgrove.submit_and_approve()
    old = client.get(f"/check/{first.upper()}")
    assert "This paper is superseded" in old.text
    assert "Edition 1.2 is in force now" in old.text
    for wrong in ("0" * 64, "nonsense", "' OR 1=1"):
        gone = client.get(f"/check/{wrong}")
        assert gone.status_code == 404
        assert "not one of ours" in gone.text


def test_a_version_of_the_trust_is_known_as_such(at_ashgrove, client):
    with at_ashgrove.world.looking():
        version = queries.find_latest_version(at_ashgrove.policy_id)
        assert version is not None
        digest = version.content_hash
    assert "trust’s own text" in client.get(f"/check/{digest}").text


def test_the_code_is_typed(at_ashgrove, client):
    digest = _edition(at_ashgrove).content_hash
    assert client.get("/check").status_code == 200
    typed = client.get("/check", query_string={"code": f" {digest[:30]} {digest[30:]}"})
    assert typed.location.endswith(digest)
    assert client.get("/check", query_string={"code": "abc"}).status_code == 422


def test_the_list_can_stand_on_the_schools_own_website(at_ashgrove, client, client_for):
    page = client.get(_public(at_ashgrove, "embed"))
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]
    assert "Social media policy" in page.text
    assert "frame-ancestors 'none'" in client.get(_public(at_ashgrove)).headers["Content-Security-Policy"]
    index = at_ashgrove.world.url(f"schools/{at_ashgrove.school.slug}/policies")
    assert "embed" in client_for(at_ashgrove.head).get(index).text
