"""Connections to Postgres on which no wait is without end.

Three things may happen to a server. It works on a statement for too long: it ends the statement by
itself (`statement_timeout`). Its machine or the network is gone: the system notices
(`BOUNDED["tcp_user_timeout"]`, keepalives). It is there and does nothing, such as a process that
was stopped: this side stops waiting (`BoundedConnection`).
"""

from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import Row

STATEMENT_SECONDS: Final = 45.0
"""How long a statement may take that says nothing else."""

WHOLE_CATALOGUE_SECONDS: Final = 900.0
"""That costs the size of the catalogue. Comparing a million tracks takes a minute or two."""

SILENCE_SECONDS: Final = 10.0
"""After the time when the server should have ended a statement."""

BOUNDED: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    # A host that is gone is noticed within 25 s, and within 30 s where something is on its way.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""libpq's settings for every connection."""


class BoundedConnection(psycopg.Connection[Row]):
    """Raises `psycopg.OperationalError`, and is closed, when the server does not answer within
    `statement_seconds` and `SILENCE_SECONDS`."""

    statement_seconds = STATEMENT_SECONDS

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        seconds = self.statement_seconds + SILENCE_SECONDS
        try:
            return super().wait(gen, interval, seconds)
        except psycopg.errors._WaitTimeout:
            # An answer that comes later would be taken for that to the next statement.
            self.close()
            raise psycopg.OperationalError(f"no answer within {seconds:g} s") from None


def limit_statements(connection: psycopg.Connection[Row], seconds: float) -> None:
    """Have the server end statements of this session after `seconds`, unless the address or the
    user's own settings say when."""
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false)"
        " WHERE current_setting('statement_timeout') = '0'",
        [f"{round(1_000 * seconds)}ms"],
    )
