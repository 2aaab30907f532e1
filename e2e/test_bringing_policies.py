"""Bringing policies that exist: a head lays the school's old one beside the trust's; a ZIP of many becomes a queue."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from e2e.stage import Stage, set_stage
from e2e.visitor import PHONE, Visitors
from tests.unit.importing.word_files import p, word

OURS = word(
    p("Keys at Hollybush", style="Title")
    + p("Keys", style="Heading1")
    + p("The caretaker counts every key each Friday, and writes the count into the blue book in the office.")
    + p("Cupboards in the science rooms are locked at the end of each lesson by whoever taught it.")
)
WRITTEN = Path(__file__).parent.parent / "tests" / "unit" / "importing" / "written"


@pytest.fixture
def stage(visitors: Visitors) -> Stage:
    """A policy in force at a school."""
    return set_stage(visitors.portal.trust("Hollybush Learning Trust"))


def test_a_head_takes_clauses_over_from_the_schools_old_policy(
    visitors: Visitors, stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "our keys.docx"
    file.write_bytes(OURS)
    head = visitors.of(stage.head, width=PHONE)
    head.until(stage.url(), lambda page: "Edition 1.1" in page.locator("main").inner_text())
    head.follow("Change our clauses").follow(re.compile("^Bring our own old policy"))
    head.page.get_by_label("Choose a file").set_input_files(file)
    head.press("Read the file").sees("Keys at Hollybush", "Cupboards in the science rooms")
    head.press("Compare with the trust’s policy").sees("of your own policy", "Cupboards in the science rooms")
    head.shot("joining")
    head.press(re.compile("^(Add our clause|Use our text)")).sees("Taken over")
    if head.offers("Finish"):
        for box in head.page.get_by_label(re.compile("that I have not decided")).all():
            box.check()
    head.press("Finish").sees("Change our clauses", "1 clause differs")


def test_a_zip_of_policies_is_read_corrected_and_saved(
    visitors: Visitors, stage: Stage, tmp_path: Path
) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.write(WRITTEN / "libreoffice.pdf", "old/Hedges.pdf")
        archive.write(WRITTEN / "locked.pdf", "old/Locked.pdf")
    file = tmp_path / "old policies.zip"
    file.write_bytes(written.getvalue())
    manager = visitors.of(stage.world.manager)
    manager.open(stage.world.url("imports/zip"))
    manager.page.get_by_label("Choose a ZIP file").set_input_files(file)
    manager.press("Read the files")
    manager.until(manager.path, lambda page: "password" in page.locator("main").inner_text())
    manager.sees("Hedge Keeping Policy: 25 clauses", "is protected by a password")
    manager.follow("Open").sees("Every keeper walks the hedges")
    manager.follow("Save as a draft")
    manager.press("Save as a draft").sees("Saved as a draft", "first version")
