"""Proof: certificates that can be made again, packs that check themselves, alterations that are named."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from sqlalchemy import select

from tests.integration.acceptance.test_signing import tamper
from tests.world import Someone, World
from trustportal import blobs
from trustportal.acceptance import services
from trustportal.acceptance.domain.evidence import record_hash
from trustportal.acceptance.models import Certificate, EvidencePack, Signature
from trustportal.acceptance.queries import proofs
from trustportal.acceptance.services import certificates, packs
from trustportal.acceptance.services.verifying import verify_all
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import Forbidden, RuleBroken
from trustportal.times import LONDON, now

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

ClientFor = Callable[..., Any]


def signed(world: World, desk: Desk) -> tuple[Someone, Signature]:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    desk.campaign(desk.policy("Social media", ashgrove, sentences=["Be kind.", "Ask first."]))
    return ann, desk.sign(ann, desk.open_of(ann)[0])


def certificate_of(world: World, signature: Signature) -> Certificate:
    with world.looking():
        found = proofs.find_certificate(signature.id)
        assert found is not None
        return found


def test_a_certificate_is_made_once_and_again_a_year_later(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ann, signature = signed(world, desk)
    client = client_for(ann)
    address = world.url(f"signatures/{signature.id}")
    assert "Make the certificate" in client.get(address).text
    assert client.get(f"{address}/certificate.pdf").status_code == 404
    making = client.post(f"{address}/certificate", headers={"HX-Request": "true"})
    assert "is being made" in making.text
    world.run_jobs()
    assert "Certificate (PDF)" in client.get(f"{address}/certificate").text
    pdf = client.get(f"{address}/certificate.pdf").data
    assert pdf.startswith(b"%PDF-1.7")
    later = datetime.now(LONDON) + timedelta(days=365)
    with time_machine.travel(later, tick=False), world.looking():
        certificate = proofs.find_certificate(signature.id)
        assert certificate is not None
        assert certificates.rebuilt(certificate) == pdf
        assert blobs.get(certificate.pdf_hash).content == pdf
        assert certificates.compare(certificate, pdf) == ()
        row = db.session.scalars(select(Signature)).one()
        assert certificates.paper_of(row, "http://portal.example") == certificate.paper
        verified = services.verify_signature(row.id)
        assert record_hash(verified.record) == row.record_hash
    # Made once: asking again makes no other.
    client.post(f"{address}/certificate")
    world.run_jobs()
    assert certificate_of(world, signature).pdf_hash == hashlib.sha256(pdf).hexdigest()


def test_a_changed_byte_of_a_certificate_is_named(world: World, desk: Desk, client_for: ClientFor) -> None:
    ann, signature = signed(world, desk)
    client = client_for(ann)
    client.get(world.url(f"signatures/{signature.id}"))
    client.post(world.url(f"signatures/{signature.id}/certificate"))
    world.run_jobs()
    pdf = client.get(world.url(f"signatures/{signature.id}/certificate.pdf")).data
    check = world.url("signatures/check")
    assert client.get(check).status_code == 200
    number = str(signature.id)

    def said(content: bytes) -> str:
        return str(client.post(check, data={"number": number, "file": (io.BytesIO(content), "c.pdf")}).text)

    assert "The evidence is whole." in said(pdf)
    for offset in (0, 1000, len(pdf) - 1):
        altered = pdf[:offset] + bytes([pdf[offset] ^ 1]) + pdf[offset + 1 :]
        assert f"it differs at byte {offset + 1}" in said(altered)
    refused = client.post(check, data={"number": "made-up"})
    assert refused.status_code == 422
    assert "no signature with this number" in refused.text


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE signature SET statement = 'I read nothing.'", "Altered since signing: statement."),
        ("UPDATE signature SET person_name = 'Somebody Else'", "Altered since signing: name of the person."),
        ("UPDATE signature SET policy_title = 'Another'", "Altered since signing: title of the policy."),
        (
            "UPDATE signature SET signed_at = signed_at + interval '1 second'",
            "Altered since signing: time of signing.",
        ),
        ("UPDATE signature SET method = 'password'", "Altered since signing: way of signing in."),
        (
            'UPDATE signature SET roles = \'[{"role": "governor", "label": "Governor"}]\'',
            "Altered since signing: roles of the person.",
        ),
        ("UPDATE signature SET academic_year = 1999", "Altered since signing: academic year."),
        (
            "UPDATE signature SET pdf_hash = repeat('0', 64)",
            "Altered since signing: fingerprint of the PDF.",
        ),
        ("UPDATE clause_text SET text = 'Be rude.' WHERE text = 'Be kind.'", "clause 1.1."),
        ("DELETE FROM clause_text WHERE text = 'Ask first.'", "clause 1.2."),
    ],
)
def test_every_alteration_is_named(world: World, desk: Desk, database: Any, sql: str, named: str) -> None:
    _, signature = signed(world, desk)
    with world.looking():
        assert list(verify_all()) == []
    tamper(database, sql)
    with world.looking():
        assert any(named in one for one in services.verify_signature(signature.id).faults)
        assert [one.signature.id for one in verify_all()] == [signature.id]


def test_events_that_changed_places_are_found(world: World, desk: Desk, database: Any) -> None:
    ashgrove = world.school("Ashgrove")
    people = [world.person(name, (Role.STAFF, ashgrove)) for name in ("Ann Staff", "Ben Staff")]
    desk.campaign(desk.policy("Social media", ashgrove))
    for one in people:
        desk.sign(one, desk.open_of(one)[0])
    tamper(
        database,
        "UPDATE audit_event SET position = -position WHERE action = 'signature.given';"
        " UPDATE audit_event SET position = CASE WHEN position = (SELECT min(position) FROM audit_event)"
        " THEN -(SELECT max(position) FROM audit_event WHERE position < 0)"
        " ELSE -(SELECT min(position) FROM audit_event) END WHERE position < 0",
    )
    with world.looking():
        found = list(verify_all())
    assert len(found) == 2
    assert all("event of the audit trail was altered" in " ".join(one.faults) for one in found)


def test_the_clerk_takes_the_evidence_of_a_school_and_year(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    clerk = world.person("Clara Clerk", Role.CLERK)
    names = ["Ann Staff", "Ben Staff", "Cara Staff"]
    people = [world.person(name, (Role.STAFF, ashgrove)) for name in names]
    other = world.person("Olga Other", (Role.STAFF, birch))
    social = desk.policy("Social media", ashgrove, birch)
    opened = desk.campaign(social, roles=[Role.STAFF])
    for one in (*people[:2], other):
        desk.sign(one, desk.open_of(one)[0])
    client = client_for(clerk)
    page = client.get(world.url("acceptance/evidence"))
    assert "Make the pack" in page.text
    asked = client.post(
        world.url("acceptance/evidence"),
        data={"place": ashgrove.slug, "year": str(opened.academic_year)},
    )
    assert asked.status_code == 303
    address = asked.headers["Location"]
    waiting = client.get(address, headers={"HX-Request": "true"})
    assert "0 of 2 certificates are there" in waiting.text
    assert 'hx-trigger="every 2s"' in waiting.text
    assert client.get(f"{address}/file").status_code == 404
    world.run_jobs()
    ready = client.get(address, headers={"HX-Request": "true"})
    assert "Take the pack" in ready.text
    assert "hx-trigger" not in ready.text
    content = client.get(f"{address}/file").data
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        assert pack.testzip() is None
        files = {name: pack.read(name) for name in pack.namelist()}
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "SHA256SUMS"
    } == sums
    rows = list(csv.DictReader(io.StringIO(files["signatures.csv"].decode("utf-8-sig"))))
    assert [row["Name"] for row in rows] == names[:2]
    assert {row["Checked when packed"] for row in rows} == {"whole"}
    for row in rows:
        record = files[f"records/{row['Evidence']}.json"]
        assert hashlib.sha256(record).hexdigest() == row["SHA-256 of the record"]
        assert json.loads(record)["person"]["name"] == row["Name"]
    who = list(csv.DictReader(io.StringIO(files["who-signed.csv"].decode("utf-8-sig"))))
    assert {(row["Name"], row["State"]) for row in who} == {
        ("Ann Staff", "Signed"),
        ("Ben Staff", "Signed"),
        ("Cara Staff", "Not signed"),
    }
    assert sum(name.startswith("certificates/") for name in files) == 2
    assert sum(name.startswith("editions/") for name in files) == 1


def test_a_pack_is_made_in_steps_and_only_once(world: World, desk: Desk, monkeypatch: Any) -> None:
    ashgrove = world.school("Ashgrove")
    people = [world.person(f"Staff {number}", (Role.STAFF, ashgrove)) for number in range(3)]
    opened = desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    with world.acting(world.manager) as actor, pytest.raises(RuleBroken, match="Nobody has signed"):
        packs.ask_for_pack(actor, school_id=ashgrove.id, academic_year=opened.academic_year, now=now())
    for one in people:
        desk.sign(one, desk.open_of(one)[0])
    monkeypatch.setattr(packs, "STEP", 1)
    with world.acting(world.manager) as actor:
        first = packs.ask_for_pack(
            actor, school_id=ashgrove.id, academic_year=opened.academic_year, now=now()
        )
        again = packs.ask_for_pack(
            actor, school_id=ashgrove.id, academic_year=opened.academic_year, now=now()
        )
    assert again.id == first.id
    world.run_jobs()
    with world.looking():
        pack = db.session.scalars(select(EvidencePack)).one()
        assert (pack.state, pack.done, pack.total, pack.faults) == ("ready", 3, 3, [])
        assert len(db.session.scalars(select(Certificate)).all()) == 3


def test_evidence_is_for_those_who_may(world: World, desk: Desk, client_for: ClientFor) -> None:
    ann, signature = signed(world, desk)
    birch = world.school("Birch")
    head = world.person("Hana Head", (Role.HEADTEACHER, birch))
    trustee = world.person("Tom Trustee", Role.TRUSTEE)
    with world.looking():
        school_id = signature.school_id
    for one in (ann, head, trustee):
        with world.acting(one) as actor, pytest.raises(Forbidden):
            packs.ask_for_pack(actor, school_id=school_id, academic_year=2026, now=now())
    assert client_for(trustee).get(world.url("acceptance/evidence")).status_code == 403
    assert client_for(trustee).get(world.url(f"signatures/{signature.id}")).status_code == 404
