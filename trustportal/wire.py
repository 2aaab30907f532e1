"""How the portal talks to PostgreSQL: statements stay prepared, and a transaction begins and ends without round trips
of its own.

What a transaction begins with (BEGIN, and the settings that row-level security reads) goes with its first statement;
what it ends with (the link of the audit chain) goes with COMMIT. So the head of a chain is locked for the time of one
message, however far away the database is. The order in which PostgreSQL does it all stays the same, and when one part
fails, nothing after it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Engine, event

Said = tuple[str, Mapping[str, Any]]


class Wire(psycopg.Connection[Any]):
    """A connection that holds back what it can say together with something else.

    psycopg forgets its prepared statements with every ROLLBACK, in case a table was made and unmade. Requests end in
    one, and our roles can neither make nor drop a table: planning each statement anew was half of a page's time.
    """

    _first: Said | None = None
    _last: list[Said]

    def begin_with(self, query: str, values: Mapping[str, Any]) -> None:
        """Say this before the next statement. A later call takes the place of one that was not said yet."""
        self._first = (query, values)

    def end_with(self, query: str, values: Mapping[str, Any]) -> None:
        """Say this with COMMIT. What it answers is not looked at; a fault in it is a fault of the commit."""
        self._last.append((query, values))

    @property
    def holds_back(self) -> bool:
        """Whether something is left to be said with COMMIT."""
        return bool(self._last)

    def take_first(self) -> Said | None:
        """What is to be said before a statement; from now on it counts as said."""
        first, self._first = self._first, None
        return first

    def commit(self) -> None:
        """Say what was left for the end, and commit."""
        last, self._last = self._last, []
        if not last:
            # Settings that no statement followed hold for no transaction.
            self._first = None
            super().commit()
            return
        with self.pipeline():
            for query, values in last:
                self.cursor().execute(query, values)
            super().commit()

    def rollback(self) -> None:
        """Undo the transaction, and forget what was not said."""
        self._first, self._last = None, []
        if self.pgconn.transaction_status not in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
            super().rollback()
            return
        with self.lock:
            result = self.pgconn.exec_(b"ROLLBACK")
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(self.pgconn.get_error_message())


class _Cursor(psycopg.Cursor[Any]):
    """Says first what its connection is to begin with."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> _Cursor:
        first = self._wire().take_first()
        if first is None:
            return super().execute(query, params, **options)
        with self.connection.pipeline():
            psycopg.Cursor(self.connection).execute(*first)
            super().execute(query, params, **options)
        return self

    def _begin(self) -> None:
        first = self._wire().take_first()
        if first is not None:
            psycopg.Cursor(self.connection).execute(*first)

    def executemany(self, *arguments: Any, **options: Any) -> None:
        self._begin()
        super().executemany(*arguments, **options)

    def stream(self, *arguments: Any, **options: Any) -> Any:
        self._begin()
        return super().stream(*arguments, **options)

    def copy(self, *arguments: Any, **options: Any) -> Any:
        self._begin()
        return super().copy(*arguments, **options)

    def _wire(self) -> Wire:
        connection = self.connection
        assert isinstance(connection, Wire)
        return connection


def use_wires(engine: Engine) -> None:
    """Let an engine's connections be such wires. For roles that own nothing."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> Any:
        connection = Wire.connect(*arguments, **{**named, "cursor_factory": _Cursor})
        connection._last = []
        # Pages ask small questions, many at once: a parallel plan costs more to start than it saves, and a hash of
        # twenty thousand people should not go to the disk.
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.execute("SET work_mem = '16MB'")
        connection.commit()
        return connection
