"""«Where do we still name this supplier?»: over all clauses of all schools, then and now, each in its own bounds."""

from __future__ import annotations

from sqlalchemy import text

from tests.integration.moments import moment
from tests.integration.policies.given import Social
from tests.integration.policies.several import beside
from trustportal.db import db
from trustportal.protection import WEB, WORKER


@moment
def trust(at_ashgrove: Social) -> dict[str, Social]:
    beech, cedar = beside(at_ashgrove, "Beech"), beside(at_ashgrove, "Cedar")
    at_ashgrove.answer("societies", "Letters go out with **MailOwl** on Fridays.")
    beech.answer("societies", "We ask MailOwl's office.")
    at_ashgrove.submit_and_approve()
    beech.submit_and_approve()
    # Beech names it no longer; its earlier edition did.
    beech.answer("societies", "We ask the office.", row_version=1)
    beech.submit_and_approve()
    return {"Ashgrove": at_ashgrove, "Beech": beech, "Cedar": cedar}


def search(client, one: Social, typed: str, more: str = "") -> str:
    return client.get(one.world.url(f"search?q={typed}{more}")).text


def test_the_network_manager_finds_it_everywhere_now_and_earlier(trust, client_for):
    first = trust["Ashgrove"]
    client = client_for(first.world.manager)
    page = search(client, first, "mailowl")
    assert "<mark>MailOwl</mark>" in page
    assert "**" not in page
    assert "In force at" in page
    assert "Ashgrove (1.2)" in page
    assert "Earlier at" in page
    assert "Beech (1.2)" in page
    assert "Cedar" not in page
    now = search(client, first, "mailowl", "&now=1")
    assert "Ashgrove (1.2)" in now
    assert "Nothing found" in search(client, first, "carrierpigeon")
    assert "Nothing to search for" in search(client, first, "%3F%3F")


def test_the_beginning_of_a_word_and_phrases(trust, client_for):
    first = trust["Ashgrove"]
    client = client_for(first.world.manager)
    assert "<mark>MailOwl</mark>" in search(client, first, "mailo")
    assert "Ashgrove (1.2)" in search(client, first, "%22Letters+go%22")
    assert "Nothing found" in search(client, first, "%22go+letters%22")


def test_the_trusts_text_is_found_with_who_follows_it(trust, client_for):
    first = trust["Ashgrove"]
    page = search(client_for(first.world.manager), first, "administrators")
    assert "The trust’s text:" in page
    assert "Version 1" in page
    assert "Cedar (1.1)" in page


def test_a_schools_people_find_their_own_and_the_trusts(trust, client_for):
    first, beech, cedar = (trust[name] for name in ("Ashgrove", "Beech", "Cedar"))
    mine = search(client_for(beech.head), beech, "mailowl")
    assert "Beech (1.2)" in mine
    assert "Ashgrove" not in mine
    assert "Fridays" not in mine
    assert "Nothing found" in search(client_for(cedar.head), cedar, "mailowl")
    assert "Nothing found" in search(client_for(cedar.teacher), cedar, "mailowl")
    assert "Cedar (1.1)" in search(client_for(cedar.teacher), cedar, "administrators")
    assert (
        first.world.url("search")
        in client_for(cedar.teacher).get(cedar.world.url(f"schools/{cedar.school.slug}/policies")).text
    )


def test_another_trust_finds_nothing(trust, other_world, client_for):
    manager = client_for(other_world.manager)
    assert "Nothing found" in manager.get(other_world.url("search?q=mailowl")).text
    assert manager.get(trust["Ashgrove"].world.url("search?q=mailowl")).status_code == 404


def test_a_policy_narrows_it(trust, client_for):
    first = trust["Ashgrove"]
    client = client_for(first.world.manager)
    assert "Ashgrove (1.2)" in search(client, first, "mailowl", f"&policy={first.slug}")
    assert client.get(first.world.url("search?q=mailowl&policy=nothing")).status_code == 404


def test_a_piece_of_a_word_is_found_by_its_index_and_after_the_words_themselves(trust, client_for):
    first, beech = trust["Ashgrove"], trust["Beech"]
    beech.answer("administrators", "The owl on the roof is not disturbed.")
    beech.submit_and_approve()
    page = search(client_for(first.world.manager), first, "owl")
    assert "Mail<mark>Owl</mark>" in page
    assert "<mark>owl</mark>" in page
    # Quotation marks ask for whole words; a piece is looked for in each bound as a word is.
    whole = search(client_for(first.world.manager), first, "%22owl%22")
    assert "<mark>owl</mark>" in whole
    assert "Mail" not in whole
    # One word as it is, another inside one.
    both = search(client_for(first.world.manager), first, "letter+ilow")
    assert "Ma<mark>ilOw</mark>l" in both
    assert "Nothing found" in search(client_for(first.world.manager), first, "roof+ilow")
    assert "Nothing found" in search(client_for(trust["Cedar"].head), first, "ilow")
    # Neither web nor workers may use what the search is made of.
    with first.world.looking():
        for role in (WEB, WORKER):
            enters = db.session.execute(
                text(f"SELECT has_schema_privilege('{role}', 'trigrams', 'USAGE')"),
                execution_options={"unscoped_because": "it asks about a role"},
            ).scalar_one()
            assert enters is False
