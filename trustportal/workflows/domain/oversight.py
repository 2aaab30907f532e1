"""Figures without content: how many cases a term saw and whether they went in time, so that nobody can be worked out.

What is published depends on numbers of five and more only: two terms that differ in smaller ones look the same. There
is no sum beside a hidden number, so that no difference gives it away. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

#: The smallest number that is shown.
LEAST = 5
#: The key under which everything together stands.
ALL = ""
IN_TIME_WORDS: Mapping[str, str] = {
    "nearly_all": "nearly all (nine of ten or more)",
    "most": "most",
    "half": "about half",
    "few": "fewer than half",
}


@dataclass(frozen=True, slots=True)
class Term:
    """A school term, both days included."""

    key: str
    name: str
    from_on: date
    to_on: date


def term_of(day: date) -> Term:
    """The term that a day lies in: September to December, January to March, April to August."""
    year = day.year
    if day.month >= 9:
        return Term(f"{year}-3", f"Autumn term {year}", date(year, 9, 1), date(year, 12, 31))
    if day.month >= 4:
        return Term(f"{year}-2", f"Summer term {year}", date(year, 4, 1), date(year, 8, 31))
    return Term(f"{year}-1", f"Spring term {year}", date(year, 1, 1), date(year, 3, 31))


def ended_terms(today: date, count: int) -> tuple[Term, ...]:
    """The last terms that are over, newest first."""
    found: list[Term] = []
    first = term_of(today).from_on
    for _ in range(count):
        term = term_of(date.fromordinal(first.toordinal() - 1))
        found.append(term)
        first = term.from_on
    return tuple(found)


def term_named(key: str) -> Term:
    """A term by its key."""
    year, _, part = key.partition("-")
    return term_of(date(int(year), {"1": 1, "2": 4, "3": 9}[part], 1))


@dataclass(frozen=True, slots=True)
class Told:
    """One case, as figures see it. `steps`: of each step that was due in the term, whether it was taken in time."""

    workflow: str
    began: bool
    ended: bool
    steps: tuple[bool, ...] = ()
    subjects: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Figure:
    """What is published of one workflow; None: hidden."""

    workflow: str
    began: int | None
    ended: int | None
    in_time: str | None


def figures(cases: Iterable[Told], workflows: Sequence[str], viewer: UUID) -> tuple[Figure, ...]:
    """The figures of a term for one person: cases about them are left out. The last one is everything together."""
    counted = [one for one in cases if viewer not in one.subjects]
    found = [_figure(key, [one for one in counted if one.workflow == key]) for key in workflows]
    whole = _figure(ALL, counted)
    return (
        *found,
        Figure(
            ALL,
            None if any(one.began is None for one in found) else whole.began,
            None if any(one.ended is None for one in found) else whole.ended,
            None if any(one.in_time is None for one in found) else whole.in_time,
        ),
    )


def _figure(key: str, cases: Sequence[Told]) -> Figure:
    with_steps = [one for one in cases if one.steps]
    return Figure(
        key,
        _shown(sum(one.began for one in cases)),
        _shown(sum(one.ended for one in cases)),
        _band([step for one in with_steps for step in one.steps]) if len(with_steps) >= LEAST else None,
    )


def _shown(count: int) -> int | None:
    return count if count >= LEAST else None


def _band(steps: Sequence[bool]) -> str:
    """How much was in time, in words: an exact share would give the numbers away."""
    share = sum(steps) / len(steps)
    if share >= 0.9:
        return "nearly_all"
    if share >= 0.6:
        return "most"
    return "half" if share >= 0.4 else "few"
