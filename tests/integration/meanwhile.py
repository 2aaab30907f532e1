"""Somebody else who waits for what the test holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg

from tests.integration.moments import database_name
from trustportal.servers import Servers

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def meanwhile(servers: Servers, work: Callable[[], object]) -> Iterator[None]:
    """Let `work` begin in a thread and come to a lock that is held here. The block gives the lock back; after it, the
    work is done.
    """
    failed: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as fault:
            failed.append(fault)

    other = Thread(target=run)
    other.start()
    with psycopg.connect(servers.superuser_url(database_name()), autocommit=True) as looking:
        while other.is_alive() and looking.execute(_WAITING).fetchone() is None:
            other.join(0.02)
    assert other.is_alive(), f"it did not have to wait: {failed}"
    yield
    other.join()
    assert failed == []
