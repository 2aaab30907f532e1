"""A version or edition as a Word file, for people who must have one. The PDF stays what can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trustportal.policies.pdf.snapshot import PolicyPrint

__all__ = ["MIMETYPE", "make_word"]

MIMETYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def make_word(paper: PolicyPrint) -> bytes:
    """The Word file of a paper, see `word`."""
    # Here, and not above: python-docx is loaded by those processes only that write Word.
    from trustportal.policies.export import word

    return word.make_word(paper)
