"""What signing shows elsewhere: who is asked again, how many have signed, and my policies with a search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.integration.policies.given import social
from tests.integration.sweeps.estate import stored_pdfs
from tests.world import World
from trustportal.acceptance.models import Campaign
from trustportal.acceptance.services.figures import people_asked_again
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.policies import queries
from trustportal.policies.domain.clauses import Kind, Mode
from trustportal.policies.services import drafts
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

ClientFor = Callable[..., Any]


def test_the_network_manager_sees_the_number_before_publishing(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    given = social(world)
    birch = world.school("Birch")
    others = [world.person(f"Bea {number}", (Role.STAFF, birch)) for number in range(2)]
    world.run_jobs()
    _make_pdfs(world)
    # Ashgrove says something of its own in the clause that the trust will change; Birch follows the trust.
    given.answer("administrators", "Every account has at least three administrators.")
    given.submit_and_approve()
    world.run_jobs()
    _make_pdfs(world)
    desk.campaign(given.policy_id, roles=[Role.STAFF])
    for one in (given.teacher, others[0]):
        desk.sign(one, desk.open_of(one)[0])
    with world.acting(world.manager) as actor:
        draft = drafts.start_draft(actor, policy_id=given.policy_id, now=now())
        version_id = draft.id
    address = world.url(f"acceptance/versions/{version_id}/figures")
    client = client_for(world.manager)
    # Nothing is changed yet: every signature stands.
    with world.looking():
        before = people_asked_again(queries.get_version(version_id), today=today())
    assert (before.people, before.signatures) == (0, 0)
    assert "0 people</strong> will be asked" in client.get(address).text
    with world.acting(world.manager) as actor:
        stored = queries.get_draft_clause(version_id, "administrators")
        drafts.change_clause(
            actor,
            version_id=version_id,
            key="administrators",
            row_version=stored.row_version,
            heading=stored.heading,
            text="Every account has two administrators who are employed here.",
            mode=Mode(stored.mode),
            needs_agreement=stored.needs_agreement,
            kind=Kind.CLAUSE,
            now=now(),
        )
    with world.looking():
        after = people_asked_again(queries.get_version(version_id), today=today())
    assert after.people == 1
    assert birch.id in after.material
    assert given.school.id in after.to_decide
    assert after.move >= 1
    text = client.get(address).text
    assert "1 person</strong> will be asked to sign again" in text
    assert "must decide first: Ashgrove" in text
    # Who may not see totals gets an empty slot, not an error.
    assert "Signing" not in client_for(given.teacher).get(address).text


def _make_pdfs(world: World) -> None:
    """A file in the place of each PDF that is missing."""

    class Here:
        def __init__(self, world: World) -> None:
            self.world = world

    stored_pdfs(Here(world))  # type: ignore[arg-type]


def test_a_schools_policy_says_how_many_have_signed(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    world.person("Ben Staff", (Role.STAFF, ashgrove))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    address = world.url(f"schools/{ashgrove.slug}/policies/social-media/signing")
    assert "Not signed" in client_for(ann).get(address).text
    desk.sign(ann, desk.open_of(ann)[0])
    assert "1 of 2" in client_for(head).get(address).text
    assert "edition 1.1" in client_for(ann).get(address).text


def test_staff_read_and_search_their_policies_at_any_time(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    both = world.person("Sam Supply", (Role.SUPPLY, ashgrove), (Role.SUPPLY, birch))
    desk.policy("Social media", ashgrove, birch, sentences=["Be kind to <everybody>.", "Ask first."])
    desk.policy("Keys", birch, sentences=["Nobody lends a key."])
    client = client_for(ann)
    page = client.get(world.url("my-policies")).text
    assert "Social media" in page
    assert "Keys" not in page
    found = client.get(world.url("my-policies?q=kind+everybody")).text
    assert "<mark>kind</mark>" in found
    assert "&lt;everybody&gt;" in found
    assert "#clause-clause-1" in found
    assert "Nothing found" in client.get(world.url("my-policies?q=giraffe")).text
    assert "Nothing found" in client.get(world.url("my-policies?q=lends")).text
    assert "<mark>lends</mark>" in client_for(both).get(world.url("my-policies?q=lends")).text


def test_progress_by_policy_and_over_time(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    world.person("Ben Staff", (Role.STAFF, ashgrove))
    trustee = world.person("Tom Trustee", Role.TRUSTEE)
    opened = desk.campaign(
        desk.policy("Social media", ashgrove), desk.policy("Keys", ashgrove), roles=[Role.STAFF]
    )
    first = desk.open_of(ann)[0]
    desk.sign(ann, first)
    with world.looking(), unit_of_work():
        db.session.query(Campaign).update({"opens_on": today() - timedelta(days=9)})
    page = client_for(world.manager).get(world.url(f"acceptance/{opened.id}")).text
    assert "By policy" in page
    assert f"{first.policy_title}: 50 per cent have signed" in page
    assert "1 of 4 signatures by" in page
    assert "<polyline" in page
    totals = client_for(trustee).get(world.url(f"acceptance/{opened.id}")).text
    assert "<polyline" in totals
    assert "Ben Staff" not in totals


def test_home_does_not_send_anybody_to_what_cannot_be_signed_yet(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove)
    desk.campaign(social, roles=[Role.STAFF])
    client = client_for(ann)
    assert "Read and sign" in client.get(world.url("")).text
    newer = desk.edition(social, ashgrove, ["Be kinder."], ready=False)
    world.run_jobs()
    home = client.get(world.url("")).text
    assert "Read and sign" not in home
    assert "On its way: Social media" in home
    assert "Being prepared" in client.get(world.url("sign")).text
    desk.make_pdf(newer)
    world.run_jobs()
    assert "Read and sign" in client.get(world.url("")).text
