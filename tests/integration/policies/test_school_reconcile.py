"""A new version of the trust's text meets what the school changed: the head decides, finishes, and sends it."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.moments import moment
from trustportal.times import today

NEW = "Every account has at least two administrators, of whom one belongs to the leadership team."
OURS = "Every account has at least two administrators, and one is the business manager."


@moment
def conflicted(at_ashgrove):
    at_ashgrove.answer("administrators", OURS)
    at_ashgrove.submit_and_approve()
    at_ashgrove.next_version({"administrators": NEW}, decide_by=today() + timedelta(days=9))
    return at_ashgrove


def test_only_what_needs_a_decision_is_shown_with_three_texts(conflicted, client_for):
    page = client_for(conflicted.head).get(conflicted.url("reconcile")).text
    assert "Decide one clause" in page
    assert "The trust’s text when we adapted it" in page
    assert "leadership team</ins>" in page
    assert "business manager</ins>" in page
    assert "After the spring review." in page
    assert "edition 1.2 stays in force" in page
    for words in ("Keep both", "Take the trust’s", "Keep ours", "Write it"):
        assert words in page
    assert "Photographs follow" not in page
    assert client_for(conflicted.teacher).get(conflicted.url("reconcile")).status_code == 403
    assert "1 clause to decide" in client_for(conflicted.head).get(conflicted.url()).text


def test_deciding_changing_ones_mind_finishing_and_sending(conflicted, client_for):
    client = client_for(conflicted.head)
    url = conflicted.url("reconcile/clauses/administrators")
    assert client.post(conflicted.url("reconcile/finish")).status_code == 422

    decided = client.post(url, data={"choice": "keep_both", "row_version": "1"})
    assert decided.status_code == 303
    assert decided.location.endswith("#finish")
    page = client.get(conflicted.url("reconcile")).text
    assert "All clauses are decided" in page
    assert "keep yours as a clause after it" in page
    clash = client.post(url, data={"choice": "write", "text": "Mine.", "row_version": "1"})
    assert clash.status_code == 409
    assert "Mine." in clash.text
    empty = client.post(url, data={"choice": "write", "text": "", "row_version": "2"})
    assert empty.status_code == 422
    assert (
        client.post(url, data={"choice": "write", "text": "Both and more.", "row_version": "2"}).status_code
        == 303
    )

    finished = client.post(conflicted.url("reconcile/finish"))
    assert finished.status_code == 303
    assert finished.location.endswith("/submit")
    assert client.post(conflicted.url("submit"), data={"reason": "Decided."}).status_code == 303
    conflicted.approve()
    edition = client.get(conflicted.url()).text
    assert "Edition 2.1" in edition
    assert "Both and more." in edition
    gone = client.get(conflicted.url("reconcile"))
    assert gone.status_code == 303


def test_a_choice_that_is_not_open_is_refused(conflicted, client_for):
    client = client_for(conflicted.head)
    url = conflicted.url("reconcile/clauses/administrators")
    for choice in ("drop", "nonsense", ""):
        assert client.post(url, data={"choice": choice, "row_version": "1"}).status_code == 422
    assert (
        client.post(conflicted.url("reconcile/clauses/nothing"), data={"choice": "drop"}).status_code == 404
    )


def test_a_clause_that_the_trust_removed(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    at_ashgrove.answer("administrators", OURS)
    at_ashgrove.submit_and_approve()
    at_ashgrove.next_version({"administrators": None})
    page = client.get(at_ashgrove.url("reconcile")).text
    assert "Removed by the trust" in page
    assert "Keep it as our own clause" in page
    url = at_ashgrove.url("reconcile/clauses/administrators")
    assert client.post(url, data={"choice": "keep_as_added", "row_version": "1"}).status_code == 303
    assert client.post(at_ashgrove.url("reconcile/finish")).status_code == 303
    assert OURS in client.get(at_ashgrove.url("clauses")).text


def test_without_a_conflict_the_new_text_is_in_force_at_once(at_ashgrove, client_for):
    at_ashgrove.next_version({"administrators": NEW})
    page = client_for(at_ashgrove.head).get(at_ashgrove.url()).text
    assert "Edition 2.1" in page
    assert NEW in page


def test_my_tasks_ask_the_head(conflicted, client_for):
    client = client_for(conflicted.head)
    home = client.get(conflicted.world.url()).text
    assert "Decide one clause of the Social media policy" in home
    assert "1 conflict" in home
    assert "1 clause to decide" in client.get(conflicted.url().rpartition("/")[0]).text
    assert "Decide one clause" not in client_for(conflicted.teacher).get(conflicted.world.url()).text
    client.post(
        conflicted.url("reconcile/clauses/administrators"), data={"choice": "keep_ours", "row_version": "1"}
    )
    assert "Finish your decisions" in client.get(conflicted.world.url()).text
    client.post(conflicted.url("reconcile/finish"))
    assert "Send your changes to the Social media policy" in client.get(conflicted.world.url()).text
