"""Recurring work: one run for each slot, whoever keeps the time, and whichever way the clocks change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from tests.integration.kernel.conftest import Connection
from tests.world import World
from trustportal.clock import CATCH_UP_DAYS, SCHEDULE, Recurring, daily, run_schedule, weekdays
from trustportal.jobs import Event
from trustportal.times import LONDON, midnight, now, today

DAY = Recurring("day", Event.DAY_BEGAN, daily(0))
WORKDAY = Recurring("workday", Event.REMINDERS_DUE, weekdays(8), catches_up=False)
FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)
assert FORWARD.weekday() == BACK.weekday() == 6


def at(text: str) -> datetime:
    """An instant by the English clock."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def run(world: World, instant: datetime, *schedule: Recurring) -> int:
    with world.worker_app.app_context():
        return run_schedule(instant, schedule or (DAY, WORKDAY))


def runs(superuser: Connection, name: str = "day") -> list[str]:
    return [
        str(row[0])
        for row in superuser.execute(
            "SELECT slot FROM schedule_run WHERE name = %s ORDER BY trust_id, slot", [name]
        ).fetchall()
    ]


# -- which slot an instant falls into ----------------------------------------------------------------------------


@pytest.mark.parametrize("change", [FORWARD, BACK])
@pytest.mark.parametrize("hour", [0, 1, 2, 8])
def test_a_daily_slot_begins_at_its_hour_and_comes_once_a_day(change: date, hour: int) -> None:
    slot = daily(hour)
    instant, end = midnight(change - timedelta(days=1)), midnight(change + timedelta(days=2))
    first: dict[str, datetime] = {}
    last = ""
    while instant < end:
        found = slot(instant)
        if found is not None:
            first.setdefault(found, instant)
            assert found >= last, "slots never go back"
            last = found
        instant += timedelta(minutes=5)
    assert list(first) == [(change + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]
    for day, began in first.items():
        local = began.astimezone(LONDON)
        gap = (
            change == FORWARD and hour == 1 and day == change.isoformat()
        )  # 01:00 does not exist on that day
        assert (local.date().isoformat(), local.hour, local.minute) == (day, 2 if gap else hour, 0)


@pytest.mark.parametrize(
    ("change", "before", "after"), [(FORWARD, "08:00", "07:00"), (BACK, "07:00", "08:00")]
)
def test_weekdays_are_monday_to_friday_from_their_hour_in_england(
    change: date, before: str, after: str
) -> None:
    slot = weekdays(8)
    friday, monday = change - timedelta(days=2), change + timedelta(days=1)
    instant, found = midnight(friday), dict[str, str]()
    while instant < midnight(monday + timedelta(days=1)):
        named = slot(instant)
        if named is not None:
            found.setdefault(named, f"{instant:%H:%M}")
        instant += timedelta(minutes=5)
    assert found == {friday.isoformat(): before, monday.isoformat(): after}


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-28T23:59:59+00:00", "2026-03-28"),
        ("2026-03-29T00:59:59+00:00", "2026-03-29"),
        ("2026-06-30T23:00:00+00:00", "2026-07-01"),
        ("2026-10-24T23:00:00+00:00", "2026-10-25"),
        ("2026-10-25T22:59:59+00:00", "2026-10-25"),
        ("2026-12-31T23:59:59+00:00", "2026-12-31"),
    ],
)
def test_a_day_begins_at_midnight_in_england(instant: str, day: str) -> None:
    with time_machine.travel(datetime.fromisoformat(instant), tick=False):
        assert today().isoformat() == day
        assert daily(0)(now()) == day


# -- running them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [FORWARD, BACK])
def test_over_a_change_of_the_clocks_every_slot_runs_once(
    world: World, superuser: Connection, change: date
) -> None:
    instant, announced = midnight(change - timedelta(days=2)), 0
    while instant < midnight(change + timedelta(days=2)):
        announced += run(world, instant)
        announced += run(world, instant)
        instant += timedelta(minutes=30)
    assert runs(superuser) == [(change + timedelta(days=days)).isoformat() for days in (-2, -1, 0, 1)]
    assert runs(superuser, "workday") == [(change + timedelta(days=days)).isoformat() for days in (-2, 1)]
    assert announced == 6


def test_two_clocks_run_a_slot_once_for_each_trust(
    world: World, other_world: World, superuser: Connection
) -> None:
    begin, announced = threading.Barrier(4), list[int]()

    def clock() -> None:
        begin.wait()
        announced.append(run(world, at("2026-07-01T08:30")))

    threads = [threading.Thread(target=clock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(announced) == 4, "two slots for two trusts"
    assert runs(superuser) == ["2026-07-01"] * 2
    heard = superuser.execute(
        "SELECT count(*), count(DISTINCT (trust_id, job)) FROM outbox WHERE event = 'day.began'"
    ).fetchall()
    assert heard[0][0] == heard[0][1] > 2


def test_a_slot_that_was_missed_runs_when_the_clock_is_back(world: World, superuser: Connection) -> None:
    run(world, at("2026-07-01T00:00"))
    assert run(world, at("2026-07-01T23:59")) == 1, "the workday of today, late"
    assert run(world, at("2026-07-05T12:00")) == 4
    assert runs(superuser) == [f"2026-07-0{day}" for day in range(1, 6)]
    assert runs(superuser, "workday") == ["2026-07-01"], "yesterday's reminders are not sent today"
    assert run(world, at("2026-07-05T12:01")) == 0


def test_slots_are_caught_up_for_a_week_at_most(world: World, superuser: Connection) -> None:
    run(world, at("2026-03-01T12:00"))
    assert run(world, at("2026-04-02T12:00"), DAY) == CATCH_UP_DAYS + 1
    assert runs(superuser)[1:] == [
        (date(2026, 4, 2) - timedelta(days=ago)).isoformat() for ago in range(CATCH_UP_DAYS, -1, -1)
    ]


def test_a_new_trust_catches_nothing_up(
    world: World, superuser: Connection, request: pytest.FixtureRequest
) -> None:
    run(world, at("2026-07-01T12:00"), DAY)
    newcomer: World = request.getfixturevalue("other_world")
    assert run(world, at("2026-07-03T12:00"), DAY) == 2 + 1
    found = superuser.execute(
        "SELECT slot FROM schedule_run WHERE trust_id = %s", [newcomer.trust_id]
    ).fetchall()
    assert found == [("2026-07-03",)]


def test_what_a_slot_announces_is_written_with_it(
    world: World, superuser: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(instant: datetime) -> Callable[[], None]:
        raise OSError("the database went away")

    broken = Recurring("day", Event.DAY_BEGAN, daily(0))
    with world.worker_app.app_context(), monkeypatch.context() as patched:
        patched.setattr("trustportal.db._announcers", [breaks])
        with pytest.raises(OSError, match="went away"):
            run_schedule(at("2026-07-01T12:00"), (broken,))
    assert runs(superuser) == []
    assert run(world, at("2026-07-01T12:00"), broken) == 1


def test_the_portals_own_schedule(world: World) -> None:
    assert {recurring.name for recurring in SCHEDULE} == {"day", "anchors", "deadlines", "reminders"}
    summer = at("2026-07-01T00:00")
    assert [recurring.name for recurring in SCHEDULE if recurring.due(summer, None)] == ["day"]
    assert [
        recurring.name for recurring in SCHEDULE if recurring.due(summer - timedelta(seconds=1), "2026-06-30")
    ] == []
