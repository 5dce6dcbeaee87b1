"""At most one worker on a block, whichever process it is in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from resources.catalogue.database import Database
from resources.catalogue.work.blocks import Block
from resources.errors import BackendError


class BlockLocks:
    """Advisory locks of the catalogue's Postgres."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_held(self, block: Block) -> bool:
        """Whether somebody works on the block at this moment."""
        rows = self._database.rows(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%(key)s, 0)) AS free",
            {"key": _lock_key(block)},
        )
        return not rows[0]["free"]

    @contextmanager
    def hold(self, block: Block, *, wait_seconds: int = 600) -> Iterator[Callable[[], None]]:
        """Hold the block: nobody else works on it, in this process or another.

        The lock is the connection's, so the server lets go of it however this process ends. Yields
        a function that raises `BackendError` when it was lost (the server was restarted), to be
        called before anything is written. Raises `BackendError` when somebody else holds the block
        for longer than `wait_seconds`.
        """
        with self._database.own_connection() as connection:
            connection.execute(f"SET lock_timeout = '{wait_seconds}s'")
            connection.execute("SET statement_timeout = 0")
            usual_seconds, connection.statement_seconds = connection.statement_seconds, wait_seconds
            try:
                connection.execute(
                    "SELECT pg_advisory_lock(hashtextextended(%s, 0))",
                    [_lock_key(block)],
                )
            except psycopg.errors.LockNotAvailable:
                raise BackendError(
                    f"block {block.key} is being worked on by another process"
                ) from None
            connection.statement_seconds = usual_seconds

            def check_that_it_is_held() -> None:
                try:
                    connection.execute("SELECT 1")
                except psycopg.OperationalError as error:
                    raise BackendError(f"the lock on block {block.key} was lost") from error

            yield check_that_it_is_held


def _lock_key(block: Block) -> str:
    return f"moodsearch block {block.key}"
