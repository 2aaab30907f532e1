"""Files as word processors write them (see written/README.md), and lookalikes made into files on the fly.

The bar: more than 99.5 % of the words in order, and every top-level heading.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.importing import lookalikes
from tests.unit.importing.file_makers import SHAPES, share_in_order, top_headings
from trustportal.policies.domain.clauses import Kind, NumberingStyle
from trustportal.policies.importing.accounting import without_targets
from trustportal.policies.importing.files import read_file
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.reading import Doubt, Reading, words_of
from trustportal.policies.importing.text import read_text
from trustportal.policies.importing.tree import to_tree

WRITTEN = Path(__file__).parent / "written"
FILES = ("python-docx.docx", "libreoffice.docx", "libreoffice.pdf")
SECTIONS = [
    ("1.", "Why we keep hedges"),
    ("2.", "What keepers do"),
    ("3.", "Cutting and laying"),
    ("4.", "Visitors on the moor"),
    ("5.", "When something goes wrong"),
    ("Appendix A:", "Hedge form"),
]


def read(name: str) -> Reading:
    return read_file((WRITTEN / name).read_bytes(), name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_word_processor_is_read_as_a_person_would(name: str) -> None:
    reading = read(name)
    assert reading.title == "Hedge Keeping Policy"
    assert reading.field("approving_body") == "Moor board"
    assert reading.field("review_period") == "Every two years"
    assert reading.field("person_responsible") == "Hedge warden"
    assert [dict(row.cells)["version"] for row in reading.versions] == ["1.0", "2.0"]
    tops = [
        (one.label, one.heading)
        for one in reading.clauses
        if one.kind in (Kind.SECTION, Kind.APPENDIX) and one.heading != "Contents"
    ]
    assert tops == SECTIONS
    labels = [(one.label, one.depth) for one in reading.clauses if one.label]
    assert labels[4:13] == [
        ("2.1", 1),
        ("2.2", 1),
        ("a)", 2),
        ("b)", 2),
        ("c)", 2),
        ("i.", 3),
        ("ii.", 3),
        ("d)", 2),
        ("2.3", 1),
    ]
    said = {one.label: one.text for one in reading.clauses}
    assert said["2.3"].startswith("Keepers carry gloves, a bill-hook and a whistle. The self-closing gates")
    assert "| Long Acre | Ada Fennimore | Monday and Thursday |" in said["2.3"]
    assert (
        said["4.2"].endswith(":\n\n- gates are shut after you;")
        or "- gates are shut after you;\n- fires" in said["4.2"]
    )
    assert "| What I saw |  |" in reading.clauses[-1].text
    assert reading.numbering_style is NumberingStyle.MIXED
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in reading.uncertain}
    assert len(to_tree(reading)) == len(reading.clauses)


def test_three_writers_of_one_policy_give_the_same_clauses() -> None:
    readings = [read(name) for name in FILES]
    shapes = [
        [
            (one.label, one.heading, one.text, one.depth, one.kind)
            for one in reading.clauses
            if one.heading != "Contents"
        ]
        for reading in readings
    ]
    assert shapes[0] == shapes[1] == shapes[2]


def test_another_word_processor_numbers_in_its_own_way_and_keeps_every_word() -> None:
    written, other = read("libreoffice.docx"), read("abiword.docx")

    def said(reading: Reading) -> list[str]:
        return [
            word for one in reading.clauses for word in words(f"{one.heading} {without_targets(one.text)}")
        ]

    assert other.title == "Hedge Keeping Policy"
    assert other.field("person_responsible") == "Hedge warden"
    assert share_in_order(said(written), said(other)) > 0.995
    tops = [(one.label, one.heading) for one in other.clauses if one.kind in (Kind.SECTION, Kind.APPENDIX)]
    assert tops == SECTIONS
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in other.uncertain}


def test_tracked_changes_are_read_as_if_they_were_accepted() -> None:
    """More than 99.5 % of the words, in order, and every heading; what was taken out is told and kept."""
    reading = read("tracked.docx")
    said = (
        "Why we welcome visitors. Visitors learn how hedges are laid on the moor. What visitors do. They keep to the"
        " path, and shut every gate after them, and leave the birds alone. 1. Wardens come first. 2. Children walk"
        " behind them. Day Warden Monday Long Acre Thursday Short Acre. When something goes wrong. Visitors ring the"
        " warden at once. The warden writes it down the same day."
    )
    assert share_in_order(words(said), words_of(reading)) > 0.995
    assert share_in_order(words_of(reading), words(said)) > 0.95
    assert reading.title == "Hedge Visitors Policy"
    assert [one.heading for one in reading.clauses if one.kind is Kind.SECTION] == [
        "Why we welcome visitors",
        "What visitors do",
        "When something goes wrong",
    ]
    assert [(one.text, one.reason) for one in reading.dropped] == [
        ("were", "deleted in a tracked change"),
        ("Hedges are sold at the gate.", "deleted in a tracked change"),
    ]
    assert reading.uncertain == ()


def test_what_was_left_out_of_the_pages_is_told() -> None:
    said = {(one.text.split("\n")[0], one.reason.split(":")[0]) for one in read("libreoffice.pdf").dropped}
    assert ("Highmoor Village Trust: Hedge Keeping Policy", "a running head or foot of the page") in said
    assert ("Page 1", "page numbers") in said
    assert ("Contents", "a table of contents") in said


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", lookalikes.ALL)
def test_a_lookalike_in_a_file_is_read_like_its_text(name: str, shape: str) -> None:
    _compare(read_text(lookalikes.ALL[name]), shape)


@pytest.mark.skipif(not os.environ.get("POLICY_SAMPLES"), reason="POLICY_SAMPLES not set")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["000", "001", "002", "003", "004"])
def test_a_real_policy_in_a_file_is_read_like_its_text(name: str, shape: str) -> None:
    folder = Path(os.environ["POLICY_SAMPLES"])
    source = next(path for path in sorted(folder.glob("*.txt")) if path.name.startswith(name))
    _compare(read_text(source.read_text(encoding="utf-8")), shape)


def _compare(text: Reading, shape: str) -> None:
    content, name, words = SHAPES[shape](text)
    reading = read_file(content, name)
    assert share_in_order(words, words_of(reading)) > 0.995
    assert share_in_order(words_of(reading), words) > 0.97
    assert top_headings(text) == [one for one in top_headings(reading) if one in set(top_headings(text))]
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in reading.uncertain}
