"""A version or edition as a Word file, from the page's button, and back through the importer."""

from __future__ import annotations

from io import BytesIO

import docx

from tests.integration.policies.given import Social
from trustportal.access import Role
from trustportal.policies.export import MIMETYPE
from trustportal.policies.importing.files import read_file


def test_an_edition_is_had_as_word_and_reads_back(at_ashgrove: Social, client_for) -> None:  # type: ignore[no-untyped-def]
    at_ashgrove.answer("administrators", "Every account has three administrators.")
    at_ashgrove.submit_and_approve()
    client = client_for(at_ashgrove.teacher)
    page = client.get(at_ashgrove.url()).get_data(as_text=True)
    assert "editions/1.2.docx" in page
    sent = client.get(at_ashgrove.url("editions/1.2.docx"))
    assert sent.status_code == 200
    assert sent.mimetype == MIMETYPE
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    reading = read_file(sent.data, "edition.docx")
    said = "\n".join(one.text for one in reading.clauses)
    assert "Every account has three administrators." in said
    assert "Accounts speak for Ashgrove" in said
    assert "{{" not in said


def test_a_version_is_had_as_word_by_those_who_read_it(at_ashgrove: Social, client_for) -> None:  # type: ignore[no-untyped-def]
    world = at_ashgrove.world
    client = client_for(world.manager)
    address = world.url(f"policies/{at_ashgrove.slug}/versions/1.docx")
    assert "versions/1.docx" in client.get(world.url(f"policies/{at_ashgrove.slug}")).get_data(as_text=True)
    reading = read_file(client.get(address).data, "version.docx")
    assert [one.heading for one in reading.clauses if one.depth == 0][:2] == [
        "Why we have this policy",
        "Official accounts",
    ]
    other = world.school("Elsewhere")
    stranger = world.person("Stella Stranger", (Role.STAFF, other))
    assert client_for(stranger).get(at_ashgrove.url("editions/1.1.docx")).status_code in (403, 404)


def test_a_draft_is_had_as_word_by_who_writes_it_and_says_that_it_is_one(
    at_ashgrove: Social, client_for
) -> None:  # type: ignore[no-untyped-def]
    world = at_ashgrove.world
    manager = client_for(world.manager)
    assert manager.post(world.url(f"policies/{at_ashgrove.slug}/draft")).status_code == 303
    address = world.url(f"policies/{at_ashgrove.slug}/draft.docx")
    assert address in manager.get(world.url(f"policies/{at_ashgrove.slug}/draft")).text
    sent = manager.get(address)
    assert (sent.status_code, sent.mimetype) == (200, MIMETYPE)
    made = docx.Document(BytesIO(sent.data))
    assert made.sections[0].header.paragraphs[0].text.startswith("DRAFT. ")
    assert "A draft: it has not been approved." in "\n".join(one.text for one in made.paragraphs)
    assert "Every account has at least two administrators." in "\n".join(
        one.text for one in read_file(sent.data, "draft.docx").clauses
    )
    for person in (at_ashgrove.head, at_ashgrove.teacher, at_ashgrove.trustees[0]):
        assert client_for(person).get(address).status_code == 403
