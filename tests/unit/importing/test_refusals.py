"""What cannot be read at all is refused with a message that says what to bring."""

from __future__ import annotations

from time import process_time

import pytest

from trustportal.errors import RuleBroken
from trustportal.policies.importing.reading import Doubt, ImportRefused, words_in_order
from trustportal.policies.importing.text import LARGEST, read_bytes, read_text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("\ufeff\n", "empty"),
        ("a\x00b", "not a text file"),
        ("\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f word", "not a text file"),
        ("\ud800 word", "not a text file"),
        ("--- *** ✦\n\n| | |", "No words"),
        ("word " * (LARGEST // 5 + 1), "2 MB"),
        ("word\n" * 60_000, "lines"),
    ],
)
def test_text_that_is_refused(source: str, told: str) -> None:
    with pytest.raises(ImportRefused, match=told) as refused:
        read_text(source)
    assert isinstance(refused.value, RuleBroken)
    assert refused.value.field == "file"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"PK\x03\x04\x00\x00", "not a text file"),
        ("Kites – Policy".encode("cp1252"), "UTF-8"),
        (b"a" * (LARGEST + 1), "2 MB"),
    ],
)
def test_files_that_are_refused(data: bytes, told: str) -> None:
    with pytest.raises(ImportRefused, match=told):
        read_bytes(data, "kites.txt")


def test_a_mark_of_byte_order_and_other_line_ends_are_no_obstacle() -> None:
    reading = read_bytes(
        "# Kite Policy\r\n\r\n## 1. Aims\r\n\r\n- a. Fly.\r\n".encode("utf-8-sig"), "kites.txt"
    )
    assert reading.title == "Kite Policy"
    assert [one.label for one in reading.clauses] == ["1.", "a."]


def test_short_lines_alone_are_kept_and_asked_about() -> None:
    reading = read_text("Kites\n\nGoats")
    assert words_in_order("Kites\n\nGoats", reading)
    assert Doubt.NO_CLAUSES in {doubt.code for doubt in reading.uncertain}


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "ab ",
        "- entry x\n",
        "Aaa bbb\n\n",
        "<b ",
        "a\t",
        "|a",
        "*a ",
        "a_",
        "/ ",
        "- o A ",
        "&#65;",
        "# a #",
        "." * 50,
    ],
)
def test_hostile_texts_are_read_in_reasonable_time(piece: str) -> None:
    source = "Contents\n" + (piece * (300_000 // len(piece)))[:300_000]
    source = "\n".join(source.split("\n")[:40_000])
    begun = process_time()
    reading = read_text(source)
    assert process_time() - begun < 10
    assert words_in_order(source, reading)
