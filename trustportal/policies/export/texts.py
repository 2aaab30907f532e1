"""A clause's Markdown as blocks and runs that a word processor knows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from trustportal import markdown

__all__ = ["Block", "Run", "blocks_of"]


@dataclass(frozen=True, slots=True)
class Run:
    """Letters that look the same. `link`: the address that they lead to."""

    text: str
    bold: bool = False
    italic: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an entry of a list (`level` from 0; `list_id` tells lists apart), or a table."""

    kind: str
    runs: tuple[Run, ...] = ()
    level: int = 0
    ordered: bool = False
    list_id: int = 0
    start: int = 1
    rows: tuple[tuple[tuple[Run, ...], ...], ...] = ()
    headed: bool = False


@dataclass(slots=True)
class _Open:
    """What is open while the tokens are read."""

    lists: list[tuple[bool, int, int]] = field(default_factory=list)
    fresh_entry: bool = False
    rows: list[list[tuple[Run, ...]]] = field(default_factory=list)
    in_table: bool = False


def blocks_of(text: str) -> list[Block]:
    """The blocks of a Markdown text, in order. No word is lost."""
    tokens = markdown.parse(text)
    if tokens is None:
        return [Block("paragraph", (Run(part.strip()),)) for part in text.split("\n\n") if part.strip()]
    found: list[Block] = []
    state = _Open()
    for number, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            start = token.attrGet("start")
            ordered = token.type == "ordered_list_open"
            state.lists.append((ordered, number, int(start) if start is not None else 1))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            state.lists.pop()
        elif token.type == "list_item_open":
            state.fresh_entry = True
        elif token.type == "table_open":
            state.in_table, state.rows = True, []
        elif token.type == "tr_open":
            state.rows.append([])
        elif token.type == "table_close":
            found.append(_table(state.rows))
            state.in_table = False
        elif token.type == "inline":
            runs = _runs(token.children or ())
            if state.in_table:
                state.rows[-1].append(runs)
            else:
                found.append(_said(runs, state))
        elif token.type in ("fence", "code_block"):
            found.append(_said((Run(token.content.rstrip("\n")),), state))
    return found


def _said(runs: tuple[Run, ...], state: _Open) -> Block:
    """A paragraph, or the entry that it begins."""
    if not state.lists or not state.fresh_entry:
        return Block("paragraph", runs)
    state.fresh_entry = False
    ordered, list_id, start = state.lists[-1]
    return Block("entry", runs, level=len(state.lists) - 1, ordered=ordered, list_id=list_id, start=start)


def _table(rows: Sequence[Sequence[tuple[Run, ...]]]) -> Block:
    """A table; one whose head is empty has none."""
    headed = any(any(run.text.strip() for run in cell) for cell in rows[0])
    kept = rows if headed else rows[1:]
    return Block("table", rows=tuple(tuple(row) for row in kept), headed=headed)


def _runs(tokens: Sequence[Token]) -> tuple[Run, ...]:
    runs: list[Run] = []
    bold = italic = 0
    link = ""
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            bold += token.nesting
        elif token.type in ("em_open", "em_close"):
            italic += token.nesting
        elif token.type == "link_open":
            address = str(token.attrGet("href") or "")
            link = address if address.startswith(("http://", "https://", "mailto:")) else ""
        elif token.type == "link_close":
            link = ""
        else:
            text = _words(token)
            if text:
                runs.append(Run(text, bold > 0, italic > 0, link))
    return tuple(runs)


def _words(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type == "image":
        return "".join(map(_words, token.children or ()))
    return token.content
