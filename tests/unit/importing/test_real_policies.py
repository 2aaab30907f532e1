"""The real policies, when POLICY_SAMPLES names their folder. Findings are pinned by place, never by quoting.

Each heading is pinned as (clause index, printed label, length, depth, kind); each doubt as (rule, clause, start, end).
The independent word list below knows nothing of the reader's own marks.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from trustportal.policies.domain.clauses import NumberingStyle
from trustportal.policies.importing.reading import words_in_order, words_of
from trustportal.policies.importing.text import read_bytes
from trustportal.policies.importing.tree import to_tree

FOLDER = os.environ.get("POLICY_SAMPLES")
pytestmark = pytest.mark.skipif(not FOLDER, reason="POLICY_SAMPLES not set")


class Pinned(NamedTuple):
    clauses: int
    style: NumberingStyle
    title: int
    header: dict[str, int]
    versions: int
    headings: list[tuple[int, str, int, int, str]]
    doubts: list[tuple[str, int | None, int | None, int | None]]


PINNED: dict[str, Pinned] = {
    "000": Pinned(
        clauses=35,
        style=NumberingStyle.NONE,
        title=12,
        header={
            "reviewed_by": 8,
            "audience": 26,
            "version_table_columns": 0,
            "review_period": 7,
            "next_review_on": 10,
        },
        versions=2,
        headings=[
            (6, "", 26, 0, "section"),
            (11, "", 7, 1, "subheading"),
            (12, "", 7, 1, "subheading"),
            (13, "", 7, 1, "subheading"),
            (14, "", 33, 0, "section"),
            (18, "", 37, 0, "section"),
            (20, "", 22, 0, "section"),
            (25, "", 19, 0, "section"),
            (30, "", 30, 0, "section"),
        ],
        doubts=[
            ("guessed-headings", None, None, None),
            ("guessed-subheading", 11, None, None),
            ("guessed-subheading", 12, None, None),
            ("guessed-subheading", 13, None, None),
        ],
    ),
    "001": Pinned(
        clauses=85,
        style=NumberingStyle.NONE,
        title=19,
        header={
            "strapline": 42,
            "column_headings": 0,
            "reviewed_by": 11,
            "reviewed_on": 10,
            "authorised_by": 3,
            "next_review_on": 10,
            "change_log": 0,
        },
        versions=0,
        headings=[
            (0, "", 19, 0, "section"),
            (3, "", 15, 0, "section"),
            (6, "", 26, 0, "section"),
            (15, "", 28, 0, "section"),
            (22, "", 13, 0, "section"),
            (26, "", 34, 0, "section"),
            (31, "", 23, 0, "section"),
            (36, "", 22, 0, "section"),
            (41, "", 26, 0, "section"),
            (51, "", 12, 0, "section"),
            (57, "", 15, 0, "section"),
            (62, "", 13, 0, "section"),
            (73, "", 78, 0, "section"),
            (78, "", 8, 0, "section"),
            (82, "", 21, 0, "section"),
        ],
        doubts=[
            ("header", None, None, None),
            ("empty-change-log", None, None, None),
            ("guessed-headings", None, None, None),
            ("orphan-number", 68, 307, 310),
            ("split-sentence", 70, 0, 4),
        ],
    ),
    "002": Pinned(
        clauses=109,
        style=NumberingStyle.DECIMAL,
        title=29,
        header={"organisation": 33, "strapline": 42},
        versions=0,
        headings=[
            (0, "", 13, 0, "section"),
            (1, "1", 12, 0, "section"),
            (6, "2", 5, 0, "section"),
            (10, "3", 15, 0, "section"),
            (15, "4", 16, 0, "section"),
            (17, "5", 56, 0, "section"),
            (24, "6", 28, 0, "section"),
            (40, "7", 57, 0, "section"),
            (45, "8", 26, 0, "section"),
            (48, "9", 22, 0, "section"),
            (52, "APPENDIX A", 83, 0, "appendix"),
            (53, "A.1", 17, 1, "clause"),
            (61, "A.2", 25, 1, "clause"),
            (69, "A.3", 52, 1, "clause"),
            (77, "A.4", 18, 1, "clause"),
            (87, "A.5", 38, 1, "clause"),
            (95, "APPENDIX B", 0, 0, "appendix"),
            (96, "", 40, 1, "subheading"),
            (99, "", 12, 1, "subheading"),
            (100, "", 39, 1, "subheading"),
            (102, "", 29, 1, "subheading"),
            (104, "", 33, 1, "subheading"),
            (106, "", 26, 1, "subheading"),
            (107, "", 8, 1, "subheading"),
        ],
        doubts=[
            ("header", None, None, None),
            ("header", None, None, None),
            ("contents-page", 0, 0, 419),
            ("split-sentence", 11, 251, 268),
            ("merged-bullets", 11, 533, 534),
            ("merged-bullets", 12, 453, 454),
            ("merged-bullets", 16, 76, 77),
            ("no-parent", 26, None, None),
            ("contents-mismatch", 48, None, None),
            ("no-parent", 51, None, None),
            ("split-sentence", 51, 169, 176),
            ("heading", 95, None, None),
            ("guessed-subheading", 96, None, None),
            ("furniture", 98, 69, 136),
            ("form", 103, None, None),
            ("form", 105, None, None),
            ("form", 106, None, None),
        ],
    ),
    "003": Pinned(
        clauses=44,
        style=NumberingStyle.MIXED,
        title=19,
        header={
            "dated": 13,
            "produced_by": 32,
            "website": 17,
            "organisation": 33,
            "signed_by_chair_of_governors": 0,
            "signed_by_head_teacher": 0,
            "signed_on": 7,
        },
        versions=0,
        headings=[
            (0, "1.", 12, 0, "section"),
            (3, "2.", 10, 0, "section"),
            (6, "3.", 5, 0, "section"),
            (11, "4.", 37, 0, "section"),
            (20, "5.", 28, 0, "section"),
            (32, "6.", 46, 0, "section"),
            (34, "7.", 38, 0, "section"),
            (36, "8.", 19, 0, "section"),
            (39, "Appendix 1", 38, 0, "appendix"),
            (41, "", 25, 1, "subheading"),
        ],
        doubts=[
            ("number-order", 4, None, None),
            ("duplicate-number", 5, None, None),
            ("duplicate-number", 37, None, None),
            ("wrong-section", 37, None, None),
            ("wrong-section", 38, None, None),
            ("guessed-subheading", 41, None, None),
            ("merged-bullets", 41, 809, 810),
        ],
    ),
    "004": Pinned(
        clauses=113,
        style=NumberingStyle.LETTERS,
        title=26,
        header={
            "organisation": 30,
            "review_period": 8,
            "person_responsible": 21,
            "approving_body": 11,
            "approved_on": 4,
            "next_review_on": 4,
        },
        versions=0,
        headings=[
            (0, "1.", 12, 0, "section"),
            (9, "2.", 31, 0, "section"),
            (11, "3.", 4, 0, "section"),
            (17, "4.", 16, 0, "section"),
            (31, "5.", 12, 0, "section"),
            (39, "6.", 34, 0, "section"),
            (42, "", 10, 1, "subheading"),
            (56, "", 50, 1, "subheading"),
            (62, "7.", 37, 0, "section"),
            (75, "8.", 28, 0, "section"),
            (90, "", 18, 1, "subheading"),
            (102, "9.", 22, 0, "section"),
            (107, "10.", 11, 0, "section"),
        ],
        doubts=[
            ("header", None, None, None),
            ("heading-size", 17, None, None),
            ("heading-size", 31, None, None),
            ("merged-bullets", 69, 120, 121),
            ("furniture", 72, 49, 67),
            ("furniture", 72, 68, 70),
            ("nesting", 87, None, None),
            ("heading-size", 102, None, None),
        ],
    ),
}


def sample(name: str) -> Path:
    return next(path for path in sorted(Path(FOLDER or "").glob("*.txt")) if path.name.startswith(name))


@pytest.mark.parametrize("name", PINNED)
def test_every_word_of_a_real_policy_is_kept_in_order(name: str) -> None:
    source = sample(name).read_text(encoding="utf-8")
    reading = read_bytes(source.encode(), f"{name}.txt")
    assert words_in_order(source, reading)
    assert words_of(reading) == re.findall(r"[^\W_]+", re.sub(r"<[^>]+>", " ", source))


@pytest.mark.parametrize("name", PINNED)
def test_a_real_policy_is_read_as_a_person_would(name: str) -> None:
    reading = read_bytes(sample(name).read_bytes(), f"{name}.txt")
    pinned = PINNED[name]
    assert len(reading.title) == pinned.title
    assert {field.name: len(field.value) for field in reading.header} == pinned.header
    assert len(reading.versions) == pinned.versions
    assert reading.numbering_style is pinned.style
    assert len(reading.clauses) == pinned.clauses
    assert [
        (index, one.label, len(one.heading), one.depth, one.kind.value)
        for index, one in enumerate(reading.clauses)
        if one.heading or one.kind != "clause"
    ] == pinned.headings
    assert [
        (doubt.code.value, doubt.clause, doubt.start, doubt.end) for doubt in reading.uncertain
    ] == pinned.doubts
    assert len(to_tree(reading)) == pinned.clauses
