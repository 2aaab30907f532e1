"""A version or edition as a Word file, for people who must have one. The PDF stays what can be checked."""

from __future__ import annotations

from trustportal.policies.export.word import MIMETYPE, make_word

__all__ = ["MIMETYPE", "make_word"]
