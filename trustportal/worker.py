"""The RQ worker: `python -m trustportal.worker QUEUE`. One queue per process: a worker on several can lose a job."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import time
from importlib import import_module
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from trustportal.app import create_app
from trustportal.db import db
from trustportal.health import beat
from trustportal.jobs import QUEUES, OurJob, queue
from trustportal.pdf import warm
from trustportal.times import today
from trustportal.workflows.domain import days, reading

log = logging.getLogger(__name__)


class PortalWorker(Worker):
    """RQ's worker with our allow-listed jobs, whose work-horse makes database connections of its own."""

    asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        PortalWorker.asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        # Sockets that the parent opened must not be shared with it: forget them without closing them.
        db.engine.dispose(close=False)
        super().main_work_horse(job, queue)


#: Loaded late elsewhere, since most processes never want it; what writes workbooks, Word, and reads what is brought.
_OF_DOCUMENTS = (
    "trustportal.acceptance.excel",
    "trustportal.policies.importing.pages.reading",
    "trustportal.policies.importing.word.reading",
)


def make_ready(name: str) -> None:
    """Load and read what the jobs of a queue want, before the first fork, so that not every job has to."""
    if name == "default":
        days.bank_holidays(today().year)
        reading.shipped()
    if name == "documents":
        warm()
        for module in _OF_DOCUMENTS:
            import_module(module)
    # All this stays: a job that looked through it for garbage would have its own copy made of the memory.
    gc.freeze()


def main(name: str) -> None:
    """Work on one queue until told to stop; wait for the queue server when it is away."""
    if name not in QUEUES:
        raise SystemExit(f"no such queue: {name}; the queues are {', '.join(QUEUES)}")
    app = create_app(role="worker")
    make_ready(name)
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    with app.app_context():
        while not stopping:
            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
            try:
                connection = Redis.from_url(app.config["PORTAL"].redis_url)
                connection.ping()
                beat(f"worker {name}")
                db.session.remove()
                worker = PortalWorker(
                    [queue(connection, name)],
                    connection=connection,
                    serializer=JSONSerializer,
                    job_class=OurJob,
                    maintenance_interval=30,
                    worker_ttl=60,
                )
                # Return now and then, to say that this worker lives and to notice a queue server that came back empty.
                worker.work(max_idle_time=10, logging_level="WARNING")
                stopping = PortalWorker.asked_to_stop
            except (RedisError, OSError) as error:
                log.warning("queue server away (%s): trying again", type(error).__name__)
                time.sleep(1)
            except SQLAlchemyError as error:
                log.warning("database away (%s): trying again", type(error).__name__)
                db.session.remove()
                time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
