"""The relay and recurring work, in one process: `python -m trustportal.clock`. Two of them do no harm.

Recurring work is data: a name, when it is due, and the event that it announces for each trust. A slot runs once:
`schedule_run` is unique. A slot that was missed (the process was away) is run when it comes back.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.health import beat
from trustportal.jobs import Event, relay
from trustportal.kernel_models import ScheduleRun
from trustportal.times import LONDON, day_of, midnight, now

log = logging.getLogger(__name__)

#: How many days back a slot that was missed is still run.
CATCH_UP_DAYS = 7


@dataclass(frozen=True, slots=True)
class Recurring:
    """Work that comes round: `slot(instant)` names the slot that an instant in England falls into, or None."""

    name: str
    event: Event
    slot: Callable[[datetime], str | None]
    #: Whether days that were missed are run afterwards, each for itself.
    catches_up: bool = True

    def due(self, at: datetime, last: str | None) -> list[str]:
        """The slots that are due at an instant, when `last` was the last one that ran (None: none has yet).

        The present one, and before it those of the last week that were missed; slots' names sort by time.
        """
        days = range(CATCH_UP_DAYS, 0, -1) if self.catches_up and last is not None else ()
        today = day_of(at)
        instants = [midnight(today - timedelta(days=ago - 1)) - timedelta(seconds=1) for ago in days]
        found = dict.fromkeys(slot for instant in (*instants, at) if (slot := self.slot(instant)) is not None)
        return [slot for slot in found if last is None or slot > last]


def daily(hour: int) -> Callable[[datetime], str | None]:
    """One slot a day, due from an hour of the English clock on, whichever way the clocks change."""

    def slot(instant: datetime) -> str | None:
        local = instant.astimezone(LONDON)
        return local.date().isoformat() if local.hour >= hour else None

    return slot


def weekdays(hour: int) -> Callable[[datetime], str | None]:
    """As `daily`, from Monday to Friday."""
    every_day = daily(hour)

    def slot(instant: datetime) -> str | None:
        return every_day(instant) if instant.astimezone(LONDON).weekday() < 5 else None

    return slot


SCHEDULE: tuple[Recurring, ...] = (
    # Editions take effect at 00:00 in England.
    Recurring("day", Event.DAY_BEGAN, daily(0)),
    # Where the audit trails stand: one that was missed is made up for by the next.
    Recurring("anchors", Event.ANCHORS_DUE, daily(2), catches_up=False),
    # What is due in cases: a day that was missed is swept with the next.
    Recurring("deadlines", Event.DEADLINES_DUE, daily(7), catches_up=False),
    # Yesterday's reminders help nobody: today's remind of the same.
    Recurring("reminders", Event.REMINDERS_DUE, weekdays(8), catches_up=False),
)


def trust_ids() -> list[UUID]:
    """Every trust of the installation, for a loop of scopes."""
    found = db.session.execute(
        text("SELECT trust_ids()"),
        execution_options={"unscoped_because": "the clock serves all trusts; the function returns ids only"},
    ).scalars()
    ids = list(found)
    db.session.commit()
    return ids


def run_schedule(at: datetime, schedule: tuple[Recurring, ...] = SCHEDULE) -> int:
    """Announce every slot that is due and has not run. Returns how many were announced by this call."""
    announced = 0
    for trust_id in trust_ids():
        with scope(Scope.job(trust_id)):
            newest = select(ScheduleRun.name, func.max(ScheduleRun.slot).label("slot")).group_by(
                ScheduleRun.name
            )
            last = {row.name: row.slot for row in db.session.execute(newest)}
            db.session.rollback()
            for recurring in schedule:
                for slot in recurring.due(at, last.get(recurring.name)):
                    announced += _claim(trust_id, recurring, slot, at)
    return announced


def _claim(trust_id: UUID, recurring: Recurring, slot: str, at: datetime) -> bool:
    """Announce a slot in the trust of the scope, unless another clock did."""
    with unit_of_work() as uow:
        claimed = db.session.execute(
            insert(ScheduleRun)
            .values(trust_id=trust_id, name=recurring.name, slot=slot, run_at=at)
            .on_conflict_do_nothing()
            .returning(ScheduleRun.slot)
        ).scalar()
        if claimed is not None:
            uow.announce(recurring.event, slot=slot)
    return claimed is not None


def main() -> None:
    """Relay and keep the schedule until told to stop."""
    from trustportal.app import create_app

    app = create_app(role="worker")
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    connection = Redis.from_url(app.config["PORTAL"].redis_url, socket_timeout=5)
    next_schedule = next_beat = now()
    with app.app_context():
        while not stopping.is_set():
            try:
                rung = relay(connection)
                if now() >= next_schedule:
                    run_schedule(now())
                    next_schedule = now() + timedelta(seconds=20)
                if now() >= next_beat:
                    beat("clock")
                    next_beat = now() + timedelta(seconds=15)
                if not rung:
                    stopping.wait(0.25)
            except (RedisError, OSError) as error:
                log.warning("queue server away (%s): trying again", type(error).__name__)
                time.sleep(0.5)
            except SQLAlchemyError as error:
                log.warning("database away (%s): trying again", type(error).__name__)
                db.session.remove()
                time.sleep(1)
            finally:
                db.session.remove()


if __name__ == "__main__":
    main()
