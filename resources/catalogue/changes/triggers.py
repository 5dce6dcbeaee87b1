"""Triggers on an app's tables, made and dropped without holding the app up.

Each table is locked in a transaction of its own, in which nothing else of the app's is. It waits
for the lock for a fraction of the time after which Postgres looks for deadlocks, and whoever
queues behind it waits no longer: what cannot be had now is tried again later by whoever asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

LOCK_MILLISECONDS: Final = 200
"""How long a table's lock is waited for at most."""

_REFERENCING: Final = {
    "INSERT": "REFERENCING NEW TABLE AS changed",
    "UPDATE": "REFERENCING OLD TABLE AS previous NEW TABLE AS changed",
    "DELETE": "REFERENCING OLD TABLE AS previous",
    "TRUNCATE": "",
}

_STATE: Final = """
SELECT ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = c.oid) AS triggers,
    has_table_privilege(c.oid, 'TRIGGER') AS may_create,
    pg_has_role(c.relowner, 'USAGE') AS may_drop
FROM pg_class c WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p')
"""

_WAIT_BRIEFLY: Final = """
SELECT set_config('lock_timeout', greatest(1, least(%s, setting::int / 4)) || 'ms', true)
FROM pg_settings WHERE name = 'deadlock_timeout'
"""

_LOCK: Final = 0x74726967
"""Advisory lock number of who changes a table's triggers ("trig" in ASCII): several that queue for
one would hold up an app for as many times as long."""

_ALONE: Final = "SELECT FROM pg_try_advisory_xact_lock(%s) AS is_mine WHERE is_mine"

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


@dataclass(frozen=True)
class Trigger:
    """One for each statement, whose function `moodsearch.<function>` reads the rows `changed` (as
    they are) and `previous` (as they were). `event`: INSERT, UPDATE, DELETE or TRUNCATE.

    It names no column: an app could not drop one that it names, or change its type.
    """

    name: str
    event: str
    function: str
    referencing: str | None = None

    def statement(self, table: str) -> sql.Composed:
        return sql.SQL(
            "CREATE OR REPLACE TRIGGER {} AFTER {} ON {} {} FOR EACH STATEMENT"
            " EXECUTE FUNCTION {}()"
        ).format(
            sql.Identifier(self.name),
            sql.SQL(self.event),
            sql.Identifier("public", table),
            sql.SQL(self.referencing or _REFERENCING[self.event]),
            sql.Identifier("moodsearch", self.function),
        )


class Outcome(Enum):
    """`REFUSED`: there is no such table, or it is not for us to change it."""

    COMPLETE = "complete"
    BUSY = "busy"
    REFUSED = "refused"


def make(
    connection: psycopg.Connection[Any],
    table: str,
    triggers: Sequence[Trigger],
    note: tuple[str, Sequence[object]] | None,
) -> Outcome:
    """Make those of `triggers` that `public.<table>` lacks. One that is disabled is left so.

    `note`: a statement, with its parameters, that is run in the same transaction if any are made.
    It must not wait for the app. `connection` must be in autocommit mode. Raises `psycopg.Error`
    only where the server does not answer.
    """
    state = _state(connection, table)
    if state is None:
        return Outcome.REFUSED
    present, may_create, _ = state
    missing = [trigger for trigger in triggers if trigger.name not in present]
    if not missing:
        return Outcome.COMPLETE
    if not may_create:
        return Outcome.REFUSED
    statements = [trigger.statement(table) for trigger in missing]
    return _briefly(connection, statements, note)


def drop(connection: psycopg.Connection[Any], table: str, name: str) -> Outcome:
    """Drop a trigger of `public.<table>` if it has it, in a transaction of its own: nobody may even
    read the table meanwhile. Only the table's owner may do so. As `make` otherwise."""
    state = _state(connection, table)
    if state is None:
        return Outcome.REFUSED
    present, _, may_drop = state
    if name not in present:
        return Outcome.COMPLETE
    if not may_drop:
        return Outcome.REFUSED
    statement = sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(
        sql.Identifier(name), sql.Identifier("public", table)
    )
    return _briefly(connection, [statement], None)


def _briefly(
    connection: psycopg.Connection[Any],
    statements: Sequence[sql.Composed],
    note: tuple[str, Sequence[object]] | None,
) -> Outcome:
    assert connection.autocommit
    try:
        with connection.transaction():
            connection.execute(_WAIT_BRIEFLY, [LOCK_MILLISECONDS])
            if connection.execute(_ALONE, [_LOCK]).rowcount == 0:
                return Outcome.BUSY
            if note is not None:
                connection.execute(note[0].encode(), note[1])
            for statement in statements:
                connection.execute(statement)
    except _BUSY:
        return Outcome.BUSY
    except _REFUSED:
        return Outcome.REFUSED
    return Outcome.COMPLETE


def _state(connection: psycopg.Connection[Any], table: str) -> tuple[list[str], bool, bool] | None:
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(_STATE, [f"public.{table}"])
        return cursor.fetchone()
