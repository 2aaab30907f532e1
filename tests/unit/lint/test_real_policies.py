"""The real policies, when POLICY_SAMPLES names their folder. Findings are pinned by place, never by quoting.

`cited` are the faults that the catalogue of rules was made from; `further` are true ones that it does not name.
Together they are everything that is found. Each is (rule, clause index, part, start, end).
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.lint import RULES, lint
from trustportal.policies.importing.linting import document_of
from trustportal.policies.importing.text import read_bytes

FOLDER = os.environ.get("POLICY_SAMPLES")
pytestmark = pytest.mark.skipif(not FOLDER, reason="POLICY_SAMPLES not set")
TODAY = date(2026, 9, 1)

Pin = tuple[str, int | None, str, int, int]


class Pinned(NamedTuple):
    cited: list[Pin]
    further: list[Pin]


PINNED: dict[str, Pinned] = {
    "000": Pinned(
        cited=[
            ("L04", None, "header:next_review_on", 0, 10),
            ("L05", None, "versions:1:reason", 216, 226),
            ("L08", None, "versions:0:version", 0, 1),
            ("L09", None, "header:approved_on", 0, 0),
            ("L09", None, "header:approving_body", 0, 0),
            ("L14", 31, "text", 276, 300),
            ("L15", 34, "text", 12, 40),
            ("L16", 34, "text", 58, 136),
            ("L34", None, "header:reviewed_by", 0, 8),
            ("L35", 22, "text", 142, 149),
            ("L35", 22, "text", 160, 166),
            ("L35", 22, "text", 242, 250),
            ("L36", 19, "text", 453, 466),
            ("L38", None, "document", 0, 0),
            ("L40", None, "document", 0, 0),
            ("L43", 29, "text", 0, 48),
            ("L46", None, "header:reviewed_by", 0, 8),
            ("L47", None, "versions:1:reason", 33, 39),
            ("L50", 11, "heading", 0, 7),
        ],
        further=[
            ("L08", None, "versions:1:version", 0, 1),
            ("L34", 23, "text", 684, 703),
            ("L43", 21, "text", 54, 112),
        ],
    ),
    "001": Pinned(
        cited=[
            ("L03", 84, "text", 50, 62),
            ("L04", None, "header:next_review_on", 0, 10),
            ("L08", None, "header:change_log", 0, 0),
            ("L11", 83, "text", 51, 86),
            ("L18", 68, "text", 307, 310),
            ("L19", 70, "text", 0, 4),
            ("L24", 12, "text", 90, 111),
            ("L24", 33, "text", 205, 238),
            ("L25", 33, "text", 205, 238),
            ("L25", 53, "text", 250, 284),
            ("L26", 61, "text", 213, 245),
            ("L29", 58, "text", 104, 116),
            ("L29", 66, "text", 107, 119),
            ("L31", 13, "text", 0, 50),
            ("L34", 14, "text", 17, 23),
            ("L34", 43, "text", 67, 77),
            ("L34", 49, "text", 56, 66),
            ("L34", 58, "text", 118, 124),
            ("L34", 59, "text", 64, 70),
            ("L36", 67, "text", 255, 268),
            ("L36", 70, "text", 131, 139),
            ("L37", 34, "text", 78, 106),
            ("L37", 58, "text", 212, 283),
        ],
        further=[
            ("L24", 11, "text", 91, 131),
            ("L24", 68, "text", 449, 469),
        ],
    ),
    "002": Pinned(
        cited=[
            ("L02", 26, "label", 0, 5),
            ("L02", 31, "label", 0, 5),
            ("L02", 51, "label", 0, 5),
            ("L04", 98, "text", 128, 136),
            ("L06", 98, "text", 106, 115),
            ("L09", None, "header:approved_on", 0, 0),
            ("L09", None, "header:approving_body", 0, 0),
            ("L09", None, "header:person_responsible", 0, 0),
            ("L09", None, "header:review_period", 0, 0),
            ("L12", 11, "text", 539, 563),
            ("L12", 12, "text", 143, 167),
            ("L12", 13, "text", 170, 184),
            ("L12", 13, "text", 187, 216),
            ("L13", 13, "text", 302, 335),
            ("L15", 92, "text", 280, 334),
            ("L16", 16, "text", 127, 136),
            ("L16", 65, "text", 104, 203),
            ("L17", 98, "text", 69, 136),
            ("L19", 11, "text", 251, 268),
            ("L19", 51, "text", 169, 176),
            ("L20", 11, "text", 533, 534),
            ("L20", 12, "text", 453, 454),
            ("L24", 93, "text", 176, 187),
            ("L27", 48, "heading", 0, 22),
            ("L29", 51, "text", 75, 98),
            ("L32", None, "header:organisation", 0, 33),
            ("L32", 32, "text", 166, 180),
            ("L35", 2, "text", 228, 235),
            ("L35", 9, "text", 126, 133),
            ("L35", 9, "text", 254, 265),
            ("L35", 37, "text", 165, 172),
            ("L36", 43, "text", 216, 228),
            ("L37", 90, "text", 87, 138),
            ("L38", None, "document", 0, 0),
            ("L40", None, "document", 0, 0),
            ("L48", 103, "text", 202, 205),
            ("L48", 105, "text", 85, 112),
            ("L49", 10, "heading", 0, 15),
        ],
        further=[
            ("L20", 16, "text", 76, 77),
            ("L24", 49, "text", 119, 178),
        ],
    ),
    "003": Pinned(
        cited=[
            ("L01", 5, "label", 0, 3),
            ("L02", 4, "label", 0, 3),
            ("L07", None, "header:signed_on", 0, 7),
            ("L09", None, "header:next_review_on", 0, 0),
            ("L09", None, "header:person_responsible", 0, 0),
            ("L09", None, "header:review_period", 0, 0),
            ("L10", None, "header:signed_by_chair_of_governors", 0, 0),
            ("L10", None, "header:signed_by_head_teacher", 0, 0),
            ("L14", 38, "text", 40, 59),
            ("L20", 41, "text", 809, 810),
            ("L22", 37, "text", 76, 94),
            ("L29", 35, "text", 172, 183),
            ("L30", 35, "text", 189, 195),
            ("L32", None, "header:website", 0, 17),
            ("L35", 5, "text", 67, 74),
            ("L35", 40, "text", 76, 83),
            ("L36", 13, "text", 90, 94),
            ("L36", 24, "text", 57, 62),
            ("L36", 37, "text", 30, 35),
            ("L38", None, "document", 0, 0),
            ("L40", None, "document", 0, 0),
            ("L41", 41, "text", 202, 215),
            ("L42", 33, "text", 20, 64),
            ("L44", 43, "text", 0, 93),
        ],
        further=[
            ("L01", 37, "label", 0, 3),
            ("L02", 37, "label", 0, 3),
            ("L24", 31, "text", 62, 89),
            ("L36", 13, "text", 123, 127),
        ],
    ),
    "004": Pinned(
        cited=[
            ("L04", None, "header:next_review_on", 0, 4),
            ("L06", 72, "text", 49, 67),
            ("L07", None, "header:approved_on", 0, 4),
            ("L07", None, "header:next_review_on", 0, 4),
            ("L12", 110, "text", 0, 24),
            ("L17", 72, "text", 49, 70),
            ("L20", 69, "text", 120, 121),
            ("L21", 87, "label", 0, 3),
            ("L24", 93, "text", 9, 43),
            ("L28", 17, "heading", 0, 16),
            ("L28", 31, "heading", 0, 12),
            ("L28", 102, "heading", 0, 22),
            ("L29", 6, "text", 174, 188),
            ("L32", 34, "text", 70, 77),
            ("L33", 1, "text", 89, 95),
            ("L33", 34, "text", 70, 77),
            ("L33", 37, "text", 255, 266),
            ("L36", 30, "text", 16, 23),
            ("L38", None, "document", 0, 0),
            ("L39", 38, "text", 0, 121),
            ("L40", None, "document", 0, 0),
            ("L45", 10, "text", 12, 76),
            ("L49", 107, "heading", 0, 11),
        ],
        further=[
            ("L24", 65, "text", 149, 172),
        ],
    ),
}

#: Rules without a case in these five texts: L23 resolves here, which is its negative test.
WITHOUT_A_CASE = {"L23"}


def found_in(name: str) -> list[Pin]:
    assert FOLDER is not None
    (path,) = Path(FOLDER).glob(f"{name}*")
    document = document_of(read_bytes(path.read_bytes(), path.name))
    return [
        (one.rule, one.clause, one.part, one.start, one.end)
        for one in lint(document, load_dictionary(), TODAY)
    ]


@pytest.mark.parametrize("name", sorted(PINNED))
def test_the_faults_that_the_catalogue_cites_are_found_and_nothing_else_is(name: str) -> None:
    found = found_in(name)
    pinned = PINNED[name].cited + PINNED[name].further
    assert sorted(set(PINNED[name].cited) - set(found), key=str) == []
    assert sorted(found, key=str) == sorted(pinned, key=str)


def test_every_rule_but_the_negative_one_has_a_case() -> None:
    cited = {pin[0] for pinned in PINNED.values() for pin in pinned.cited}
    assert set(RULES) - cited == WITHOUT_A_CASE
