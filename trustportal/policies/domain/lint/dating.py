"""Dates and periods: L03 to L07."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from trustportal.policies.domain.lint.dates import DATE, PrintedDate, dates_in, parse
from trustportal.policies.domain.lint.model import Severity, Source
from trustportal.policies.domain.lint.registry import Context, Hit, rule

_REVIEW = re.compile(
    r"\b(?:next|due|scheduled|date\s+(?:for|of)|future)\b[^.\n]{0,40}?\breview(?:ed)?\b|"
    r"\breview(?:ed)?\b[^.\n]{0,20}?\b(?:due|date|by|on|again|before)\b",
    re.IGNORECASE,
)
#: How far behind such words a date still belongs to them, in characters.
_REACH = 60
_HEADER_DATES = (
    "approved_on",
    "effective_on",
    "next_review_on",
    "reviewed_on",
    "last_reviewed_on",
    "authorised_on",
    "signed_on",
    "dated",
)


def _day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"


def _shown(found: PrintedDate) -> str:
    if found.first == found.last:
        return _day(found.first)
    return f"{found.first:%B %Y}" if found.first.month == found.last.month else f"{found.first:%Y}"


def review_dates(context: Context) -> Iterator[tuple[Hit, PrintedDate]]:
    """Every printed date of the next review, with its place: in the header first, then in the text."""
    for fact in context.document.header:
        if fact.name == "next_review_on" and (found := parse(fact.value)):
            yield Hit("", None, "header:next_review_on", found.start, found.end), found
    for piece in context.texts:
        if "eview" not in piece.text:
            continue
        taken = -1
        for lead in _REVIEW.finditer(piece.text):
            rest = piece.text[lead.end() : lead.end() + _REACH]
            when = next(dates_in(rest), None)
            if (
                when is None
                or re.search(r"[.!?]\s|\n", rest[: when.start])
                or lead.end() + when.start == taken
            ):
                continue
            taken = lead.end() + when.start
            yield Hit("", piece.clause, piece.part, taken, lead.end() + when.end), when


@rule("L03", "Review dates disagree", Severity.ERROR, local=False)
def review_dates_disagree(context: Context) -> Iterator[Hit]:
    found = list(review_dates(context))
    for place, when in found[1:]:
        if not when.agrees(found[0][1]):
            yield Hit(
                f"The next review is {_shown(found[0][1])} in one place and {_shown(when)} here."
                " Keep one date; the portal prints it at the top.",
                place.clause,
                place.part,
                place.start,
                place.end,
            )


@rule("L04", "Review date passed", Severity.ERROR, local=False)
def review_date_passed(context: Context) -> Iterator[Hit]:
    for place, when in list(review_dates(context))[:1]:
        if when.last < context.today:
            yield Hit(
                f"The review was due in {_shown(when)}, which has passed. Review the policy and set the next date.",
                place.clause,
                place.part,
                place.start,
                place.end,
                Severity.WARNING if context.document.view_only else None,
            )


_AMBIGUOUS = re.compile(r"\b(?:bi-?annual(?:ly)?|bi-?monthly|bi-?weekly)\b", re.IGNORECASE)
_PERIOD = re.compile(
    r"\b(?P<year>annual(?:ly)?|yearly|every\s+year|each\s+year|every\s+(?:12|twelve)\s+months)\b|"
    r"\bbiennial(?:ly)?\b|\bevery\s+(?P<many>\d{1,2}|two|three|four|five)\s+(?P<unit>years?|months?)\b|"
    r"\b(?P<count>\d{1,2}|one|two|three|four|five)[\s-]+(?P<unit2>years?|months?)\b",
    re.IGNORECASE,
)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_REVIEWED = re.compile(
    r"\b(?:this\s+policy|the\s+policy|policies)\b[^.\n]{0,80}\breview|\breview\w*\s+(?:of\s+)?this\s+policy\b",
    re.IGNORECASE,
)


def months_of(words: str) -> int | None:
    """How many months a printed review period says; None when it says none."""
    found = _PERIOD.search(words)
    if found is None:
        return None
    if found["year"]:
        return 12
    count = found["many"] or found["count"]
    if count is None:
        return 24
    number = int(count) if count.isdigit() else _COUNTS[count.lower()]
    unit = (found["unit"] or found["unit2"]).lower()
    return number * 12 if unit.startswith("year") else number


def stated_periods(context: Context) -> Iterator[tuple[Hit, int]]:
    """Review periods that sentences of the text state about the policy itself."""
    for piece, offset, sentence in context.sentences:
        if "eview" in sentence and _REVIEWED.search(sentence):
            found = _PERIOD.search(sentence)
            months = months_of(sentence)
            if found and months:
                yield (
                    Hit("", piece.clause, piece.part, offset + found.start(), offset + found.end()),
                    months,
                )


@rule("L05", "Review period unclear, or not what the dates say", Severity.WARNING, local=False)
def period_unclear(context: Context) -> Iterator[Hit]:
    said = (
        "This word means twice a year to some and every two years to others."
        " Write “every two years”, or what is meant."
    )
    for fact in context.document.header:
        if found := _AMBIGUOUS.search(fact.value):
            yield Hit(said, None, f"header:{fact.name}", *found.span())
    for row, version in enumerate(context.document.versions):
        for column, value in version.cells:
            if found := _AMBIGUOUS.search(value):
                yield Hit(said, None, f"versions:{row}:{column}", *found.span())
    for piece, found in context.scan(_AMBIGUOUS):
        yield piece.match(said, found)
    fact_period = context.document.fact("review_period")
    period = months_of(fact_period.value) if fact_period else None
    if fact_period is None or period is None:
        return
    for place, months in stated_periods(context):
        if months != period:
            yield Hit(
                f"Here the policy is reviewed every {months} months, at the top every {period}. Say the same in both.",
                place.clause,
                place.part,
                place.start,
                place.end,
            )
    approved = parse(context.document.value("approved_on", "reviewed_on", "effective_on", "signed_on"))
    due = parse(context.document.value("next_review_on"))
    if approved and due:
        least = (due.first.year - approved.last.year) * 12 + due.first.month - approved.last.month
        most = (due.last.year - approved.first.year) * 12 + due.last.month - approved.first.month
        if not least - 1 <= period <= most + 1:
            yield Hit(
                f"From approval to the next review is not {period} months. Correct the period or a date.",
                None,
                "header:review_period",
                0,
                len(fact_period.value),
            )


@rule("L06", "Dates of title, foot of page and approval disagree", Severity.WARNING, local=False)
def title_and_footer(context: Context) -> Iterator[Hit]:
    document = context.document
    named = parse(document.title) if any(True for _ in dates_in(document.title)) else None
    at_top = named or parse(document.value("approved_on", "effective_on", "signed_on", "dated"))
    if at_top is None:
        return
    for index, start, end in context.furniture:
        foot = context.clauses[index].text[start:end]
        for found in dates_in(foot.replace("/", " ")):
            if "eview" in foot[max(0, found.start - 14) : found.start]:
                continue
            if not found.agrees(at_top):
                yield Hit(
                    f"The foot of the page says {_shown(found)}, the top {_shown(at_top)}. Keep one date.",
                    index,
                    "text",
                    start + found.start,
                    start + found.end,
                )


_DOUBTS = {
    "year": "Only a year is given. Write the whole date, for example 14 October 2026.",
    "digits": "The year has two digits. Write the whole date, for example 14 October 2026.",
    "order": "Day and month can be mistaken for each other. Write the month as a word.",
}


@rule("L07", "Unclear date", Severity.WARNING)
def unclear_date(context: Context) -> Iterator[Hit]:
    for fact in context.document.header:
        if fact.name.split("_2")[0] in _HEADER_DATES and (found := parse(fact.value)) and found.doubt:
            yield Hit(_DOUBTS[found.doubt], None, f"header:{fact.name}", found.start, found.end)
    if context.document.source is Source.IMPORT:
        for row, version in enumerate(context.document.versions):
            for column, value in version.cells:
                when = parse(value) if column == "date" else None
                if when and when.doubt:
                    yield Hit(_DOUBTS[when.doubt], None, f"versions:{row}:{column}", when.start, when.end)
    for piece in context.texts:
        if not _NUMERIC.search(piece.text):
            continue
        for match in DATE.finditer(piece.text):
            # With dots it may be the number of a clause; only words before it make it a date.
            if not match["d"] or (
                match["sep"] != "/"
                and not _DATED.search(piece.text[max(0, match.start() - 24) : match.start()])
            ):
                continue
            for found_date in dates_in(match[0]):
                if found_date.doubt:
                    yield piece.hit(_DOUBTS[found_date.doubt], *match.span())


_NUMERIC = re.compile(r"\d[./-]\d{1,2}[./-]\d\d")
_DATED = re.compile(r"\b(?:on|dated?|from|by|until|since|of|due|effective)\s*:?\s*$", re.IGNORECASE)
