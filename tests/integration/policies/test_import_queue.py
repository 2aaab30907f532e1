"""Many policies in one ZIP: read by jobs, shown with what became of each, corrected, saved, dropped and put back."""

from __future__ import annotations

import io
import zipfile

import pytest
from sqlalchemy import select

from tests.unit.importing.word_files import p, word
from tests.world import World
from trustportal.access import Role
from trustportal.db import db
from trustportal.policies import queries
from trustportal.policies.import_models import ImportEntry

KITES = word(p("Kite Policy", style="Title") + p("Aims", style="Heading1") + p("Kites are flown low."))


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("trust/kites.docx", KITES)
        made.writestr("trust/goats.txt", "Goat Policy\n\n1. Aims\n\n1.1 Goats stay on the moor.\n")
        made.writestr("trust/scan.pdf", b"%PDF-1.7 nothing")
        made.writestr("../up.txt", "x")
    return written.getvalue()


@pytest.fixture
def queue(world: World, client_for) -> tuple[World, object, str]:  # type: ignore[no-untyped-def]
    client = client_for(world.manager)
    client.get(world.url("imports/zip"))
    sent = client.post(
        world.url("imports/zip"),
        data={"csrf_token": client.csrf, "file": (io.BytesIO(archive()), "all.zip")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303, sent.get_data(as_text=True)[:2000]
    return world, client, sent.location


def test_each_file_is_read_by_its_job_and_nothing_of_it_is_kept_but_the_reading(queue) -> None:  # type: ignore[no-untyped-def]
    world, client, address = queue
    before = client.get(address).get_data(as_text=True)
    assert "1 of 4 files is read" in before
    assert 'hx-trigger="every 2s"' in before
    world.run_jobs()
    after = client.get(address).get_data(as_text=True)
    assert 'hx-trigger="every 2s"' not in after
    assert "Kite Policy: 2 clauses" in after
    assert "Goat Policy: 2 clauses" in after
    assert "is damaged" in after
    assert "outside the ZIP" in after
    assert "2</b>still to look at" in after.replace("\n", "")
    with world.looking():
        rows = db.session.scalars(select(ImportEntry)).all()
        assert [row.content for row in rows] == [None] * 4
        assert queries.list_policies() == []
    assert "all.zip" in client.get(world.url("imports/zip")).get_data(as_text=True)


def test_a_file_is_dropped_put_back_corrected_and_saved(queue) -> None:  # type: ignore[no-untyped-def]
    world, client, address = queue
    world.run_jobs()
    with world.looking():
        entry = next(row for row in db.session.scalars(select(ImportEntry)) if row.filename == "kites.docx")
        reading_id, entry_id = entry.reading_id, entry.id
    assert client.post(f"{address}/{entry_id}/drop").status_code == 303
    assert "Put it back" in client.get(address).get_data(as_text=True)
    client.post(f"{address}/{entry_id}/put-back")
    reading = world.url(f"imports/{reading_id}")
    assert "Back to the other files" in client.get(reading).get_data(as_text=True)
    client.post(f"{reading}/correct", data={"action": "drop", "index": "1", "row_version": "1"})
    assert "Corrected" in client.get(address).get_data(as_text=True)
    client.post(f"{reading}/correct", data={"action": "restore", "index": "0", "row_version": "2"})
    saved = client.post(
        f"{reading}/save",
        data={
            "title": "Kites",
            "review_months": "12",
            "numbering": "decimal",
            "person_responsible": "Chief",
            "approving_body": "Board",
        },
    )
    assert saved.status_code == 303
    assert "Saved as a draft" in client.get(address).get_data(as_text=True)
    assert client.post(f"{address}/{entry_id}/drop").status_code == 422


def test_somebody_elses_zip_is_not_found(queue, client_for) -> None:  # type: ignore[no-untyped-def]
    world, _, address = queue
    other = world.person("Other Manager", Role.NETWORK_MANAGER)
    teacher = world.person("Tara Teacher", (Role.STAFF, world.school("Ashgrove")))
    assert client_for(other).get(address).status_code == 404
    assert client_for(teacher).get(address).status_code == 403
