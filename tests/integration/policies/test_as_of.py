"""What a policy said on any day, with its PDF as it was; and what is approved and not yet in effect."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.policies.given import Social
from tests.integration.policies.several import beside, store_pdfs
from trustportal.times import today
from trustportal.words import day

NEW = "Every account has at least two administrators, of whom one belongs to the leadership team."
OURS = "Every account has at least two administrators, and one is the business manager."


def test_between_approval_and_the_day_on_which_it_takes_effect(at_ashgrove: Social, client_for):
    begins = today() + timedelta(days=10)
    at_ashgrove.next_version({"administrators": NEW}, effective_on=begins)
    reader = client_for(at_ashgrove.teacher)
    index = reader.get(at_ashgrove.url().rpartition("/")[0]).text
    assert f"2.1 is approved, and takes effect on {day(begins)}" in index
    page = reader.get(at_ashgrove.url()).text
    assert "Edition 1.1 since" in page
    assert f"From {day(begins)}" in page
    assert NEW not in page
    between = reader.get(at_ashgrove.url(f"?on={today() + timedelta(days=3)}").replace("/?", "?")).text
    assert "edition 2.1</a> was already approved" in between
    assert NEW not in between
    then = reader.get(at_ashgrove.url(f"?on={begins}").replace("/?", "?")).text
    assert "Edition 2.1" in then
    assert NEW in then
    before = reader.get(at_ashgrove.url(f"?on={today() - timedelta(days=400)}").replace("/?", "?")).text
    assert "no edition of this policy was in force" in before


def test_each_clause_has_its_origin_and_the_pdf_is_as_it_was(at_ashgrove: Social, client_for):
    at_ashgrove.answer("administrators", OURS)
    at_ashgrove.submit_and_approve()
    store_pdfs(at_ashgrove.world)
    reader = client_for(at_ashgrove.teacher)
    bytes_before = reader.get(at_ashgrove.url("editions/1.2.pdf")).data
    at_ashgrove.next_version({"societies": "Societies ask first."}, effective_on=today() + timedelta(days=5))
    store_pdfs(at_ashgrove.world)
    page = reader.get(at_ashgrove.url(f"?on={today()}").replace("/?", "?")).text
    assert "Adapted here" in page
    assert OURS in page
    assert at_ashgrove.url("editions/1.2.pdf") in page
    assert reader.get(at_ashgrove.url("editions/1.2.pdf")).data == bytes_before
    assert reader.get(at_ashgrove.url("editions/2.1.pdf")).data != bytes_before


def test_the_trust_sees_every_place_on_a_day(at_ashgrove: Social, client_for):
    beech = beside(at_ashgrove, "Beech")
    begins = today() + timedelta(days=10)
    at_ashgrove.next_version({"administrators": NEW}, effective_on=begins)
    manager = client_for(at_ashgrove.world.manager)
    address = at_ashgrove.world.url(f"policies/{at_ashgrove.slug}")
    assert "1.1, since" in manager.get(address).text
    then = manager.get(f"{address}?on={begins}").text
    assert f"On {day(begins)}" in then
    assert then.count("2.1, since") == 2
    assert beech.url() + f"?on={begins}" in then
    wrong = manager.get(f"{address}?on=soon")
    assert wrong.status_code == 422
    assert "Enter a real day" in wrong.text
