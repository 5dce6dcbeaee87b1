"""Making the triggers on an app's tables without holding the app up.

Each table is locked in a transaction of its own, in which nothing else of the app's is, and for
200 ms at most: what cannot be had now is tried again later.
"""

from typing import Any, Final

import psycopg

OUTBOX_ROWS: Final = 100_000
"""How many changes wait for a consumer that does not run, before its tables are compared instead:
some 15 MB."""

_BUSY: Final = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
)
_REFUSED: Final = (
    psycopg.ProgrammingError,
    psycopg.NotSupportedError,
    psycopg.errors.ReadOnlySqlTransaction,
)


def watch_changes(connection: psycopg.Connection[Any], *, is_new: bool = False) -> bool:
    """Make the triggers that are missing, where that is possible. False when it is worth trying
    again: a table was in use.

    What changed before them is noted as missed, and so compared; not where `is_new`, since nothing
    of a new installation was compared yet. `connection` must be in autocommit mode. Raises
    `psycopg.Error` only where the server does not answer.
    """
    assert connection.autocommit
    with connection.cursor(row_factory=psycopg.rows.scalar_row) as cursor:
        tables = cursor.execute("SELECT moodsearch.unwatched()").fetchall()
    outcomes = [_watch(connection, table, is_new) for table in tables]
    return all(outcomes)


def _watch(connection: psycopg.Connection[Any], table: str, is_new: bool) -> bool:
    try:
        with connection.cursor(row_factory=psycopg.rows.scalar_row) as cursor:
            made = cursor.execute("SELECT moodsearch.watch(%s, %s)", [table, is_new]).fetchone()
    except _BUSY:
        return False
    except _REFUSED:
        return True
    return bool(made)
