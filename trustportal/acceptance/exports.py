"""Progress as rows and as CSV, made from lines. No cell can become a formula in a spreadsheet. Loads nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

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


def rows_of(lines: Sequence[Line], trust_name: str) -> list[tuple[Any, ...]]:
    """A row for each line, as `HEADINGS` says; days are days."""
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
    for row in rows_of(lines, trust_name):
        writer.writerow("" if cell is None else str(cell) for cell in row)
    return out.getvalue().encode("utf-8-sig")
