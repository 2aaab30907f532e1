"""The clause while it is read: pieces of text that arrive line by line."""

from __future__ import annotations

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.importing.labels import Style
from trustportal.policies.importing.reading import Doubt


class Draft:
    """A clause being read. `path` is what its label says ("4", "1"); pieces of text are joined when asked for."""

    def __init__(
        self,
        label: str = "",
        heading: str = "",
        text: str = "",
        *,
        depth: int = 0,
        kind: Kind = Kind.CLAUSE,
        style: Style | None = None,
        path: tuple[str, ...] = (),
        guessed: bool = False,
        contents: bool = False,
    ) -> None:
        self.label, self.heading, self.depth, self.kind = label, heading, depth, kind
        self.style, self.path, self.guessed, self.contents = style, path, guessed, contents
        self.doubts: list[tuple[Doubt, str]] = []
        self._pieces: list[str] = [text] if text else []
        self._in_list = False
        self._glyph, self._indent, self._level = "", 0, 0

    @property
    def text(self) -> str:
        """All of the text, as Markdown."""
        return "".join(self._pieces)

    @property
    def filled(self) -> bool:
        """Whether there is any text yet."""
        return bool(self._pieces)

    @property
    def introduces(self) -> bool:
        """Whether what follows is announced by a colon."""
        return bool(self._pieces) and self._pieces[-1].rstrip().endswith(":")

    @property
    def only_listed(self) -> bool:
        """Whether the text is one list and nothing else."""
        return self._in_list and self._pieces[0].startswith("- ")

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._pieces.append(f"\n\n{text}" if self._pieces else text)
        self._in_list = False

    def continued(self, text: str) -> None:
        """Add a line to the paragraph or list entry that is open."""
        self._pieces.append(f"\n{text}" if self._pieces else text)

    def entry(self, text: str, mark: str, indent: int) -> None:
        """Add a list entry, nested when it is printed further in and has another mark."""
        if not self._in_list:
            self._level = 0
        elif mark != self._glyph or mark in "-*+":
            step = (indent > self._indent) - (indent < self._indent)
            self._level = max(0, min(self._level + step, 3))
        self._glyph, self._indent = mark, indent
        gap = "" if not self._pieces else "\n" if self._in_list else "\n\n"
        self._pieces.append(f"{gap}{'  ' * self._level}{text}")
        self._in_list = True
