"""Progress as an Excel workbook. Loaded by whoever makes one: openpyxl takes a sixth of a second."""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from trustportal.acceptance.exports import HEADINGS, rows_of
from trustportal.acceptance.queries.asked import Line

_WIDTHS = (30, 28, 28, 40, 9, 12, 12, 12, 10, 28, 60)


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
    for row in rows_of(lines, trust_name):
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
