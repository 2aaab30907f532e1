"""Whether the portal is well: the parts by name, without counts. Processes say that they live with `beat`."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from trustportal.db import db
from trustportal.jobs import QUEUES
from trustportal.kernel_models import Heartbeat
from trustportal.times import now

PARTS = ("database", "queue server", "workers", "outbox")
#: A process that has not beaten for so long counts as away.
SILENCE = timedelta(seconds=75)
#: The oldest undone outbox row may be so old.
BACKLOG = timedelta(minutes=5)


def beat(name: str) -> None:
    """Say that a process lives."""
    statement = insert(Heartbeat).values(name=name, at=now())
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"at": statement.excluded.at})
    )
    db.session.commit()


def check(redis_url: str) -> dict[str, bool]:
    """Each part, and whether it is well."""
    well = dict.fromkeys(PARTS, False)
    try:
        beats = {row.name: row.at for row in db.session.scalars(select(Heartbeat))}
        well["database"] = True
        limit = now() - SILENCE
        well["workers"] = all(
            name in beats and beats[name] > limit
            for name in ("clock", *(f"worker {queue}" for queue in QUEUES))
        )
        oldest = db.session.execute(
            text("SELECT outbox_oldest()"),
            execution_options={
                "unscoped_because": "one instant over all trusts, from a security-definer function"
            },
        ).scalar()
        well["outbox"] = oldest is None or oldest > now() - BACKLOG
    except SQLAlchemyError:
        db.session.rollback()
    try:
        well["queue server"] = bool(Redis.from_url(redis_url, socket_timeout=2).ping())
    except (RedisError, ValueError):
        well["queue server"] = False
    return well
