"""Outside documents beside the policies: recorded, confirmed once wherever somebody serves, proved like a signature."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tests.integration.acceptance.test_pages import hidden
from tests.integration.acceptance.test_signing import tamper
from tests.integration.acceptance.test_without_email import printed
from tests.world import Place, Someone, World
from trustportal import blobs
from trustportal.acceptance import services
from trustportal.acceptance.domain.evidence import record_hash
from trustportal.acceptance.models import OutsideEdition, Signature
from trustportal.acceptance.services import certificates, packs
from trustportal.acceptance.services.verifying import verify_all
from trustportal.access import Role
from trustportal.db import db
from trustportal.tenants import queries
from trustportal.tenants import services as tenants
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

ClientFor = Callable[..., Any]
FIELDS = {
    "title": "Safe at work",
    "publisher": "The Inspectorate",
    "edition": "autumn edition",
    "link": "https://inspectorate.example/safe-at-work",
    "parts": "part one",
    "statement": "I have read {parts} of {document}, {edition}, and know what to do at {place}.",
    "what": "new",
}


def days(**given: Any) -> dict[str, str]:
    """The three boxes of days."""
    boxes: dict[str, str] = {}
    for name, day in given.items():
        boxes |= {f"{name}": [str(day.day), str(day.month), str(day.year)]}  # type: ignore[dict-item]
    return boxes


def all_posts(world: World) -> tuple[Place, Place, Someone]:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch Hill")
    return ashgrove, birch, world.person("Ann Staff", (Role.STAFF, ashgrove), (Role.STAFF, birch))


def test_a_document_is_recorded_and_confirmed_in_the_portal(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove, _, ann = all_posts(world)
    office, client = client_for(world.manager), client_for(ann)
    new = world.url("acceptance/documents/new")
    assert "Nothing is recorded yet" in office.get(world.url("acceptance/documents")).text
    dates = days(published_on=today() - timedelta(days=5), current_from=today())
    refused = office.post(new, data={**FIELDS, **dates, "link": "inspectorate.example"})
    assert refused.status_code == 422
    assert "begins with https://" in refused.text
    assert "know what to do at {place}" in refused.text
    made = office.post(new, data={**FIELDS, **dates})
    assert made.status_code == 303, made.text
    shown = office.get(made.headers["Location"]).text
    assert "The edition that counts is “autumn edition”" in shown
    assert office.post(new, data={**FIELDS, **dates}).status_code == 422  # recorded already

    policy = desk.policy("Social media", ashgrove)
    with world.looking():
        document_id = db.session.scalars(select(OutsideEdition.document_id)).one()
    form = office.get(world.url("acceptance/new")).text
    assert "Safe at work, autumn edition" in form
    campaign = desk.campaign(policy, document_ids=[document_id])
    asked = desk.open_of(ann)
    assert sorted(one.policy_title for one in asked) == ["Safe at work", "Social media"]
    mine = next(one for one in asked if one.outside_id)
    assert "once for all your places" in client.get(world.url("sign")).text
    address = world.url(f"sign/{mine.id}")
    page = client.get(address)
    assert 'href="https://inspectorate.example/safe-at-work"' in page.text
    assert "I have read part one of Safe at work, autumn edition, and know what to do at" in page.text
    assert client.get(f"{address}/policy.pdf").status_code == 404
    again = client.post(address, data=hidden(page.text))
    assert again.status_code == 422
    done = client.post(address, data={**hidden(again.text), "confirmed": "y"})
    assert done.status_code == 303
    world.run_jobs()
    with world.looking():
        signature = db.session.scalars(select(Signature)).one()
        verified = services.verify_signature(signature.id)
        assert verified.is_whole
        assert record_hash(verified.record) == signature.record_hash
        assert json.loads(verified.record)["document"]["title"] == "Safe at work"
    receipt = client.get(world.url(f"signatures/{signature.id}")).text
    assert "You confirmed Safe at work" in receipt
    assert "the record of the document and the entry" in receipt
    progress_page = office.get(world.url(f"acceptance/{campaign.id}")).text
    assert "Safe at work" in progress_page
    listed = office.get(world.url(f"acceptance/{campaign.id}/export.csv")).text
    assert "autumn edition,Signed" in listed
    assert "confirmed by" in office.get(made.headers["Location"]).text.lower()


def test_a_new_edition_asks_again_and_a_correction_does_not(world: World, desk: Desk) -> None:
    _, _, ann = all_posts(world)
    document_id = desk.document()
    desk.campaign(document_ids=[document_id])
    (asked,) = desk.open_of(ann)
    first = desk.sign(ann, asked)
    world.run_jobs()
    # Another campaign of the same year asks nobody again for the same record.
    desk.campaign(document_ids=[document_id], title="Once more")
    assert desk.open_of(ann) == []
    desk.document(document_id=document_id, link="https://inspectorate.example/moved", asks_again=False)
    assert desk.open_of(ann) == []
    desk.document(document_id=document_id, edition="spring edition")
    (asked,) = desk.open_of(ann)
    assert (asked.edition_label, asked.cause, asked.has_changed) == ("spring edition", "changed", True)
    with world.acting(ann) as actor:
        shown = services.to_read(actor, assignment_id=asked.id, today=today())
        assert shown.confirmed_before is not None
        assert shown.confirmed_before.edition == "autumn edition"
    # One that holds from later on asks nobody yet.
    desk.document(document_id=document_id, edition="summer edition", current_from=today() + timedelta(days=9))
    (asked,) = desk.open_of(ann)
    assert asked.edition_label == "spring edition"
    second = desk.sign(ann, asked)
    with world.looking():
        assert [services.verify_signature(one.id).is_whole for one in (first, second)] == [True, True]
        assert first.statement != second.statement


def test_whoever_leaves_the_school_that_asked_is_asked_where_they_still_are(world: World, desk: Desk) -> None:
    ashgrove, birch, ann = all_posts(world)
    desk.campaign(document_ids=[desk.document()])
    (asked,) = desk.open_of(ann)
    left = ashgrove if asked.school_id == ashgrove.id else birch
    with world.acting(world.manager) as actor:
        held = next(one for one in queries.list_memberships(ann.id) if one.school_id == left.id)
        yesterday = today() - timedelta(days=1)
        tenants.end_membership(actor, membership_id=held.id, to_on=yesterday, today=today())
    world.run_jobs()
    (asked,) = desk.open_of(ann)
    assert asked.school_id == (birch if left is ashgrove else ashgrove).id


def test_without_email_on_paper_and_in_the_pack(world: World, desk: Desk, client: Any, database: Any) -> None:
    ashgrove = world.school("Ashgrove")
    sbm = world.person("Sue Business", (Role.BUSINESS_MANAGER, ashgrove))
    carl = world.person("Carl Cleaner", (Role.CONTRACTOR, ashgrove), email=None)
    dora = world.person("Dora Driver", (Role.CONTRACTOR, ashgrove), email=None)
    desk.campaign(document_ids=[desk.document()], roles=[Role.CONTRACTOR])
    (carls,), (doras,) = desk.open_of(carl), desk.open_of(dora)
    with world.acting(sbm) as actor:
        assert services.remind_now(actor, places=[ashgrove.id], today=today(), now=now()) == 2
        (paper,) = services.record_paper(
            actor,
            person_id=dora.id,
            school_id=ashgrove.id,
            assignment_ids=[doras.id],
            signed_on=today(),
            kept="School office",
            now=now(),
            today=today(),
        )
    code = printed(world, sbm, ashgrove)
    client.get("/sign-with-code")
    client.post("/sign-with-code", data={"code": code})
    assert "confirm it here" in client.get("/sign-with-code/list").text
    page = client.get(f"/sign-with-code/{carls.id}")
    assert "Confirm as Carl Cleaner" in page.text
    data = {**hidden(page.text), "confirmed": "y"}
    assert client.post(f"/sign-with-code/{carls.id}", data=data).status_code == 303
    with world.acting(world.manager) as actor:
        pack = packs.ask_for_pack(actor, school_id=ashgrove.id, academic_year=carls.academic_year, now=now())
    world.run_jobs()
    with world.looking():
        stored = packs.proofs.get_pack(pack.id)
        assert stored.blob_hash is not None
        with zipfile.ZipFile(io.BytesIO(blobs.get(stored.blob_hash).content)) as archive:
            (record,) = [name for name in archive.namelist() if name.startswith("outside-documents/")]
            content = archive.read(record)
            assert record_hash(content.decode()) == paper.content_hash
            assert sum(name.startswith("certificates/") for name in archive.namelist()) == 2
            assert "whole" in archive.read("signatures.csv").decode()
        certificate = packs.proofs.find_certificate(paper.id)
        assert certificate is not None
        assert certificate.paper["what"] == "Document"
        assert certificates.compare(certificate) == ()
        assert list(verify_all()) == []
    tamper(database, "UPDATE outside_edition SET link = 'https://elsewhere.example/'")
    with world.looking():
        assert {fault for one in verify_all() for fault in one.faults} == {
            "The record of the outside document is not the one that was confirmed."
        }
