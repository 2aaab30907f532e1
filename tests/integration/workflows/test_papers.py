"""Letters and signed forms as PDF/UA-1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_pdf import faults, text_of
from trustportal.workflows import pdf

FORM: dict[str, Any] = {
    "kind": "form",
    "title": "Social media account: Year 6",
    "rows": [
        ["What it is", "Name", "Year 6"],
        ["What it is", "Address", ""],
        ["Aims", "Why?", "Families see it.\nEvery week."],
    ],
    "signatures": [["Leo Lamb", "Line manager", "I have read it.", "21 November 2026 at 15:50", "x"]],
    "hash": "ab" * 32,
    "outcome": "Approved",
    "reference": "3XPK-65SY",
    "on": "2026-11-21",
}
LETTER: dict[str, Any] = {
    "kind": "letter",
    "title": "Your request",
    "to": "Tess Turner",
    "body": "Dear Tess Turner,\n\nIt is <b>approved</b>.\nUntil July.",
    "reference": "3XPK-65SY",
    "on": "2026-11-21",
}
OUTSIDE = {**LETTER, "address": ["Ms R Calder", "4 Mill Lane", "Larkfield"]}


def made(content: dict[str, Any]) -> bytes:
    return pdf.make(content, organisation="Larch Trust", place="Larchwood", colour="#1f4b7a", logo_hash=None)


@pytest.mark.parametrize(
    "content",
    [FORM, {**FORM, "signatures": [], "hash": ""}, LETTER, {**LETTER, "to": ""}, OUTSIDE],
    ids=["form", "form without signatures", "letter", "letter to nobody", "letter to a parent"],
)
def test_a_paper_has_no_fault(content: dict[str, Any], tmp_path: Path) -> None:
    assert faults(made(content), tmp_path) == []


def test_a_paper_says_what_was_written() -> None:
    form, letter = text_of(made(FORM)), text_of(made(LETTER))
    assert "Families see it." in form
    assert "I have read it." in form
    assert "Reference 3XPK-65SY" in form
    assert "It is <b>approved</b>." in letter
