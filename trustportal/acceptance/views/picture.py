"""A picture of how a campaign went: points of a line in an SVG, computed here, since pages carry no inline style."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trustportal.acceptance.queries.progress import Course

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 200, 44, 28, 10, 12


@dataclass(frozen=True, slots=True)
class Picture:
    """What the SVG draws. `line`: points "x,y x,y"; `due_x`: where the due day stands; labels in words."""

    line: str
    area: str
    due_x: float
    first: str
    last: str
    words: str
    wanted: int
    rows: tuple[tuple[date, int], ...]


def picture_of(course: Course, due_on: date) -> Picture | None:
    """The picture of a campaign's course; None on its first day, when there is no line to draw yet."""
    if course.days[-1][0] == course.days[0][0] or not course.wanted:
        return None
    first, last = course.days[0][0], max(course.days[-1][0], due_on)
    span = max(1, (last - first).days)

    def x(on: date) -> float:
        return round(LEFT + (on - first).days / span * (WIDTH - LEFT - RIGHT), 1)

    def y(count: int) -> float:
        return round(HEIGHT - BOTTOM - count / course.wanted * (HEIGHT - BOTTOM - TOP), 1)

    points: list[tuple[float, float]] = []
    before = 0
    for on, count in course.days:
        # Signatures stand as they are until the day of the next one: steps, not slopes.
        points += [(x(on), y(before)), (x(on), y(count))]
        before = count
    line = " ".join(f"{a},{b}" for a, b in points)
    floor = y(0)
    said = f"{course.days[-1][1]} of {course.wanted} signatures by {course.days[-1][0]:%d %B %Y}"
    return Picture(
        line,
        f"{points[0][0]},{floor} {line} {points[-1][0]},{floor}",
        x(due_on),
        f"{first.day} {first:%b}",
        f"{last.day} {last:%b}",
        said,
        course.wanted,
        tuple(course.days),
    )
