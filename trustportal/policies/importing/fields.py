"""What the labels printed in headers and version tables mean."""

from __future__ import annotations

import re

from trustportal.policies.importing.marks import has_words, without_emphasis

# The first pattern that is found in a printed label names its field. Labels that fit none keep a name of their own.
_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("signed_by", r"^sign(?:ed|ature)\b"),
        ("reviewed_by", r"reviewed by|^(?:lead )?reviewer"),
        ("authorised_by", r"authori[sz]ed by"),
        ("produced_by", r"^(?:produced|prepared|written) by|^author"),
        (
            "review_period",
            r"review (?:period|cycle|frequency)|(?:frequency|period|cycle) of review|reviewed every",
        ),
        (
            "next_review_on",
            r"next review|review due|date (?:for|of) (?:next )?review|due for review|review date|review by",
        ),
        (
            "approved_on",
            r"(?:approv|adopt|ratifi)(?:al date|ion date|ed on)|date (?:of (?:\w+ ){0,3})?(?:approv|adopt|ratif)",
        ),
        ("effective_on", r"effective|in force from|date of issue|issue date"),
        (
            "approving_body",
            r"(?:approving|approval|responsible) body|(?:approv|adopt|ratifi)ed by|governing committee|^committee",
        ),
        (
            "person_responsible",
            r"(?:person|post|officer|staff|leader?) responsible|responsible (?:person|officer|post)|owner|policy lead",
        ),
        ("audience", r"audience|aimed at|^applies to|intended for"),
        (
            "organisation",
            r"^(?:name of )?(?:school|trust|academy|organi[sz]ation|setting|college)(?: name)?$",
        ),
        ("reference", r"reference|^ref\b|(?:policy|document) (?:no|number|code)"),
        ("statutory", r"statutory"),
        ("related_policies", r"(?:related|linked|associated) (?:policies|documents)"),
        ("publication", r"publication|public or internal|published"),
        ("status", r"^status"),
        ("version", r"^version|^issue no"),
        ("dated", r"^date$"),
        ("last_reviewed_on", r"last review|reviewed on|date reviewed"),
    )
)
_COLUMNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("version", r"^(?:version|revision|issue)"),
        ("date", r"date|^when"),
        ("reason", r"reason|change|description|amendment|summary|detail|comment|nature"),
        ("author", r"author|^by\b|made by|editor|^who"),
        ("approver", r"approv"),
        ("sections", r"section|clause|page"),
    )
)


def field_name(label: str) -> str | None:
    """The header field that a printed label means, None when it is not one that we know."""
    plain = without_emphasis(label).rstrip(" :")
    for name, pattern in _FIELDS:
        if pattern.search(plain):
            return (
                f"signed_by_{slug(plain[10:])}"
                if plain.lower().startswith("signed by ") and plain[10:]
                else name
            )
    return None


def slug(text: str) -> str:
    """A field name made of a printed label."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40] or "field"


def column_names(heads: list[str]) -> list[str]:
    """A name for each column of a version table, no two alike."""
    names: list[str] = []
    for index, head in enumerate(heads):
        known = next((name for name, pattern in _COLUMNS if pattern.search(head)), None)
        name = known or (slug(head) if has_words(head) else "column")
        names.append(f"{name}_column_{index + 1}" if name in names or name.startswith("further_") else name)
    return names
