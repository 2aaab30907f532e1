"""Placeholders: named slots such as {{school.name}} or {{role.headteacher}}, filled once per school. No code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["PLACEHOLDER", "fill", "find", "is_name", "malformed"]

_NAME = r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*"
PLACEHOLDER = re.compile(r"\{\{\s*(" + _NAME + r")\s*\}\}")


def is_name(name: str) -> bool:
    """Whether `name` can be a placeholder's name: small letters, digits and underscores, parted by dots."""
    return re.fullmatch(_NAME, name) is not None


def find(text: str) -> tuple[str, ...]:
    """The names of the placeholders in `text`, each once, in the order in which they first stand there."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(text))) if "{{" in text else ()


def malformed(text: str) -> tuple[str, ...]:
    """What stands in double braces and is not a placeholder's name ("{{School Name}}"), as written."""
    return tuple(written for written in _in_braces(text) if not is_name(written[2:-2].strip()))


def _in_braces(text: str) -> Iterator[str]:
    """From each pair of opening braces to the next closing one. Searched by hand: a pattern would look for the end anew
    at every pair that is never closed, which takes minutes in a text of nothing else.
    """
    begins = text.find("{{")
    while begins >= 0 and (ends := text.find("}}", begins + 2)) >= 0:
        yield text[begins : ends + 2]
        begins = text.find("{{", ends + 2)


def fill(text: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Fill the placeholders: the text, and the names without a value (an empty one counts as none; the slot stays)."""
    missing: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        value = values.get(found.group(1), "")
        if not value.strip():
            missing[found.group(1)] = None
            return found.group(0)
        return value

    return (PLACEHOLDER.sub(put, text), tuple(missing)) if "{{" in text else (text, ())
