"""Small documents of our own making, for one rule at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint import lint
from trustportal.policies.domain.lint.model import (
    Document,
    Finding,
    HeaderFact,
    LintClause,
    Source,
    VersionFact,
)

TODAY = date(2026, 9, 1)


def clause(
    text: str = "",
    label: str = "",
    heading: str = "",
    depth: int = 1,
    kind: Kind = Kind.CLAUSE,
    key: str = "",
) -> LintClause:
    return LintClause(key, label, heading, text, depth, kind)


def section(heading: str, label: str = "", text: str = "") -> LintClause:
    return LintClause("", label, heading, text, 0, Kind.SECTION)


def appendix(heading: str, label: str) -> LintClause:
    return LintClause("", label, heading, "", 0, Kind.APPENDIX)


def header(**values: str) -> tuple[HeaderFact, ...]:
    return tuple(
        HeaderFact(name, name.replace("_", " ").capitalize(), value) for name, value in values.items()
    )


def versions(*rows: dict[str, str]) -> tuple[VersionFact, ...]:
    return tuple(VersionFact(tuple(row.items())) for row in rows)


def document(*clauses: LintClause | str, source: Source = Source.IMPORT, **more: Any) -> Document:
    """A document; a string is a clause with that text."""
    made = tuple(clause(one) if isinstance(one, str) else one for one in clauses)
    return Document(title=more.pop("title", "Kite flying policy"), source=source, clauses=made, **more)


def found(rule: str, read: Document, today: date = TODAY) -> tuple[Finding, ...]:
    return lint(read, load_dictionary(), today, only=[rule])


def marked(rule: str, read: Document, today: date = TODAY) -> list[str]:
    """The words that a rule marks; where it marks none, the part that it is about."""
    return [one.words or one.part for one in found(rule, read, today)]


#: Words that rules look for, parted by bars: for texts put together at random.
FULL_OF_FAULTS = (
    "Data Protection Act 1998|Equality Act|the Libel Act 1843|GDPR|KCSIE 2022|Twitter|CRB|ParentMail|"
    "headteacher|Head Teacher|line manger|the setting|pupils|students|Network Lead (9Kites)|Mrs Perrin|"
    "it's pupils|this maybe a|abide the|should not to|kite kite|"
    "pupils/pupils|b-d in section 2.1|section 9|Appendix C|"
    "page 4|Page 4 of 9|3rd March 2021|03/04/2024|biannually|This policy is reviewed every two years by the SLT. |"
    "The next review is due in March 2025|sign our kite safety agreement|the Kite Safety Policy 2015|Kite Policies|"
    "concerns about the headteacher|chair of governors|reported to the DSL|LADO|screenshots|indecent images|"
    "must not search for candidates|all are deemed criminal|"
    "applies to staff at the school|"
    "content, contact, conduct|"
    "Westmere County Council|www.westmere.gov.uk|Kites/Policy/May 2019|at least two moderators|"
    "Moderation is the responsibility of the Kite lead|personal data|"
    "[insert name]|[form](#)|{{role.pilot}}|{{Bad}}|[[gone]]"
)
