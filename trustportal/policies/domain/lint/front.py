"""The top of a policy: change log, header fields, signatures, who approves: L08 to L11, L46."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trustportal.policies.domain.lint.dating import review_dates, stated_periods
from trustportal.policies.domain.lint.model import Severity, Source
from trustportal.policies.domain.lint.registry import Context, Hit, rule

_IMPORTS = frozenset({Source.IMPORT})


@rule("L08", "Change log empty or incomplete", Severity.ERROR, applies=_IMPORTS, local=False)
def change_log(context: Context) -> Iterator[Hit]:
    document = context.document
    has_log = any(fact.name in ("change_log", "version_table_columns") for fact in document.header)
    if has_log and not document.versions:
        name = next(f.name for f in document.header if f.name in ("change_log", "version_table_columns"))
        yield Hit(
            "The change log has no entries. Write what changed, when, why and by whom.",
            None,
            f"header:{name}",
        )
    for row, version in enumerate(document.versions):
        lacking = [
            words
            for words, columns in (
                ("reason", ("reason",)),
                ("date", ("date",)),
                ("author", ("author", "approver")),
            )
            if not any(version.cell(column).strip() for column in columns)
        ]
        if lacking:
            column = version.cells[0][0] if version.cells else ""
            words = " and no ".join(lacking)
            yield Hit(
                f"This row of the change log has no {words}. Fill in every row.",
                None,
                f"versions:{row}:{column}",
                0,
                len(version.cell(column)),
            )


_FIELDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "person_responsible",
        ("person_responsible", "reviewed_by"),
        "Nothing says who is responsible. Name the post, for example “Trust safeguarding lead”.",
    ),
    (
        "approving_body",
        ("approving_body", "authorised_by"),
        "Nothing says who approves this policy. Name the body, for example “Trust board”.",
    ),
    (
        "approved_on",
        ("approved_on", "authorised_on", "reviewed_on", "signed_on", "dated", "effective_on"),
        "Nothing says when it was approved. Give the whole date.",
    ),
    (
        "next_review_on",
        ("next_review_on",),
        "Nothing says when it is reviewed next. Give the whole date.",
    ),
    (
        "review_period",
        ("review_period",),
        "Nothing says how often it is reviewed. Give the period, for example “every year”.",
    ),
)


@rule("L09", "Header field missing", Severity.ERROR, applies=_IMPORTS, local=False)
def header_field(context: Context) -> Iterator[Hit]:
    document = context.document
    for name, accepted, said in _FIELDS:
        if document.fact(*accepted):
            continue
        if name == "approving_body" and any(fact.name.startswith("signed_by") for fact in document.header):
            continue  # a line to be signed names the body; L10 asks for the signature
        if name == "next_review_on" and any(True for _ in review_dates(context)):
            continue
        if name == "review_period" and any(True for _ in stated_periods(context)):
            continue
        yield Hit(said, None, f"header:{name}")


@rule("L10", "Signature missing on an approved policy", Severity.ERROR, applies=_IMPORTS, local=False)
def signature_missing(context: Context) -> Iterator[Hit]:
    document = context.document
    if not document.value("approved_on", "signed_on", "dated", "authorised_on", "effective_on"):
        return
    for fact in document.header:
        if fact.name.startswith("signed_by") and not fact.value.strip():
            label = fact.label.strip().rstrip(":")
            yield Hit(
                f"“{label}” is empty though a date is given. Have it signed, or approve it in the portal.",
                None,
                f"header:{fact.name}",
            )


_BODIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("board", r"\b(?:trust\s+board|board\s+of\s+(?:trustees|directors)|trustees|trust\s+directors)\b"),
        (
            "governors",
            r"\b(?:governing\s+(?:board|body|bodies)|governors|local\s+(?:governing|academy)\s+(?:body|board|council)|academy\s+council)\b",
        ),
        ("leaders", r"\b(?:SLT|senior\s+leadership(?:\s+team)?|leadership\s+team)\b"),
        ("head", r"\b(?:head\s?teacher|head\s+of\s+school|principal|\{\{role\.headteacher\}\})"),
        ("committee", r"\bcommittee\b"),
    )
)
_BY = re.compile(
    r"\b(?:this|the)\s+policy\b[^.\n]{0,60}\breviewed\b[^.\n]{0,60}?\bby\s+(?P<who>[^.\n]{3,120})",
    re.IGNORECASE,
)
_ACTIVE = re.compile(
    r"\b(?P<who>the\s+[\w\s{}.]{3,60}?)\s+(?:will\s+)?reviews?\s+this\s+policy\b", re.IGNORECASE
)


def _bodies(words: str) -> set[str]:
    return {name for name, pattern in _BODIES if pattern.search(words)}


@rule("L11", "Approved by one body, reviewed by another", Severity.WARNING, heuristic=True, local=False)
def approver_differs(context: Context) -> Iterator[Hit]:
    fact = context.document.fact("approving_body", "authorised_by")
    if fact is None:
        return
    approving = _bodies(fact.value)
    if not approving:
        return
    for pattern in (_BY, _ACTIVE):
        for piece, found in context.scan(pattern, "review", headings=False):
            named = _bodies(found["who"])
            if named and not named & approving:
                yield piece.match(
                    f"At the top {fact.value.strip()} approves this policy, here others review it."
                    " Name the same body, or say who does what.",
                    found,
                    "who",
                )


_NAME = re.compile(r"(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr|Sir|Fr|Rev)\.?\s+)?[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]*\.?){1,3}")
_NOT_A_NAME = re.compile(
    r"\b(?:school|trust|academy|board|governors?|governing|trustees?|directors?|head|teacher|headteacher|principal|"
    r"manager|lead|leader|officer|team|staff|committee|chair|clerk|business|network|senior|safeguarding|designated|"
    r"council|body|executive|chief|deputy|assistant|operations|finance|people|human|resources|education|data|"
    r"protection|pastoral|inclusion|all|the|of|for|and|slt|policy|central|secretary|bursar|coordinator|co-ordinator|"
    r"professional|advisor|adviser|online|safety|personnel)\b",
    re.IGNORECASE,
)
POST_FIELDS = ("person_responsible", "reviewed_by", "approving_body", "authorised_by", "produced_by")


def personal_names(context: Context) -> Iterator[tuple[str, int, int]]:
    """(header field, start, end) where a field that asks for a post seems to hold a person's name."""
    for fact in context.document.header:
        value = fact.value.strip()
        if fact.name in POST_FIELDS and _NAME.fullmatch(value) and not _NOT_A_NAME.search(value):
            start = fact.value.index(value)
            yield fact.name, start, start + len(value)


_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr)\.?\s+[A-Z][\w'’-]{1,30}(?:\s+[A-Z][\w'’-]{1,30})?")


@rule("L46", "Person named where a post is meant", Severity.INFORMATION, heuristic=True)
def named_person(context: Context) -> Iterator[Hit]:
    said = "This looks like a person’s name. Name the post: people change, posts stay."
    # In a draft of the trust's L34 has said it, and asks for an answer.
    said_already = context.document.template and context.document.source is Source.DRAFT
    for name, start, end in () if said_already else personal_names(context):
        yield Hit(said, None, f"header:{name}", start, end)
    for piece, found in context.scan(_TITLED):
        yield piece.match(said, found)
