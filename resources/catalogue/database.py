"""Connections to the catalogue's Postgres, and locks that live as long as a connection."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg.rows import DictRow, TupleRow, dict_row, scalar_row
from psycopg_pool import ConnectionPool, PoolTimeout

from resources.catalogue.connection import (
    BOUNDED,
    STATEMENT_SECONDS,
    BoundedConnection,
    limit_statements,
)
from resources.errors import BackendError, MoodSearchError, UserError, first_line

DAGSTER_SCHEMA: Final = "moodsearch_dagster"
"""Dagster's own tables live in this schema of the catalogue's database."""

WAIT_SECONDS: Final = 3.0
"""How long a caller waits for a connection before the database counts as down."""

ANSWER_SECONDS: Final = 2.0
"""How long a statement may take that a listener waits for."""

Connection = BoundedConnection[DictRow]


class Database:
    """A small pool. Safe to use from threads.

    Every method raises `BackendError` when the server does not answer, or works on a statement for
    longer than `statement_seconds`, unless it is allowed another time.
    """

    def __init__(
        self,
        url: str,
        *,
        max_connections: int = 8,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        self._url = url
        self._statement_seconds = statement_seconds
        self.pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=0,
            max_size=max_connections,
            timeout=WAIT_SECONDS,
            # The delays between attempts double until this: with the default of 5 minutes, a server
            # that comes back after an outage would not be noticed for as long again.
            reconnect_timeout=5,
            connection_class=BoundedConnection[DictRow],
            kwargs={"row_factory": dict_row, **BOUNDED},
            configure=self._configure,
            check=ConnectionPool.check_connection,
            open=True,
        )
        # The pool reports each failed connection as a warning of its own; the error we raise says
        # it once.
        logging.getLogger("psycopg.pool").setLevel("ERROR")

    def close(self) -> None:
        self.pool.close()

    @contextmanager
    def transaction(self, within: float | None = None) -> Iterator[Connection]:
        """A connection in a transaction that commits at the end, or rolls back on an error.

        `within`: seconds that a statement may take here.
        """
        try:
            with self.pool.connection() as connection:
                connection.statement_seconds = within or self._statement_seconds
                if within is not None:
                    connection.execute(f"SET LOCAL statement_timeout = {round(1_000 * within)}")
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise database_error(error) from error

    def rows(
        self,
        query: LiteralString,
        parameters: dict[str, Any] | None = None,
        *,
        within: float | None = None,
    ) -> list[DictRow]:
        """All rows of a statement, in a transaction of its own. `within`: see `transaction`."""
        with self.transaction(within) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def column(self, query: LiteralString, parameters: dict[str, Any] | None = None) -> list[Any]:
        """The first column of all rows of a statement, in a transaction of its own."""
        with self.transaction() as connection, connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    @contextmanager
    def own_connection(self, within: float | None = None) -> Iterator[BoundedConnection[TupleRow]]:
        """An autocommit connection outside the pool, for locks that live as long as it does.
        `within`: see `transaction`."""
        seconds = within or self._statement_seconds
        try:
            with BoundedConnection.connect(self._url, autocommit=True, **BOUNDED) as connection:
                connection.statement_seconds = seconds
                limit_statements(connection, seconds)
                yield connection
        except psycopg.OperationalError as error:
            raise database_error(error) from error

    def _configure(self, connection: Connection) -> None:
        limit_statements(connection, self._statement_seconds)
        connection.commit()


class SessionLock:
    """The advisory lock `number`, held on a connection of its own: the server lets go of it however
    this process ends. A context manager; not for several threads.

    Raises `BackendError` when the server does not answer. `is_held` says whether nobody else had it
    on entering.
    """

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._number = number
        self._connection: psycopg.Connection | None = None
        self.is_held = False

    def __enter__(self) -> Self:
        try:
            self._take()
        except psycopg.OperationalError as error:
            raise database_error(error) from error
        return self

    def __exit__(self, *_error: object) -> None:
        if self._connection is not None:
            # Closing alone would let go of it a moment after this.
            with suppress(psycopg.OperationalError):
                self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._drop()

    def keep(self) -> None:
        """Take the lock again if the connection was lost, as by a restart of the server.

        Never fails: a server that is down, or that still counts our lost connection as alive, is
        asked again at the next call. Sends nothing while the connection lives.
        """
        try:
            if self._connection is None or not self.is_held:
                self._take()
            else:
                self._connection.pgconn.consume_input()  # Notices the end of the connection.
        except psycopg.OperationalError:
            self._drop()

    def _take(self) -> None:
        if self._connection is None:
            self._connection = BoundedConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=2,
                # A host that vanished without a word is noticed within seconds.
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=10_000,
            )
        query = "SELECT pg_try_advisory_lock(%s)"
        row = self._connection.execute(query, [self._number]).fetchone()
        self.is_held = row is not None and bool(row[0])

    def _drop(self) -> None:
        self.is_held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def trusted_sql(text: str) -> bytes:
    """A statement that is put together from parts, for `execute`, which otherwise takes only
    literal strings: none of its parts may come from outside but as a quoted identifier or type."""
    return text.encode()


def database_error(error: Exception) -> MoodSearchError:
    reason = first_line(error)
    if isinstance(error, psycopg.errors.DiskFull):
        return UserError(f"the database's disk is full: {reason}")
    return BackendError(f"the database does not answer: {reason}")
