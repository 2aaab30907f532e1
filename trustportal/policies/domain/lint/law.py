"""What the dictionary knows: law, guidance, bodies, platforms: L12 to L16, L35."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from trustportal.policies.domain.lint.dates import dates_in
from trustportal.policies.domain.lint.dictionary import Mention, Record, RecordKind, RecordState
from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.domain.lint.registry import Context, Hit, Piece, rule

#: Guidance and related policies that a text names with a date older than this are asked about.
AGES_AFTER_YEARS = 4


def _day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"


def _said(record: Record) -> str:
    """What is wrong with naming a record, and what to write instead."""
    if record.until is None or record.fault in ("misnamed", "rolling", "advice"):
        return record.note
    day, say = _day(record.until), record.replaced_by
    if record.fault == "partial":
        return f"{record.name} holds in part only since {day}. {record.note}"
    if record.kind is RecordKind.ACT:
        head = f"The {record.name} was repealed on {day}."
    elif record.kind is RecordKind.PLATFORM:
        return (
            f"{record.name} has been called {say} since {day}."
            if say
            else f"{record.name} closed on {day}. {record.note}"
        )
    elif record.kind is RecordKind.REGULATION:
        head = f"{record.name} has not applied here since {day}."
    elif record.kind is RecordKind.BODY:
        head = f"{record.name} was renamed, replaced or closed on {day}."
    else:
        head = f"{record.name} was replaced on {day}."
    return " ".join(filter(None, (head, f"Say {say}." if say else "", record.note)))


def _hits(context: Context, kinds: frozenset[RecordKind], *, faults: frozenset[str]) -> Iterator[Hit]:
    """One hit for each superseded (or always wrong) record of these kinds in each clause."""
    told: set[tuple[int, str]] = set()
    for piece, mention in sorted(context.mentions, key=lambda one: (one[0].clause, one[1].start)):
        record = mention.record
        if record.kind not in kinds or record.fault not in faults or (piece.clause, record.id) in told:
            continue
        if record.fault in ("", "partial") and record.state(context.today) is not RecordState.SUPERSEDED:
            continue
        if record.unless is not None and record.unless.search(context.whole):
            continue
        told.add((piece.clause, record.id))
        yield _hit(piece, mention)


def _hit(piece: Piece, mention: Mention) -> Hit:
    record = mention.record
    return piece.hit(_said(record), mention.start, mention.end, severity=record.severity, record=record.id)


_LAW = frozenset({RecordKind.ACT, RecordKind.REGULATION})


@rule("L12", "Superseded legislation", Severity.ERROR)
def superseded_law(context: Context) -> Iterator[Hit]:
    yield from _hits(context, _LAW, faults=frozenset({"", "partial", "advice"}))


@rule("L13", "Misnamed or misdated Act", Severity.ERROR)
def misnamed_act(context: Context) -> Iterator[Hit]:
    yield from _hits(context, _LAW, faults=frozenset({"misnamed"}))
    titles = context.dictionary.titles
    for piece, act in context.acts:
        known = titles.get(act.title.casefold())
        if known is None:
            continue
        right = sorted(record.year for record in known)
        for year in act.years:
            if year not in right:
                years = " or ".join(map(str, right))
                yield piece.hit(
                    " ".join(
                        filter(
                            None,
                            (
                                f"There is no {act.title} Act {year}. It is of {years}: correct the year.",
                                _said(known[-1]),
                            ),
                        )
                    ),
                    act.start,
                    act.end,
                    record=known[-1].id,
                )
                break


_ACT_OF_OURS = re.compile(r"^(?:[Tt]he|[Tt]his|[Tt]hat|Each|Any|An)$")


@rule("L14", "Act without its year", Severity.WARNING)
def act_without_year(context: Context) -> Iterator[Hit]:
    dated = {act.title.casefold() for _, act in context.acts if act.years}
    told: set[str] = set()
    for piece, act in context.acts:
        title = act.title.casefold()
        if act.years or title in dated or title in told or _ACT_OF_OURS.match(act.title):
            continue
        told.add(title)
        known = [
            str(record.year)
            for record in context.dictionary.titles.get(title, ())
            if record.begins and record.state(context.today) is RecordState.CURRENT
        ]
        year = f": {act.title} Act {' or '.join(known)}" if known else ""
        yield piece.hit(f"Give the year of this Act{year}.", act.start, act.end)


@rule("L15", "Body misnamed, renamed or closed", Severity.WARNING)
def stale_body(context: Context) -> Iterator[Hit]:
    yield from _hits(context, frozenset({RecordKind.BODY}), faults=frozenset({"", "misnamed"}))


_DATED_DOCUMENT = re.compile(
    r"\b(?P<name>(?:[Gg]uidance|[Gg]uidelines|[Pp]olicy|[Ss]trategy|[Pp]rocedures?|[Ff]ramework|"
    r"[Cc]ode of [Pp]ractice)\b"
    r"(?:[ \t]+(?:for|of|and|on|in|the|&|[–-]|[A-Z][\w'’-]{0,25}),?){0,10}[ \t]+)"
    r"(?P<date>\(?(?:19|20)\d\d\)?)(?!\s?[-–/]\s?\d)"
)


@rule("L16", "Guidance that is old, replaced, or named by its edition", Severity.WARNING)
def old_guidance(context: Context) -> Iterator[Hit]:
    told: set[tuple[int, int]] = set()
    spans: dict[int, list[tuple[int, int]]] = {}
    for hit in _hits(context, frozenset({RecordKind.GUIDANCE}), faults=frozenset({"", "rolling"})):
        assert hit.clause is not None
        spans.setdefault(hit.clause, []).append((hit.start, hit.end))
        yield hit
    feet: dict[int, list[tuple[int, int]]] = {}
    for index, start, end in context.furniture:
        feet.setdefault(index, []).append((start, end))
    oldest = context.today.year - AGES_AFTER_YEARS
    for piece, found in context.scan(_DATED_DOCUMENT, headings=False):
        if int(found["date"].strip("()")) > oldest or re.search(r"\bActs?\b", found["name"]):
            continue
        near = [*spans.get(piece.clause, ()), *feet.get(piece.clause, ())]
        if any(start - 120 <= found.start() <= end + 120 for start, end in near):
            continue  # the dictionary has said it, or it is the foot of a page
        place = (piece.clause, found.start("date"))
        if place in told:
            continue
        told.add(place)
        month = next(
            (one.start for one in dates_in(piece.text[: found.end("date")]) if one.end == found.end("date")),
            found.start("date"),
        )
        yield piece.hit(
            "This is several years old. Name the edition that holds now, or leave the date out.",
            month,
            found.end("date"),
        )


@rule("L35", "Platform renamed or closed", Severity.INFORMATION)
def stale_platform(context: Context) -> Iterator[Hit]:
    yield from _hits(context, frozenset({RecordKind.PLATFORM}), faults=frozenset({""}))
