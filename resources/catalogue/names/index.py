"""Keeps the searchable names in step with the catalogue.

Triggers append the keys of changed rows to the outbox, and `KeywordIndex.follow` brings the names
of those rows in line. What triggers cannot see (names that were there before them, tables whose
owner allows no triggers, dumps that were restored) and what they failed to note is found by
comparing everything.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, cast

import psycopg
from psycopg.rows import DictRow, dict_row

from resources.catalogue.database import Connection, Database, SessionLock
from resources.catalogue.names.comparison import KeptNames, begin_writing
from resources.catalogue.names.sources import SOURCES, Source
from resources.catalogue.schema.app_tables import TABLE_CHANGED, column_types
from resources.catalogue.schema.triggers import OUTBOX_ROWS, watch_changes
from resources.errors import first_line

WITHOUT_TRIGGERS_SECONDS: Final = 300
WITH_TRIGGERS_SECONDS: Final = 86_400
"""How old a comparison may get."""

FOLLOW_AT_ONCE: Final = 2_000
"""Changes that are followed in one transaction."""

_LOCK: Final = 0x6E616D65
"""Advisory lock number under which one process compares at a time ("name" in ASCII)."""

_LOCK_SECONDS: Final = 5

_CANCEL_SECONDS: Final = 2.0

_TAKE: Final = """
WITH taken AS (
    DELETE FROM moodsearch.outbox
    WHERE consumer = 'names' AND id IN (
        SELECT id FROM moodsearch.outbox WHERE consumer = 'names' ORDER BY id LIMIT %s
    )
    RETURNING kind, key
)
SELECT kind, coalesce(array_agg(DISTINCT key) FILTER (WHERE key IS NOT NULL), '{}') AS keys,
    bool_or(key IS NULL) AS is_emptied, count(*) AS changes
FROM taken GROUP BY kind
"""

_COMPARE: Final = """
UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = NULL WHERE kind = %s
"""

_DUE: Final = """
SELECT compared_to, compared_at IS NULL OR compared_to IS NOT NULL
    OR compared_at < now() - make_interval(secs =>
        CASE WHEN moodsearch.sees_changes_of(%(table)s) THEN %(with)s ELSE %(without)s END
    ) AS is_due
FROM moodsearch.search_sources WHERE kind = %(kind)s
"""

_MISSED: Final = """
WITH missed AS (
    DELETE FROM moodsearch.changes_missed
    WHERE consumer = 'names' AND table_name = %(table)s RETURNING reason
), due AS (
    UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = NULL
    WHERE kind = ANY(%(kinds)s) AND EXISTS (SELECT FROM missed)
)
SELECT DISTINCT reason FROM missed
"""

_RESTORE: Final = """
SELECT moodsearch.make_search_texts()
FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL LIMIT 1
"""

_STATE: Final = """
SELECT
    EXISTS (
        SELECT FROM moodsearch.search_sources WHERE kind = %(kind)s AND compared_at IS NOT NULL
    ) AS is_complete,
    CASE WHEN NOT moodsearch.sees_changes_of(%(table)s)
        AND moodsearch.statements_see_all(to_regclass('public.' || %(table)s))
    THEN format('GRANT TRIGGER ON public.%%I TO %%I', %(table)s::text, current_user) END AS grant,
    (SELECT max(reason) FROM moodsearch.changes_missed
        WHERE consumer = 'names' AND table_name = %(table)s) AS missed
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceState:
    """`is_complete`: compared to the end since anything was missed. `grant`: what the table's owner
    has to run for changes to be seen at once; None when they are, or no trigger could see them.
    `missed`: why the triggers failed since the last comparison began."""

    kind: str
    table: str
    is_complete: bool
    grant: str | None
    missed: str | None


class KeywordIndex:
    """The names of one catalogue. Any number of processes may call `follow` and `keep`: one of them
    works."""

    def __init__(self, database: Database, url: str) -> None:
        """`url`: of the same database, for connections that are held longer."""
        self._database = database
        self._url = url
        self._warned: set[str] = set()
        self._at_work: Connection | None = None

    def follow(self) -> int:
        """Bring the names of rows that changed in line. Returns how many names differed; 0 as well
        while another process is at it.

        Costs the number of changes. Raises `BackendError` when the database does not answer.
        """
        differences = 0
        while True:
            changes, differing = self._follow_some()
            differences += differing
            if changes < FOLLOW_AT_ONCE:
                return differences

    def keep(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Follow changes, make triggers that are missing, and compare what is due. Returns how many
        names were not as the catalogue has them when they were compared.

        A table that cannot be compared as it is now is left out with a warning. Stops between two
        batches once `go_on` says so. Raises `BackendError` when the database does not answer.
        """
        with self._alone() as connection:
            return 0 if connection is None else self._keep(connection, go_on)

    def interrupt(self) -> None:
        """Cancel the statement that `follow` or `keep` waits for, from another thread: it raises
        `BackendError`, and the next one goes on where it was."""
        connection = self._at_work
        if connection is not None:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def states(self) -> list[SourceState]:
        """Of each kind of name that the catalogue has."""
        with self._database.transaction() as connection:
            return [
                self._state(connection, source)
                for source in SOURCES
                if _key_type(connection, source) is not None
            ]

    def _follow_some(self) -> tuple[int, int]:
        """How many changes were taken from the outbox, and how many names differed for them."""
        with self._database.transaction() as connection, self._interruptible(connection):
            connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            if not begin_writing(connection, wait=False):
                return 0, 0
            connection.execute("SELECT moodsearch.bound_outbox('work', %s)", [OUTBOX_ROWS])
            taken = connection.execute(_TAKE, [FOLLOW_AT_ONCE]).fetchall()
            differences = sum(
                self._follow_source(connection, source, change)
                for change in taken
                for source in SOURCES
                if source.table == change["kind"]
            )
        return sum(change["changes"] for change in taken), differences

    def _follow_source(self, connection: Connection, source: Source, change: DictRow) -> int:
        key_type = _key_type(connection, source)
        if key_type is not None:
            names = KeptNames(connection, source, key_type)
            try:
                with connection.transaction():
                    removed = names.remove_orphans() if change["is_emptied"] else 0
                    return removed + names.refresh(change["keys"])
            except TABLE_CHANGED as error:
                self._warn_once(f"public.{source.table} is not followed: {first_line(error)}")
        # Once it can be.
        connection.execute(_COMPARE, [source.kind])
        return 0

    @contextmanager
    def _alone(self) -> Iterator[Connection | None]:
        """A connection for comparing; None while another process has one."""
        with SessionLock(self._url, _LOCK) as lock:
            if not lock.is_held:
                yield None
                return
            with self._database.own_connection() as own:
                own.row_factory = dict_row  # type: ignore[assignment]
                connection = cast(Connection, own)
                connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
                with self._interruptible(connection):
                    yield connection

    @contextmanager
    def _interruptible(self, connection: Connection) -> Iterator[None]:
        before, self._at_work = self._at_work, connection
        try:
            yield
        finally:
            self._at_work = before

    def _keep(self, connection: Connection, go_on: Callable[[], bool]) -> int:
        connection.execute(_RESTORE, [["moodsearch.search_texts", *(s.texts for s in SOURCES)]])
        watch_changes(connection)
        self._note_missed(connection)
        self.follow()

        def go_on_following() -> bool:
            # A comparison may take a minute: meanwhile a new name is found within a second, too.
            self.follow()
            return go_on()

        differences = 0
        for source in SOURCES:
            try:
                differences += self._keep_source(connection, source, go_on_following)
            except TABLE_CHANGED as error:
                self._warn_once(f"public.{source.table} is not compared: {first_line(error)}")
        return differences

    def _note_missed(self, connection: Connection) -> None:
        """What triggers could not do makes a comparison due."""
        for table in dict.fromkeys(source.table for source in SOURCES):
            kinds = [source.kind for source in SOURCES if source.table == table]
            for row in connection.execute(_MISSED, {"table": table, "kinds": kinds}):
                self._warn_once(
                    f"changes of public.{table} are seen a minute late only: {row['reason']}"
                )

    def _keep_source(
        self, connection: Connection, source: Source, go_on: Callable[[], bool]
    ) -> int:
        key_type = _key_type(connection, source)
        if key_type is None:
            return 0
        ages = {"with": WITH_TRIGGERS_SECONDS, "without": WITHOUT_TRIGGERS_SECONDS}
        (due,) = connection.execute(_DUE, {"kind": source.kind, "table": source.table, **ages})
        if not due["is_due"]:
            return 0
        return KeptNames(connection, source, key_type).compare(due["compared_to"], go_on)

    def _state(self, connection: Connection, source: Source) -> SourceState:
        names = {"kind": source.kind, "table": source.table}
        (row,) = connection.execute(_STATE, names, prepare=False).fetchall()
        return SourceState(source.kind, source.table, **row)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            logger.warning("keyword search: %s", message)


def _key_type(connection: Connection, source: Source) -> str | None:
    """The SQL type of the key; None where the app has no such table, or not all it needs of it."""
    columns = column_types(connection, [source.table])[source.table]
    return columns[source.key] if set(source.columns) <= set(columns) else None
