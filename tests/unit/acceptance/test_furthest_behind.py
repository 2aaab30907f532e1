"""Which places of a campaign are shown first."""

from __future__ import annotations

from uuid import uuid4

from trustportal.acceptance.queries.overview import PlaceShown, furthest_behind
from trustportal.acceptance.queries.progress import Tally


def place(name: str, asked: int, signed: int, late: int = 0) -> PlaceShown:
    return PlaceShown(uuid4(), name.lower(), name, name, Tally(asked, signed, late))


def test_the_smallest_part_first_then_more_late_then_by_name() -> None:
    done, half, more_late = place("Ash", 4, 4), place("Birch", 200, 100, 2), place("Cedar", 2, 1, 9)
    nearly, none = place("Dogwood", 1000, 999), place("Elm", 3, 0)
    same = place("Alder", 200, 100, 2)
    shown = furthest_behind([done, half, more_late, nearly, none, same])
    assert [one.name for one in shown] == ["Elm", "Cedar", "Alder", "Birch", "Dogwood", "Ash"]
