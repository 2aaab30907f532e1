"""People without e-mail: printed codes at a shared device, and paper with somebody who records it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pdfplumber
import psycopg
import pytest
from PIL import Image
from sqlalchemy import select, text

from tests.integration.acceptance.test_pages import hidden
from tests.papers import code_on
from tests.world import Place, Someone, World
from trustportal.acceptance import services
from trustportal.acceptance.domain.codes import MOST_FAILURES
from trustportal.acceptance.models import Question, Signature, SigningCode
from trustportal.acceptance.services import codes
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import Forbidden, NotFound, RuleBroken
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

ClientFor = Callable[..., Any]
SECRET = "a secret of the test"


def scene(world: World, desk: Desk) -> tuple[Place, Someone, Someone]:
    """A school with a business manager, and a cleaner without e-mail who owes two policies."""
    ashgrove = world.school("Ashgrove")
    sbm = world.person("Sue Business", (Role.BUSINESS_MANAGER, ashgrove))
    cleaner = world.person("Carl Cleaner", (Role.CONTRACTOR, ashgrove), email=None)
    desk.campaign(
        desk.policy("Social media", ashgrove), desk.policy("Keys", ashgrove), roles=[Role.CONTRACTOR]
    )
    return ashgrove, sbm, cleaner


def printed(world: World, sbm: Someone, place: Place, **changes: Any) -> str:
    with world.acting(sbm) as actor:
        given: dict[str, Any] = {"days": 14, "secret": world.app.config["PORTAL"].secret_key, "now": now()}
        sheet = codes.print_codes(actor, school_id=place.id, today=today(), **{**given, **changes})
    return sheet.slips[0].code


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 60), "white").save(written, format="PNG")
    return written.getvalue()


def test_a_cleaner_signs_with_a_printed_code(
    world: World, desk: Desk, client_for: ClientFor, client: Any
) -> None:
    ashgrove, sbm, cleaner = scene(world, desk)
    office = client_for(sbm)
    assert "Carl Cleaner" in office.get(world.url("acceptance/codes")).text
    answer = office.post(world.url("acceptance/codes"), data={"place": ashgrove.slug, "days": "14"})
    assert answer.mimetype == "application/pdf"
    with pdfplumber.open(io.BytesIO(answer.data)) as sheet:
        words = "\n".join(one.extract_text() for one in sheet.pages)
    assert "Carl Cleaner" in words
    code = code_on(words)
    with world.looking():
        stored = db.session.scalars(select(SigningCode)).one()
        assert code.replace("-", "").encode() not in bytes(stored.code_hash)
    client.get("/sign-with-code")
    begun = client.post("/sign-with-code", data={"code": code.lower().replace("-", " ")})
    assert begun.status_code == 303
    page = client.get("/sign-with-code/list")
    assert "Hello Carl Cleaner" in page.text
    for _ in range(2):
        asked = desk.open_of(cleaner)[0]
        shown = client.get(f"/sign-with-code/{asked.id}")
        assert "Sign as Carl Cleaner" in shown.text
        refused = client.post(f"/sign-with-code/{asked.id}", data=hidden(shown.text))
        assert refused.status_code == 422
        assert (
            client.post(
                f"/sign-with-code/{asked.id}", data={**hidden(refused.text), "confirmed": "y"}
            ).status_code
            == 303
        )
    assert "Nothing left to sign" in client.get("/sign-with-code/list").text
    assert client.post("/sign-with-code/finish").status_code == 303
    assert client.get("/sign-with-code/list").status_code == 303
    # It opens nothing a second time; and the record says what it was.
    assert "hand the device on" in client.get("/sign-with-code").text
    again = client.post("/sign-with-code", data={"code": code})
    assert again.status_code == 422
    assert "was used before" in again.text
    with world.looking():
        signatures = db.session.scalars(select(Signature)).all()
        assert {one.method for one in signatures} == {"printed code"}
        assert all(services.verify_signature(one.id).is_whole for one in signatures)


def test_a_sitting_ends_when_nobody_touches_the_device(
    world: World, desk: Desk, client: Any, database: Any
) -> None:
    ashgrove, sbm, _ = scene(world, desk)
    client.get("/sign-with-code")
    client.post("/sign-with-code", data={"code": printed(world, sbm, ashgrove)})
    assert client.get("/sign-with-code/list").status_code == 200
    with psycopg.connect(database.migration) as connection:
        connection.execute(
            "UPDATE web_session SET content = jsonb_set(content, '{sitting,seen}', %s::jsonb)"
            " WHERE content ? 'sitting'",
            [f'"{(now() - timedelta(minutes=21)).isoformat()}"'],
        )
    assert client.get("/sign-with-code/list").status_code == 303
    assert "The sitting has ended" in client.get("/sign-with-code").text


def test_only_the_newest_code_in_its_days_opens_anything(world: World, desk: Desk) -> None:
    ashgrove, sbm, _ = scene(world, desk)
    secret = world.app.config["PORTAL"].secret_key
    first = printed(world, sbm, ashgrove)
    second = printed(world, sbm, ashgrove)

    def enter(code: str, **changes: Any) -> bytes:
        with world.app.app_context():
            given: dict[str, Any] = {"secret": secret, "address": "10.0.0.1", "now": now(), "today": today()}
            return codes.begin_sitting(code=code, **{**given, **changes})

    for code, changes in (
        (first, {}),
        ("AAAAA-AAAAA", {}),
        ("", {}),
        (second, {"secret": SECRET}),
        (second, {"now": now() + timedelta(days=16)}),
    ):
        with pytest.raises(RuleBroken, match="not right, was used before, or is too old"):
            enter(code, **changes)
    assert enter(second)
    with pytest.raises(RuleBroken):
        enter(second)


def test_guessing_is_counted_and_right_codes_are_not(world: World, desk: Desk) -> None:
    ashgrove, sbm, _ = scene(world, desk)
    secret, code = world.app.config["PORTAL"].secret_key, printed(world, sbm, ashgrove)

    def enter(value: str, address: str) -> bytes:
        with world.app.app_context():
            return codes.begin_sitting(code=value, secret=secret, address=address, now=now(), today=today())

    for number in range(MOST_FAILURES):
        with pytest.raises(RuleBroken, match="not right"):
            enter(f"AAAAA-{number:05}", "10.0.0.9")
    with pytest.raises(RuleBroken, match="too many"):
        enter(code, "10.0.0.9")
    assert enter(code, "10.0.0.10")


def test_a_leavers_code_opens_nothing(world: World, desk: Desk) -> None:
    ashgrove, sbm, _ = scene(world, desk)
    code = printed(world, sbm, ashgrove)
    with world.app.app_context(), pytest.raises(RuleBroken):
        codes.begin_sitting(
            code=code,
            secret=world.app.config["PORTAL"].secret_key,
            address="10.0.0.1",
            now=now(),
            today=today() - timedelta(days=400),
        )


def test_codes_are_printed_by_those_who_oversee_the_school(world: World, desk: Desk) -> None:
    ashgrove, _, _ = scene(world, desk)
    birch = world.school("Birch")
    other = world.person("Otto Other", (Role.BUSINESS_MANAGER, birch))
    with pytest.raises(Forbidden):
        printed(world, other, ashgrove)
    with pytest.raises(RuleBroken, match="Nobody here"):
        printed(world, other, birch)


def test_paper_is_recorded_as_what_it_is(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove, sbm, cleaner = scene(world, desk)
    office = client_for(sbm)
    address = world.url(f"acceptance/people/{cleaner.id}/paper")
    assert "Where is the paper kept?" in office.get(address).text
    asked = desk.open_of(cleaner)
    day = today()
    data: dict[str, Any] = {
        "place": ashgrove.slug,
        "assignments": [str(asked[0].id)],
        "signed_on": [str(day.day), str(day.month), str(day.year)],
        "kept": "",
    }
    refused = office.post(address, data=data)
    assert refused.status_code == 422
    assert "Say where the paper is kept" in refused.text
    data["kept"] = "Personnel file, school office"
    bad = office.post(address, data={**data, "scan": (io.BytesIO(b"MZ not a scan"), "scan.pdf")})
    assert bad.status_code == 422
    assert "Choose a scan as PDF, PNG or JPEG" in bad.text
    done = office.post(address, data={**data, "scan": (io.BytesIO(picture()), "scan.png")})
    assert done.status_code == 303
    with world.looking():
        signature = db.session.scalars(select(Signature)).one()
        assert signature.method == "on paper"
        assert signature.witness is not None
        assert signature.witness["recorder_name"] == "Sue Business"
        assert services.verify_signature(signature.id).is_whole
    receipt = office.get(world.url(f"signatures/{signature.id}")).text
    assert "This is a record of a paper" in receipt
    scan = office.get(world.url(f"signatures/{signature.id}/scan"))
    assert scan.data == picture()
    assert "attachment" in scan.headers["Content-Disposition"]
    exported = office.get(world.url(f"acceptance/{_campaign(world)}/export.csv")).text
    assert "On paper, recorded by Sue Business" in exported


def _campaign(world: World) -> Any:
    with world.looking():
        return db.session.execute(
            text("SELECT id FROM campaign"), execution_options={"unscoped_because": "one trust"}
        ).scalar()


def test_what_paper_cannot_be(world: World, desk: Desk) -> None:
    ashgrove, sbm, cleaner = scene(world, desk)
    birch = world.school("Birch")
    asked = desk.open_of(cleaner)
    good: dict[str, Any] = {
        "person_id": cleaner.id,
        "school_id": ashgrove.id,
        "assignment_ids": [asked[0].id],
        "signed_on": today(),
        "kept": "Office",
        "now": now(),
        "today": today(),
    }
    with world.acting(sbm) as actor:
        for changes, words in (
            ({"signed_on": today() + timedelta(days=1)}, "future"),
            ({"signed_on": today() - timedelta(days=2)}, "asked later"),
            ({"kept": " "}, "where the paper"),
            ({"assignment_ids": []}, "Tick"),
            ({"person_id": sbm.id}, "Somebody else records"),
        ):
            with pytest.raises(RuleBroken, match=words):
                services.record_paper(actor, **{**good, **changes})
        with pytest.raises(Forbidden):
            services.record_paper(actor, **{**good, "school_id": birch.id})
    with world.acting(world.manager) as actor, pytest.raises((NotFound, RuleBroken)):
        services.record_paper(actor, **{**good, "school_id": birch.id})
    with world.looking():
        assert db.session.scalars(select(Signature)).all() == []


def words_of(pdf: bytes) -> str:
    with pdfplumber.open(io.BytesIO(pdf)) as sheet:
        return " ".join("\n".join(one.extract_text() for one in sheet.pages).split())


def test_a_question_at_the_shared_device_and_its_answer(
    world: World, desk: Desk, client_for: ClientFor, client: Any
) -> None:
    ashgrove, sbm, cleaner = scene(world, desk)
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    asked = desk.open_of(cleaner)[0]
    client.get("/sign-with-code")
    client.post("/sign-with-code", data={"code": printed(world, sbm, ashgrove)})
    page = client.get(f"/sign-with-code/{asked.id}")
    assert f"/sign-with-code/{asked.id}/question" in page.text
    address = f"/sign-with-code/{asked.id}/question"
    assert "Send as Carl Cleaner" in client.get(address).text
    refused = client.post(address, data={"asking": "question", "to": "head", "words": " "})
    assert refused.status_code == 422
    sent = client.post(address, data={"asking": "question", "to": "head", "words": "May I keep a key?"})
    assert sent.status_code == 303
    assert "Waits for an answer" in client.get("/sign-with-code/list").text
    client.post("/sign-with-code/finish")
    # Somebody else's request is nothing to this sitting, and without a sitting there is nothing at all.
    assert client.get(address).status_code == 303
    world.run_jobs()

    answering = client_for(head)
    with world.looking():
        question = db.session.scalars(select(Question)).one()
    page = answering.get(world.url(f"questions/{question.id}"))
    assert "has no e-mail: the answer waits with their next code" in page.text
    answered = answering.post(world.url(f"questions/{question.id}"), data={"answer": "No, hand it back."})
    assert answered.status_code == 303
    assert "waits for them with their next code" in answering.get(world.url("questions")).text
    world.run_jobs()

    office = client_for(sbm)
    assert "Answer waits" in office.get(world.url("acceptance/codes")).text
    sheet = office.post(world.url("acceptance/codes"), data={"place": ashgrove.slug, "days": "14"})
    said = words_of(sheet.data)
    assert "There is an answer to your question." in said
    code = code_on(said)
    client.get("/sign-with-code")
    assert client.post("/sign-with-code", data={"code": code}).status_code == 303
    for path in ("/sign-with-code/list", f"/sign-with-code/{asked.id}"):
        assert "No, hand it back." in client.get(path).text
    # What stands on the form for a pen: the answer too.
    form = words_of(
        office.get(world.url(f"acceptance/people/{cleaner.id}/paper-form.pdf?place={ashgrove.slug}")).data
    )
    assert "May I keep a key?" in form
    assert "Hana Head answers: No, hand it back." in form


def test_the_form_for_a_pen_carries_what_its_record_will(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove, sbm, cleaner = scene(world, desk)
    birch = world.school("Birch")
    asked = desk.open_of(cleaner)
    office = client_for(sbm)
    address = world.url(f"acceptance/people/{cleaner.id}")
    assert "Print a form to sign on paper" in office.get(address).text
    answer = office.get(f"{address}/paper-form.pdf?place={ashgrove.slug}")
    assert answer.mimetype == "application/pdf"
    said = words_of(answer.data)
    with world.acting(sbm) as actor:
        signatures = services.record_paper(
            actor,
            person_id=cleaner.id,
            school_id=ashgrove.id,
            assignment_ids=[one.id for one in asked],
            signed_on=today(),
            kept="Office",
            now=now(),
            today=today(),
        )
    plain = said.replace(" ", "")
    for one in signatures:
        for words in (one.statement, one.statement_version, one.content_hash, one.pdf_hash, one.person_name):
            assert str(words).replace(" ", "") in plain
        assert str(one.assignment_id) in plain
    assert "The paper is kept" in said
    assert "nothing that could be signed on paper" in office.get(f"{address}/paper-form.pdf").text
    # Blank ones, by campaign and place; of another school there are none.
    blank = world.url(f"acceptance/{_campaign(world)}/paper-forms.pdf")
    said = words_of(office.get(f"{blank}?place={ashgrove.slug}").data)
    assert said.count("To be filled in by the person who signs") == 2
    assert "Carl Cleaner" not in said
    assert office.get(f"{blank}?place={birch.slug}").status_code == 404
