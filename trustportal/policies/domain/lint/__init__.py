"""Lint: what is wrong with a policy's text, clause by clause, in plain English. Pure.

`lint(document, dictionary, today)` runs the catalogue. `model` says what goes in and comes out, `registry` how a rule
is entered and run; the rules stand in modules by what they look at. Law, guidance and bodies are records of a dated
dictionary, never words of a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from trustportal.policies.domain.lint import (
    dating,
    documents,
    front,
    law,
    naming,
    numbering,
    residue,
    safeguarding,
    wording,
)
from trustportal.policies.domain.lint.dictionary import Dictionary
from trustportal.policies.domain.lint.model import Document, Finding
from trustportal.policies.domain.lint.registry import RULES, Rule, run

__all__ = ["RULES", "RULE_MODULES", "Rule", "lint"]

#: Importing them enters their rules.
RULE_MODULES = (numbering, dating, front, law, residue, documents, naming, wording, safeguarding)


def lint(
    document: Document, dictionary: Dictionary, today: date, *, only: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """What the rules find in a document on a day, in reading order. `only` names rules ("L12"); none: all."""
    wanted = set(only)
    rules = [one for id_, one in sorted(RULES.items()) if not wanted or id_ in wanted]
    return run(document, dictionary, today, rules)
