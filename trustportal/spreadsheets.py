"""Cells of a spreadsheet that stay text, whatever somebody has typed."""

from __future__ import annotations

#: What makes a spreadsheet calculate a cell instead of showing it.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """A cell's text; an apostrophe goes before whatever a spreadsheet would calculate."""
    return f"'{text}" if text.startswith(_ACTIVE) else text
