"""The divergence map as an Excel workbook. No cell can become a formula. Reads nothing.

Loaded by whoever makes one: openpyxl takes a sixth of a second.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from trustportal.spreadsheets import harmless

#: The colours of the map's cells.
_FILLS = {
    "adapted": "FFF4E2",
    "added to": "E7F6EE",
    "left out": "EEF0F3",
    "to decide": "FDEBED",
    "behind": "EEF3F9",
}
_MODES = {"locked": "Locked", "extend": "Extend", "adaptable": "Adaptable"}
#: Excel takes so many characters in a cell.
_LONGEST = 32_000


def map_workbook(
    *,
    title: str,
    schools: Sequence[str],
    rows: Sequence[tuple[str, str, str, Sequence[str]]],
    differences: Sequence[Sequence[str]],
) -> bytes:
    """Two sheets. `rows`: number, title, mode and the state at each school; `differences`: school, clause, state,
    the trust's words, the school's, why.
    """
    book = Workbook(write_only=True)
    _map_sheet(book.create_sheet("Map"), title, schools, rows)
    _differences_sheet(book.create_sheet("Differences"), differences)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _map_sheet(
    sheet: Any,
    title: str,
    schools: Sequence[str],
    rows: Sequence[tuple[str, str, str, Sequence[str]]],
) -> None:
    sheet.freeze_panes = "D2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(3 + len(schools))}{len(rows) + 1}"
    for letter, width in zip("ABC", (10, 48, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append([_bold(sheet, one) for one in ("Clause", title, "Schools may", *schools)])
    for number, heading, mode, states in rows:
        sheet.append(
            [
                _text(sheet, number),
                _text(sheet, heading),
                _text(sheet, _MODES.get(mode, "")),
                *(_state(sheet, one) for one in states),
            ]
        )


def _differences_sheet(sheet: Any, differences: Sequence[Sequence[str]]) -> None:
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:F{len(differences) + 1}"
    for letter, width in zip("ABCDEF", (30, 36, 12, 60, 60, 40), strict=True):
        sheet.column_dimensions[letter].width = width
    headings = ("School", "Clause", "State", "The trust's text", "The school's text", "Why")
    sheet.append([_bold(sheet, one) for one in headings])
    for line in differences:
        sheet.append([_text(sheet, one, wrap=True) for one in line])


def _text(sheet: Any, words: str, *, wrap: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, value=harmless(words)[:_LONGEST])
    cell.data_type = "s"  # text, whatever it looks like
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _bold(sheet: Any, words: str) -> Any:
    cell = _text(sheet, words)
    cell.font = Font(bold=True)
    return cell


def _state(sheet: Any, state: str) -> Any:
    if state == "follows":
        return None
    cell = _text(sheet, state)
    colour = _FILLS.get(state.partition(",")[0])
    if colour:
        cell.fill = PatternFill("solid", start_color=colour)
    return cell
