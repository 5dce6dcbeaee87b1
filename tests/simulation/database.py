"""The seam to Postgres: the product's `Database` with a gate before every transaction, and locks
that are waited for in simulated time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg_pool import ConnectionPool

from resources.catalogue.connection import STATEMENT_SECONDS, BoundedConnection
from resources.catalogue.database import Connection, Database
from tests.simulation.clock import Clock
from tests.simulation.faults import Gate

_HAS_WRITTEN: LiteralString = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS has_written"
_LOCK: LiteralString = "SELECT pg_advisory_lock"


class _OneConnection:
    """A pool of one: nobody pauses within a transaction, so none needs another."""

    def __init__(self, url: str) -> None:
        self._connection: Connection = BoundedConnection.connect(url, row_factory=dict_row)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._connection.transaction():
            yield self._connection

    def close(self) -> None:
        self._connection.close()


class _LockConnection:
    """A connection of an actor's own. What it waits for, it asks for again at each turn."""

    def __init__(self, real: psycopg.Connection, gate: Gate, clock: Clock) -> None:
        self.real = real
        self.is_lost = False
        self.autocommit = True
        self.statement_seconds = STATEMENT_SECONDS
        self._gate = gate
        self._clock = clock
        self._patience = 0.0

    def execute(self, query: Any, parameters: Any = None) -> Any:
        if self.is_lost:
            raise psycopg.OperationalError("the connection was lost")
        text = str(query)
        if text.startswith("SET lock_timeout"):
            self._patience = float(text.split("'")[1].removesuffix("s"))
            return None
        if not text.startswith(_LOCK):
            return self.real.execute(query, parameters)
        since = self._clock.time()
        while True:
            with self._gate.passing("database", "a lock", writes=False):
                if self.is_lost:
                    raise psycopg.OperationalError("the connection was lost")
                try:
                    return self.real.execute(query, parameters)
                except psycopg.errors.LockNotAvailable:
                    if self._clock.time() - since > self._patience:
                        raise

    def cursor(self, **options: Any) -> Any:
        return self.real.cursor(**options)


class SimulatedDatabase(Database):
    def __init__(self, url: str, gate: Gate, clock: Clock) -> None:
        self._url = url
        self._statement_seconds = STATEMENT_SECONDS
        self._gate = gate
        self._clock = clock
        self.pool = cast(ConnectionPool[Connection], _OneConnection(url))
        self._idle: list[psycopg.Connection] = []
        self.locks: dict[str, _LockConnection] = {}
        """By the name of the actor that has one."""

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        super().close()

    @contextmanager
    def transaction(self, within: float | None = None) -> Iterator[Connection]:
        with (
            self._gate.passing("database", "a transaction") as call,
            super().transaction(within) as connection,
        ):
            yield connection
            # A transaction that only reads has no number.
            (row,) = connection.execute(_HAS_WRITTEN).fetchall()
            call.writes = row["has_written"]

    @contextmanager
    def own_connection(self, within: float | None = None) -> Iterator[BoundedConnection[TupleRow]]:
        real = self._idle.pop() if self._idle else self._connect()
        connection = _LockConnection(real, self._gate, self._clock)
        connection.statement_seconds = within or STATEMENT_SECONDS
        actor = self._gate.schedule.current
        name = actor.name if actor is not None else ""
        self.locks[name] = connection
        try:
            yield cast(BoundedConnection[TupleRow], connection)
        finally:
            # As the server does when a connection ends, however its process ended.
            real.execute("SELECT pg_advisory_unlock_all()")
            self.locks.pop(name, None)
            self._idle.append(real)

    def lose_lock(self, actor: str) -> None:
        """As after a restart of the server: it knows nothing of the lock any more."""
        connection = self.locks[actor]
        connection.is_lost = True
        connection.real.execute("SELECT pg_advisory_unlock_all()")

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._url, autocommit=True)
        connection.execute("SET lock_timeout = '1ms'")
        return connection
