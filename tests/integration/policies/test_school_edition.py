"""A school's policy as its people read it."""

from __future__ import annotations

from datetime import timedelta

from trustportal.access import Role
from trustportal.policies.domain.answers import Answer
from trustportal.times import today


def test_everybody_at_the_school_reads_the_edition_in_force(at_ashgrove, client_for):
    for person in (at_ashgrove.teacher, at_ashgrove.head, at_ashgrove.world.manager):
        page = client_for(person).get(at_ashgrove.url())
        assert page.status_code == 200
        assert "Edition 1.1 since" in page.text
        assert "Every account has at least two administrators." in page.text
        assert '<span class="slot">Ashgrove Primary School</span>' in page.text
        assert "Photographs follow 2.1." in page.text
        assert ("Change our clauses" in page.text) == (person is at_ashgrove.head)


def test_each_clause_says_where_it_comes_from(at_ashgrove, client_for):
    at_ashgrove.answer("administrators", "Two administrators, one of them in the office of {{school.name}}.")
    at_ashgrove.answer("societies", answer=Answer.LEAVE_OUT, reason="We have no sixth form.")
    at_ashgrove.add("trips", "Photographs are posted after the children are home.")
    at_ashgrove.submit_and_approve()

    page = client_for(at_ashgrove.teacher).get(at_ashgrove.url()).text

    assert "Edition 1.2" in page
    assert "with 2 clauses of our own and 1 left out" in page
    assert "Adapted here" in page
    assert "Our office holds the register." in page
    assert "Trust’s text" in page
    assert "Every account has at least two administrators." in page
    assert 'office of <span class="slot">Ashgrove Primary School</span>' in page
    assert "Added here" in page
    assert "Left out here" in page
    assert "Sixth-form societies may run an account." in page
    assert "Trust, filled in here" in page
    assert "Trust, locked" in page


def test_what_the_policy_said_on_a_day(at_ashgrove, client_for):
    client = client_for(at_ashgrove.teacher)
    yesterday = today() - timedelta(days=1)

    nothing = client.get(at_ashgrove.url(f"?on={yesterday.isoformat()}").replace("/?", "?"))
    assert "no edition of this policy was in force" in nothing.text
    assert "Edition 1.1" in client.get(at_ashgrove.url() + f"?on={today().isoformat()}").text
    wrong = client.get(at_ashgrove.url() + "?on=yesterday")
    assert wrong.status_code == 422
    assert "Enter a real day" in wrong.text


def test_the_list_says_what_waits(at_ashgrove, client_for):
    url = at_ashgrove.world.url(f"schools/{at_ashgrove.school.slug}/policies")
    at_ashgrove.answer("administrators", "Three administrators.")

    head = client_for(at_ashgrove.head).get(url).text
    assert "Social media policy" in head
    assert "Changes not submitted" in head
    assert "Changes not submitted" not in client_for(at_ashgrove.teacher).get(url).text


def test_others_see_nothing(at_ashgrove, other_world, client_for):
    hazel = at_ashgrove.world.school("Hazel Lodge")
    stranger = at_ashgrove.world.person("Sue Stranger", (Role.STAFF, hazel))

    assert client_for(stranger).get(at_ashgrove.url()).status_code == 404
    assert client_for(other_world.manager).get(at_ashgrove.url()).status_code == 404
    assert client_for(at_ashgrove.head).get(at_ashgrove.url() + "-nothing").status_code == 404


def test_history_compare_and_earlier_editions(at_ashgrove, client_for):
    at_ashgrove.answer("administrators", "Every account has at least three administrators.")
    at_ashgrove.submit_and_approve()
    client = client_for(at_ashgrove.teacher)

    history = client.get(at_ashgrove.url("history")).text
    assert "Edition 1.2" in history
    assert "Edition 1.1" in history
    assert "Cleo Chair, Chair of governors" in history
    assert "Changed, material" in history

    compared = client.get(at_ashgrove.url("compare") + "?from=1.1&to=1.2").text
    assert "1 clause differs" in compared
    assert "two</del>" in compared
    assert "three</ins>" in compared
    assert client.get(at_ashgrove.url("compare") + "?from=1.1&to=1.2&whole=1").status_code == 200
    assert client.get(at_ashgrove.url("compare") + "?from=1.1&to=9.9").status_code == 404

    earlier = client.get(at_ashgrove.url("editions/1.1")).text
    assert "Superseded" in earlier
    assert "at least two administrators" in earlier
    assert client.get(at_ashgrove.url("editions/1.9")).status_code == 404
    assert client.get(at_ashgrove.url("editions/nine")).status_code == 404


def _statements(app, ask):
    """How many statements a request sends to the database."""
    from sqlalchemy import event

    from trustportal.db import db

    with app.app_context():
        engine = db.engine
    sent = []

    def note(*args):
        sent.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    ask()
    event.remove(engine, "before_cursor_execute", note)
    return len(sent)


def test_reading_takes_few_statements_and_its_clauses_are_kept(at_ashgrove, app, client_for):
    client = client_for(at_ashgrove.teacher)
    first = _statements(app, lambda: client.get(at_ashgrove.url()))
    again = _statements(app, lambda: client.get(at_ashgrove.url()))
    # Who is signed in, the policy, the edition, what is to come; the first time also its tree and its words.
    assert again <= 5
    assert first <= again + 3
