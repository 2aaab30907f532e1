"""Any two texts of a policy beside each other: versions, editions, two schools' editions; on the page and as PDF."""

from __future__ import annotations

import io

import pdfplumber

from tests.integration.moments import moment
from tests.integration.policies.given import Social, publish, with_tree
from tests.integration.policies.several import beside
from trustportal.policies import reading
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Weight
from trustportal.policies.services import drafts
from trustportal.times import now

NEW = "Every account has at least two administrators, of whom one belongs to the leadership team."
OURS = "Every account has at least **two** administrators, and one is the business manager."


@moment
def two(at_ashgrove: Social) -> tuple[Social, Social]:
    beech = beside(at_ashgrove, "Beech")
    beech.answer("administrators", OURS)
    beech.submit_and_approve()
    at_ashgrove.next_version({"trips": "Photographs of trips follow [[approval]]."})
    return at_ashgrove, beech


def compare(client, one: Social, arguments: str, path: str = "compare") -> str:
    return client.get(one.world.url(f"policies/{one.slug}/{path}?{arguments}")).text


def test_two_schools_differ_in_their_words_and_not_in_their_names(two, client_for):
    first, _ = two
    page = compare(client_for(first.world.manager), first, "from_place=ashgrove&to_place=beech")
    assert "Ashgrove Primary School, edition 2.1" in page
    assert "1 clause changed" in page
    assert "business manager</ins>" in page
    assert "**" not in page
    assert "Accounts speak for" not in page


def test_a_version_and_a_schools_edition(two, client_for):
    first, beech = two
    manager = client_for(first.world.manager)
    page = compare(manager, first, "from=1&to_place=beech&to=1.2")
    assert "The trust’s version 1 and" in page
    assert "1 clause changed" in page
    head = client_for(beech.head)
    assert "business manager</ins>" in compare(head, beech, "to_place=beech")
    # Another school's text is not there for a school's people.
    assert head.get(first.world.url(f"policies/{first.slug}/compare?to_place=ashgrove")).status_code == 404


def test_choosing_another_place_begins_with_its_newest_text(two, client_for):
    first, _ = two
    manager = client_for(first.world.manager)
    page = compare(manager, first, "from=1&to_place=beech&to=2")
    assert "edition 2.1" in page
    assert manager.get(first.world.url(f"policies/{first.slug}/compare?from=9&to=1")).status_code == 404
    address = f"policies/{first.slug}/compare?to_place=beech&to=7.7"
    assert manager.get(first.world.url(address)).status_code == 404


def test_what_moved_is_shown_as_moved(at_ashgrove: Social, client_for):
    world = at_ashgrove.world
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=at_ashgrove.policy_id, now=now())
        tree = list(reading.tree_of_version(version))
        trips = next(one for one in tree if one.key == "trips")
        tree.remove(trips)
        tree.insert(next(at for at, one in enumerate(tree) if one.key == "approval"), trips)
        with_tree(actor, version.id, tuple(tree))
    publish(world, at_ashgrove.trustees, version.id, {"trips": Mark(Weight.EDITORIAL, "It comes first.")})
    page = compare(client_for(world.manager), at_ashgrove, "from=1&to=2")
    assert "1 clause changed" in page
    assert "Moved" in page
    assert "was 2.4" in page
    own = client_for(at_ashgrove.head).get(at_ashgrove.url("compare?from=1.1&to=2.1")).text
    assert "and moved" in own


def test_a_redline_on_paper_is_made_once(two, client_for):
    first, beech = two
    manager = client_for(first.world.manager)
    arguments = "from_place=ashgrove&from=2.1&to_place=beech&to=2.1"
    address = first.world.url(f"policies/{first.slug}/compare.pdf")
    assert "It has not been made yet" in manager.get(f"{address}?{arguments}").text
    fields = dict(pair.split("=") for pair in arguments.split("&"))
    wanted = manager.post(address, data=fields)
    assert wanted.status_code == 303
    waiting = manager.get(wanted.location)
    assert waiting.status_code == 202
    assert waiting.headers["Refresh"]
    manager.post(address, data=fields)
    first.world.run_jobs()
    made = manager.get(wanted.location)
    assert made.mimetype == "application/pdf"
    with pdfplumber.open(io.BytesIO(made.data)) as pdf:
        words = " ".join((page.extract_text() or "") for page in pdf.pages)
    assert "business manager" in " ".join(words.split())
    assert "**" not in words
    assert client_for(beech.head).get(wanted.location).status_code == 404


def test_a_schools_own_editions_as_pdf(two, client_for):
    _, beech = two
    teacher = client_for(beech.teacher)
    address = beech.url("compare.pdf")
    assert teacher.post(address, data={"from": "1.1", "to": "1.2"}).status_code == 303
    beech.world.run_jobs()
    assert teacher.get(f"{address}?from=1.1&to=1.2").mimetype == "application/pdf"
    assert teacher.get(f"{address}?from=1.1&to=8.8").status_code == 404
