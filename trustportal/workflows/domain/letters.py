"""The words of a letter with its slots filled. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SLOT = re.compile(r"\{\{\s*([a-z_.]+)(\??)\s*\}\}")


def filled(body: str, slots: Mapping[str, str]) -> str:
    """A letter's words with its slots filled. A paragraph with a slot like {{field.needs?}} is left out where there is
    nothing to fill it with.
    """
    paragraphs = []
    for one in re.split(r"\n\s*\n", body):
        if any(asks and not slots.get(name) for name, asks in _SLOT.findall(one)):
            continue
        paragraphs.append(_SLOT.sub(lambda found: slots.get(found.group(1), ""), one).strip())
    return "\n\n".join(one for one in paragraphs if one)
