"""The policy register as an Excel workbook, from lines. No cell can become a formula. Reads nothing.

Loaded by whoever makes one: openpyxl takes a sixth of a second.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from trustportal.policies.domain.register import RegisterLine
from trustportal.spreadsheets import harmless

_POLICIES = (
    ("Policy", 44),
    ("Reference", 14),
    ("Tier", 30),
    ("Owner", 30),
    ("Person responsible", 28),
    ("Held by", 28),
    ("Approved by", 24),
    ("Required by law", 14),
    ("Public", 9),
    ("State", 18),
    ("In force", 10),
    ("Since", 12),
    ("Reviewed every (months)", 14),
    ("Next review", 12),
    ("Overdue", 10),
    ("Places", 9),
)
_PLACES = (("Policy", 44), ("Place", 34), ("Edition", 10), ("Since", 12), ("Next review", 12))


def as_excel(lines: Sequence[RegisterLine]) -> bytes:
    """Two sheets: the policies, and where each is in force. Headings stay in view; days are real days."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Policies"
    _fill(
        first,
        _POLICIES,
        (
            (
                line.title,
                line.reference,
                line.tier,
                line.owner,
                line.responsible,
                ", ".join(line.holders),
                line.approving_body,
                "yes" if line.statutory else "no",
                "yes" if line.public else "no",
                line.state,
                line.version,
                line.since,
                line.review_months,
                line.review_on,
                "overdue" if line.overdue else "",
                len(line.places),
            )
            for line in lines
        ),
    )
    _fill(
        book.create_sheet("Where in force"),
        _PLACES,
        (
            (line.title, place, edition, since, line.review_on)
            for line in lines
            for place, edition, since in line.places
        ),
    )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, columns: Sequence[tuple[str, int]], rows: Iterable[tuple[Any, ...]]) -> None:
    sheet.append([heading for heading, _ in columns])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([harmless(value) if isinstance(value, str) else value for value in row])
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # text, whatever it looks like
            elif isinstance(cell.value, date):
                cell.number_format = "dd/mm/yyyy"
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{sheet.max_row}"
    for number, (_, width) in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
