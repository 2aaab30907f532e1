"""The divergence map: who follows, adapted, left out, added, is behind or has to decide; its cells and its workbook."""

from __future__ import annotations

import io
from datetime import timedelta

from openpyxl import load_workbook
from sqlalchemy import event

from tests.integration.moments import moment
from tests.integration.policies.given import Social
from tests.integration.policies.several import beside
from trustportal.db import db
from trustportal.policies.domain.answers import Answer
from trustportal.times import today

NEW = "Every account has at least two administrators, of whom one belongs to the leadership team."
OURS = "Every account has at least two **administrators**, and one is the business manager."


@moment
def trust(at_ashgrove: Social) -> dict[str, Social]:
    schools = {"Ashgrove": at_ashgrove}
    for name in ("Beech", "Cedar", "Drake"):
        schools[name] = beside(at_ashgrove, name)
    schools["Beech"].answer("societies", "=HYPERLINK(1)", reason="+Because.")
    schools["Cedar"].answer("administrators", OURS)
    schools["Drake"].answer("societies", answer=Answer.LEAVE_OUT)
    schools["Drake"].add("trips", "Our coach trips have their own rules.")
    for name in ("Beech", "Cedar", "Drake"):
        schools[name].submit_and_approve()
    at_ashgrove.next_version({"administrators": NEW}, decide_by=today() + timedelta(days=5))
    return schools


def map_url(one: Social, path: str = "") -> str:
    return one.world.url(f"policies/{one.slug}/map{path}")


def test_every_state_is_on_the_map(trust, client_for):
    first = trust["Ashgrove"]
    page = client_for(first.world.manager).get(map_url(first)).text
    base = map_url(first)
    for place, key, sign in (
        ("beech", "societies", "A"),
        ("cedar", "administrators", "!"),
        ("drake", "societies", "–"),
        ("drake", "trips", "+"),
    ):
        assert f'href="{base}/{place}/{key}"' in page
        assert f">{sign}</a>" in page
    assert f'href="{base}/ashgrove/' not in page
    assert "1</b>follows fully" in page
    assert "1</b>to decide" in page
    assert "1</b>still on version 1" in page
    assert 'data-place="cedar"' in page


def test_filters_keep_what_matches(trust, client_for):
    first = trust["Ashgrove"]
    client = client_for(first.world.manager)
    conflicts = client.get(map_url(first, "?state=conflict")).text
    assert 'data-place="cedar"' in conflicts
    assert 'data-place="drake"' not in conflicts
    assert 'data-key="administrators"' in conflicts
    assert 'data-key="trips"' not in conflicts
    extend = client.get(map_url(first, "?mode=extend")).text
    assert 'data-key="trips"' in extend
    assert 'data-key="societies"' not in extend
    assert "Nothing matches" in client.get(map_url(first, "?mode=locked&state=left_out")).text
    chosen = client.get(first.world.url(f"map?policy={first.slug}&state=adapted"))
    assert chosen.location.endswith(f"/policies/{first.slug}/map?state=adapted")
    assert client.get(first.world.url("map?policy=nothing")).status_code == 404


def test_a_cell_opens_its_redline_as_a_panel_and_as_a_page(trust, client_for):
    first = trust["Ashgrove"]
    client = client_for(first.world.manager)
    adapted = client.get(map_url(first, "/beech/societies"))
    assert "<h1>" in adapted.text
    assert "=HYPERLINK(1)" in adapted.text
    assert "+Because." in adapted.text
    panel = client.get(map_url(first, "/cedar/administrators"), headers={"HX-Request": "true"}).text
    assert panel.strip().startswith('<div id="cell"')
    assert "The head has not decided yet" in panel
    assert "leadership team</ins>" in panel
    # People read words, not the marks of Markdown.
    assert "**" not in panel
    assert "The school leaves this clause out" in client.get(map_url(first, "/drake/societies")).text
    assert "coach trips" in client.get(map_url(first, "/drake/trips")).text
    assert "uses the trust’s text" in client.get(map_url(first, "/ashgrove/approval")).text
    assert client.get(map_url(first, "/nowhere/approval")).status_code == 404
    assert client.get(map_url(first, "/beech/nothing")).status_code == 404


def test_the_workbook_says_the_same_and_calculates_nothing(trust, client_for):
    first = trust["Ashgrove"]
    answer = client_for(first.world.manager).get(map_url(first, ".xlsx"))
    book = load_workbook(io.BytesIO(answer.data))
    rows = list(book["Map"].iter_rows(values_only=True))
    assert rows[0][3:] == tuple(trust[name].school.name for name in ("Ashgrove", "Beech", "Cedar", "Drake"))
    said = {row[1]: row[3:] for row in rows[1:]}
    assert said["Administrators"] == (None, None, "to decide", None)
    assert said["Sixth-form societies may run an account."] == (None, "adapted", None, "left out")
    differences = list(book["Differences"].iter_rows(values_only=True))
    assert ("'=HYPERLINK(1)", "'+Because.") in [row[4:] for row in differences]
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_only_officers_see_it(trust, client_for):
    first = trust["Ashgrove"]
    for path in ("", ".xlsx", "/beech/societies"):
        assert client_for(first.head).get(map_url(first, path)).status_code == 403
        assert client_for(first.trustees[0]).get(map_url(first, path)).status_code == 200


def test_the_same_queries_for_more_schools(trust, client_for, app):
    first = trust["Ashgrove"]
    client = client_for(first.world.manager)

    def queries() -> int:
        client.get(map_url(first))
        sent: list[str] = []
        with app.app_context():
            engine = db.engine

        def note(_connection, _cursor, statement, *_) -> None:
            sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            client.get(map_url(first))
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(sent)

    before = queries()
    for name in ("Elder", "Furze"):
        beside(first, name)
    assert queries() == before
