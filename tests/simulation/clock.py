"""Simulated time: `now()` of every statement reads a table that the simulation moves.

Postgres looks for functions in pg_catalog first, unless the search path names another schema before
it; every connection of the simulation names `simulated`. Defaults of columns are bound when a table
is made, so the schema is migrated under this search path, too.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

START: Final = datetime(2026, 1, 1, tzinfo=UTC)

_MAKE: Final = """
CREATE SCHEMA simulated;
CREATE UNLOGGED TABLE simulated.clock (at timestamptz NOT NULL);
INSERT INTO simulated.clock VALUES ('2026-01-01 00:00:00+00');
CREATE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT at FROM simulated.clock';
"""

OPTIONS: Final = (
    "-c search_path=simulated,pg_catalog,public"
    # Nobody may wait for an app's transaction that is left open across steps.
    " -c lock_timeout=20ms -c synchronous_commit=off -c jit=off -c timezone=UTC"
)


def make_clock(connection: psycopg.Connection[Any]) -> None:
    connection.execute(_MAKE)


class Clock:
    """Stands in for the module `time`, too."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.now = START

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._connection.execute("UPDATE simulated.clock SET at = %s", [self.now])

    def time(self) -> float:
        return self.now.timestamp()

    def monotonic(self) -> float:
        return self.now.timestamp()
