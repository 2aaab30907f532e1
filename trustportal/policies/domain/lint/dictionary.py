"""The dictionary of law, guidance, bodies, platforms and suppliers as the rules ask it. The records are data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import islice

from trustportal.policies.domain.lint.model import Severity

__all__ = ["ActTitle", "Dictionary", "Mention", "Record", "RecordKind", "RecordState", "acts_in"]


class RecordKind(StrEnum):
    """What a record is about; it decides which rule speaks of it."""

    ACT = "act"
    REGULATION = "regulation"
    GUIDANCE = "guidance"
    BODY = "body"
    PLATFORM = "platform"
    SUPPLIER = "supplier"


#: A platform or product that is gone asks nobody to review a policy at once.
REVIEWED = frozenset({RecordKind.ACT, RecordKind.REGULATION, RecordKind.GUIDANCE, RecordKind.BODY})


class RecordState(StrEnum):
    """How a record stands on a day."""

    COMING = "coming"
    CURRENT = "current"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Record:
    """One entry. `begins` is its first day, `until` the first day on which it holds no longer (None: open)."""

    id: str
    kind: RecordKind
    name: str
    begins: date | None = None
    until: date | None = None
    replaced_by: str = ""
    #: What is put in the message after the dates: how to put it right.
    note: str = ""
    #: Statute, statutory guidance, guidance, the body's own site, sector knowledge.
    source: str = ""
    #: For an Act: its title without the year, and its year.
    title: str = ""
    year: int = 0
    #: Patterns that mention it, each with a literal in small letters that every match holds.
    matches: tuple[tuple[str, re.Pattern[str]], ...] = ()
    #: How heavy it is to name it once it is superseded; None: as the rule says.
    severity: Severity | None = None
    #: Naming it is wrong at all times: a name that never was right ("misnamed"), or an edition by year ("rolling").
    fault: str = ""
    #: Where this stands anywhere in the policy, naming the record is fine.
    unless: re.Pattern[str] | None = None

    def state(self, on: date) -> RecordState:
        if self.until is not None and self.until <= on:
            return RecordState.SUPERSEDED
        return RecordState.COMING if self.begins is not None and self.begins > on else RecordState.CURRENT


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text names a record."""

    record: Record
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ActTitle:
    """An Act as a text names it: its title, the years given ((), when none is), and where."""

    title: str
    years: tuple[int, ...]
    start: int
    end: int


_WORD = r"(?:[A-Z][\w'’&-]{0,30}|\([A-Z][\w \t'’-]{0,40}\))"
_JOIN = r"(?:of|and|to|from|the|for|in)"
_ACT = re.compile(
    rf"\b(?P<title>{_WORD}(?:,?[ \t\n]{{1,2}}(?:{_WORD}|{_JOIN})){{0,9}})[ \t\n]{{1,2}}Acts?\b"
    r"(?P<years>[ \t\n]{1,2}\(?(?:1[6-9]|20)\d\d\b(?:(?:,[ \t]|[ \t](?:and|&)[ \t])(?:1[6-9]|20)\d\d\b){0,4})?"
)
_LEADS = re.compile(r"^(?:.*\b(?:the|The)\s+)(?=[A-Z])", re.DOTALL)
_OPENING = re.compile(r"^(?:The|Under|See|And|Of|This|That|An?|In|By|To|For|Section|Part|Schedule)\s+")


def acts_in(text: str, known: frozenset[str] = frozenset()) -> Iterator[ActTitle]:
    """The Acts that a text names. `known` titles, in small letters, say where a title begins."""
    if "Act" not in text:
        return
    for found in _ACT.finditer(text):
        title, start = found["title"], found.start("title")
        whole = " ".join(title.split())
        words = whole.split(" ")
        begin = next((i for i in range(len(words)) if " ".join(words[i:]).casefold() in known), None)
        if begin is None:
            begin = len(words) - len(_OPENING.sub("", _LEADS.sub("", whole)).split())
        short = " ".join(words[begin:])
        if not short or short.split(" ")[-1].casefold() in {"the", "this", "that", "an", "a"}:
            continue
        start += next(islice(re.finditer(r"\S+", title), begin, None)).start()
        years = tuple(int(year) for year in re.findall(r"\d{4}", found["years"] or ""))
        yield ActTitle(short, years, start, found.end())


@dataclass(frozen=True)
class Dictionary:
    """All records, ready to be looked up in texts."""

    records: tuple[Record, ...]
    #: Hosts under .gov.uk that belong to no council.
    national_hosts: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def by_id(self) -> dict[str, Record]:
        return {record.id: record for record in self.records}

    @cached_property
    def titles(self) -> dict[str, tuple[Record, ...]]:
        """Title of an Act in small letters -> its records, one for each year."""
        found: dict[str, list[Record]] = {}
        for record in self.records:
            if record.title:
                found.setdefault(record.title.casefold(), []).append(record)
        return {title: tuple(records) for title, records in found.items()}

    @cached_property
    def known_titles(self) -> frozenset[str]:
        return frozenset(self.titles)

    @cached_property
    def _matched(self) -> tuple[tuple[str, re.Pattern[str], Record], ...]:
        return tuple(
            (needle, pattern, record) for record in self.records for needle, pattern in record.matches
        )

    def among(self, lowered: str) -> tuple[tuple[str, re.Pattern[str], Record], ...]:
        """What may be named somewhere in words in small letters."""
        return tuple(one for one in self._matched if one[0] in lowered)

    def mentions(
        self, text: str, among: tuple[tuple[str, re.Pattern[str], Record], ...] | None = None
    ) -> Iterator[Mention]:
        """Every place where a text names a record, superseded or not. Acts are found by title and year.

        With `among` only what it holds is looked for, and no Act by its title: see `named_by`.
        """
        lowered = text.lower()
        for needle, pattern, record in self._matched if among is None else among:
            if needle in lowered:
                for found in pattern.finditer(text):
                    yield Mention(record, *found.span())
        if among is None:
            for act in acts_in(text, self.known_titles):
                yield from self.named_by(act)

    def named_by(self, act: ActTitle) -> Iterator[Mention]:
        """The records of an Act that a text names."""
        for record in self.titles.get(act.title.casefold(), ()):
            if record.year in act.years:
                yield Mention(record, act.start, act.end)

    def needles(self, record: Record) -> tuple[str, ...]:
        """Literals in small letters of which every text that names the record holds one: to search a database with."""
        literals = {needle for needle, _ in record.matches}
        if record.title:
            literals.add(record.title.casefold().split("(")[0].strip())
        return tuple(sorted(literals))

    def citing(self, record: Record, text: str) -> Mention | None:
        """The first place where a text names the record."""
        lowered = text.lower()
        if not any(needle in lowered for needle in self.needles(record)):
            return None
        return next((one for one in self.mentions(text) if one.record.id == record.id), None)

    def superseded(self, on: date) -> tuple[Record, ...]:
        """What holds no longer on a day, whole, of the kinds for which a policy has to be reviewed."""
        return tuple(
            record
            for record in self.records
            if record.kind in REVIEWED and not record.fault and record.state(on) is RecordState.SUPERSEDED
        )


def phrase(words: str) -> tuple[str, re.Pattern[str]]:
    """A literal phrase as a match: its longest word part in small letters, and a pattern that allows line breaks."""
    pattern = r"\s+".join(re.escape(part) for part in words.split())
    head = r"(?<!\w)" if words[:1].isalnum() else ""
    tail = r"(?!\w)" if words[-1:].isalnum() else ""
    needle = max(words.split(), key=len).lower()
    return needle, re.compile(head + pattern + tail)


def compiled(patterns: Iterable[tuple[str, str]]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """(literal, pattern) pairs as written in the data file, compiled."""
    return tuple((needle.lower(), re.compile(pattern)) for needle, pattern in patterns)
