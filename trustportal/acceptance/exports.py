"""Progress as CSV and Excel, made from lines. No cell can become a formula in a spreadsheet. Loads nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from trustportal.acceptance.queries.asked import Line
from trustportal.access import ROLE_LABELS
from trustportal.spreadsheets import harmless
from trustportal.times import LONDON

HEADINGS = (
    "Place",
    "Name",
    "Roles",
    "Policy",
    "Edition",
    "State",
    "Due on",
    "Signed on",
    "Signed at",
    "How",
    "Statement",
)
_WIDTHS = (30, 28, 28, 40, 9, 12, 12, 12, 10, 28, 60)


def _rows(lines: Sequence[Line], trust_name: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for line in lines:
        signed = line.signed_at.astimezone(LONDON) if line.signed_at else None
        rows.append(
            (
                harmless(line.school_name or trust_name),
                harmless(line.name),
                harmless(", ".join(ROLE_LABELS[role] for role in line.roles)),
                harmless(line.policy),
                line.edition,
                line.state,
                line.due_on,
                line.paper_on or (signed.date() if signed else None),
                f"{signed:%H:%M}" if signed and line.paper_on is None else "",
                harmless(line.how),
                harmless(line.statement or ""),
            )
        )
    return rows


def as_csv(lines: Sequence[Line], *, trust_name: str) -> bytes:
    """CSV in UTF-8 with a mark at the start, so that Excel reads names rightly. Days as 2026-09-30."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    for row in _rows(lines, trust_name):
        writer.writerow("" if cell is None else str(cell) for cell in row)
    return out.getvalue().encode("utf-8-sig")


def as_excel(lines: Sequence[Line], *, title: str, trust_name: str) -> bytes:
    """An Excel workbook with one sheet: headings that stay in view, a filter, real days."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = (
        "".join(" " if letter in r"[]:*?/\'" else letter for letter in title)[:31].strip() or "Signing"
    )
    sheet.append(HEADINGS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in _rows(lines, trust_name):
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # text, whatever it looks like
            elif cell.value is not None:
                cell.number_format = "dd/mm/yyyy"
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(HEADINGS))}{sheet.max_row}"
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
