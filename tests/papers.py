"""What tests read on printed papers."""

from __future__ import annotations

import re

_CODE = re.compile(r"(?<![0-9A-Z])(?:[0-9A-Z] ?){5}- ?(?:[0-9A-Z] ?){4}[0-9A-Z]")


def code_on(words: str) -> str:
    """The first one-time code on a sheet. Whoever reads a PDF takes some gaps between letters for spaces."""
    found = _CODE.search(words)
    assert found, words
    return found[0].replace(" ", "")
