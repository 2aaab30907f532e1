"""The pages of acceptance, as people use them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from tests.world import World
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Campaign, Signature
from trustportal.acceptance.queries import overview
from trustportal.access import Role
from trustportal.db import db
from trustportal.times import today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Asked, Desk

ClientFor = Callable[..., Any]


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of the form that signs."""
    form = html[html.index('id="signing"') :]
    return dict(re.findall(r'name="(edition_id|statement_seen)"[^>]*value="([^"]*)"', form))


def test_read_and_sign_in_one_sitting(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove, sentences=["Be kind.", "Ask first."])
    code = desk.policy("Staff code", ashgrove)
    client = client_for(ann)
    assert "Nothing to sign" in client.get(world.url("sign")).text
    desk.campaign(social, code)
    home = client.get(world.url("")).text
    assert "Sign two policies for" in home
    assert "Social media, Staff code." in home
    page = client.get(world.url("sign"))
    assert "Two policies need your signature" in page.text
    for left in (1, 0):
        first = desk.open_of(ann)[0]
        address = world.url(f"sign/{first.id}")
        shown = client.get(address)
        assert shown.status_code == 200
        assert "You have not signed this policy here before" in shown.text
        assert client.get(f"{address}/policy.pdf").data.startswith(b"%PDF")
        refused = client.post(address, data=hidden(shown.text))
        assert refused.status_code == 422
        assert "Tick the box" in refused.text
        signed = client.post(address, data={**hidden(refused.text), "confirmed": "y"})
        assert signed.status_code == 303
        assert len(desk.open_of(ann)) == left
        assert client.get(address).status_code == 303
    listed = client.get(world.url("signatures"))
    assert "Social media" in listed.text
    assert "nothing is left to sign" in listed.text
    receipt = re.findall(r'href="([^"]*/signatures/[0-9a-f-]{36})"', listed.text)[0]
    assert "The evidence is whole" in client.get(receipt).text
    assert client.get(f"{receipt}/policy.pdf").mimetype == "application/pdf"


def test_what_changed_comes_first(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove, sentences=["Be kind.", "Ask first."])
    desk.campaign(social)
    desk.sign(ann, desk.open_of(ann)[0])
    desk.edition(social, ashgrove, ["Be kind and calm.", "Ask first."], reason="After the spring review.")
    world.run_jobs()
    client = client_for(ann)
    assert "Changed" in client.get(world.url("sign")).text
    page = client.get(world.url(f"sign/{desk.open_of(ann)[0].id}")).text
    assert page.index("What changed since you last signed") < page.index("The whole policy")
    assert "One clause is different now" in page
    assert "After the spring review." in page
    assert re.search(r"<ins>.*?and calm.*?</ins>", page)


def test_a_page_that_was_superseded_comes_again_with_the_difference(
    world: World, asking: Asked, client_for: ClientFor
) -> None:
    desk, ashgrove, ann, social = asking.desk, asking.ashgrove, asking.ann, asking.social
    client = client_for(ann)
    address = world.url(f"sign/{desk.open_of(ann)[0].id}")
    old = hidden(client.get(address).text)
    desk.edition(social, ashgrove, ["Be kind, always."])
    again = client.post(address, data={**old, "confirmed": "y"})
    assert again.status_code == 422
    assert "A newer edition came into force while you were reading" in again.text
    assert "checked" not in again.text[again.text.index('id="signing"') :]
    new = hidden(again.text)
    assert new != old
    assert client.post(address, data={**new, "confirmed": "y"}).status_code == 303
    with world.looking():
        assert [str(one.edition_id) for one in db.session.scalars(select(Signature))] == [new["edition_id"]]


def test_the_places_furthest_behind_come_first_and_the_rest_on_demand(
    world: World, desk: Desk, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "PLACES", 2)
    schools = [world.school(name) for name in ("Ashgrove", "Birch", "Cedar")]
    first = world.person("Ann Staff", (Role.STAFF, schools[0]))
    for one in schools[1:]:
        world.person(f"Staff of {one.slug}", (Role.STAFF, one))
    opened = desk.campaign(desk.policy("Social media", *schools))
    desk.sign(first, desk.open_of(first)[0])
    client = client_for(world.manager)
    address = world.url(f"acceptance/{opened.id}")

    def listed(page: str) -> list[str]:
        table = page[page.index('id="places"') :].split("</table>")[0]
        return re.findall(r'scope="row"><a [^>]*>([^<]*)</a>', table)

    short = client.get(address).text
    ashgrove, birch, cedar = (f"{name} Primary School" for name in ("Ashgrove", "Birch", "Cedar"))
    assert listed(short) == [birch, cedar]
    assert "The 2 furthest behind, of 3." in short
    assert "1 of 3 have signed" in short
    every = re.findall(r'href="([^"]*)"[^>]*>Show all 3 places', short)
    assert listed(client.get(every[0]).text) == [birch, cedar, ashgrove]


def test_what_is_not_mine_does_not_exist(
    world: World, other_world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    colleague = world.person("Col League", (Role.STAFF, ashgrove))
    elsewhere = world.person("Else Where", (Role.HEADTEACHER, birch))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove), desk.policy("Code", ashgrove))
    signature = desk.sign(ann, desk.open_of(ann)[0])
    assignment = desk.open_of(ann)[0]
    for who in (colleague, elsewhere, world.manager):
        client = client_for(who)
        for path in (f"sign/{assignment.id}", f"sign/{assignment.id}/policy.pdf", f"sign/{uuid4()}"):
            assert client.get(world.url(path)).status_code == 404
        fields = {"edition_id": str(assignment.edition_id), "statement_seen": "0" * 64, "confirmed": "y"}
        assert client.post(world.url(f"sign/{assignment.id}"), data=fields).status_code == 404
    for who in (colleague, elsewhere):
        assert client_for(who).get(world.url(f"signatures/{signature.id}")).status_code == 404
    assert client_for(head).get(world.url(f"signatures/{signature.id}")).status_code == 200
    stranger = client_for(other_world.manager)
    assert stranger.get(other_world.url(f"signatures/{signature.id}")).status_code == 404
    assert stranger.get(other_world.url(f"sign/{assignment.id}")).status_code == 404


def form_of(desk: Desk, *policies: Any, **changes: Any) -> dict[str, Any]:
    due = today() + timedelta(days=20)
    return {
        "title": "Annual signing",
        "academic_year": str(academic_year(due)),
        "policies": [str(one) for one in policies],
        "where": "all",
        "roles": ["staff", "headteacher"],
        "opens_on": [str(today().day), str(today().month), str(today().year)],
        "due_on": [str(due.day), str(due.month), str(due.year)],
        "joiner_days": "14",
        "statement": "I have read {policy} and agree to follow it.",
        **changes,
    }


def test_a_campaign_is_previewed_then_opened(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    social = desk.policy("Social media", ashgrove)
    client = client_for(world.manager)
    assert "No campaign yet" in client.get(world.url("acceptance")).text
    assert client.get(world.url("acceptance/new")).status_code == 200
    wrong = client.post(world.url("acceptance/new"), data=form_of(desk, social, policies=[], preview="yes"))
    assert wrong.status_code == 422
    assert "Choose at least one policy" in wrong.text
    preview = client.post(world.url("acceptance/new"), data=form_of(desk, social, preview="yes"))
    assert "2 people will be asked" in preview.text
    with world.looking():
        assert db.session.scalars(select(Campaign)).all() == []
    opened = client.post(world.url("acceptance/new"), data=form_of(desk, social, open="yes"))
    assert opened.status_code == 303
    twice = client.post(world.url("acceptance/new"), data=form_of(desk, social, open="yes"))
    assert twice.status_code == 422
    world.run_jobs()
    page = client.get(opened.location).text
    assert "of 2 have signed" in page
    assert "Ann Staff" in page
    assert "0 of 2 have signed" in client.get(world.url("acceptance")).text
    address = opened.location
    assert client_for(head).post(f"{address}/close").status_code == 403
    reminded = client.post(f"{address}/remind")
    assert reminded.status_code == 303
    assert "2 people will get a reminder" in client.get(reminded.location).text
    assert client.post(f"{address}/close").status_code == 303
    assert "Closed on" in client.get(address).text


def test_a_head_sees_their_school_with_names_and_exports_it(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    world.person("Ben Staff", (Role.STAFF, birch))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    client = client_for(head)
    empty = client.get(world.url(f"schools/{ashgrove.slug}/acceptance"))
    assert "Nobody has been asked yet" in empty.text
    opened = desk.campaign(desk.policy("Social media", ashgrove, birch))
    page = client.get(world.url(f"schools/{ashgrove.slug}/acceptance")).text
    assert "Ann Staff" in page
    assert "Ben Staff" not in page
    filtered = client.get(
        world.url(f"schools/{ashgrove.slug}/acceptance?role=headteacher&campaign={opened.id}")
    )
    assert "Ann Staff" not in filtered.text
    assert client.get(world.url(f"schools/{birch.slug}/acceptance")).status_code == 404
    assert client.get(world.url(f"acceptance/{opened.id}?place={birch.slug}")).status_code == 404
    assert client.get(world.url(f"acceptance/{opened.id}?place=trust")).status_code == 404
    exported = client.get(world.url(f"acceptance/{opened.id}/export.csv")).text
    assert "Ann Staff" in exported
    assert "Ben Staff" not in exported
    book = load_workbook(io.BytesIO(client.get(world.url(f"acceptance/{opened.id}/export.xlsx")).data))
    assert book.active is not None
    assert book.active.max_row == 3
    assert client.get(world.url(f"acceptance/{opened.id}/export.csv?place={birch.slug}")).status_code == 404
    assert "of 2 have signed" in client.get(world.url("")).text


def test_trustees_and_chairs_see_totals_without_names(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove = world.school("Ashgrove")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    trustee = world.person("Tom Trustee", Role.TRUSTEE)
    chair = world.person("Chris Chair", (Role.CHAIR_OF_GOVERNORS, ashgrove))
    opened = desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    for who in (trustee, chair):
        client = client_for(who)
        page = client.get(world.url(f"acceptance/{opened.id}")).text
        assert "of 1 have signed" in page
        assert "Ann Staff" not in page
        assert client.get(world.url(f"acceptance/{opened.id}/export.csv")).status_code == 403
        assert client.post(world.url(f"acceptance/{opened.id}/remind")).status_code == 403


def test_staff_do_not_see_progress(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    opened = desk.campaign(desk.policy("Social media", ashgrove))
    client = client_for(ann)
    for path in (
        "acceptance",
        "acceptance/new",
        f"acceptance/{opened.id}",
        f"schools/{ashgrove.slug}/acceptance",
    ):
        assert client.get(world.url(path)).status_code == 403


def test_the_receipt_comes_by_mail(world: World, desk: Desk, postbox: Any) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove))
    assert "Please sign one policy" in str(postbox.to(str(ann.email))[-1]["Subject"])
    signature = desk.sign(ann, desk.open_of(ann)[0])
    world.run_jobs()
    assert postbox.last_link(str(ann.email), "signatures").endswith(str(signature.id))
