"""A version or edition as a Word file, from the page's button, and back through the importer."""

from __future__ import annotations

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
