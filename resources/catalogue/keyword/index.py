"""Keeps the searchable names in step with the catalogue.

Triggers do so within the transaction that changes a name. What they cannot see (names that were
there before them, tables whose owner allows no triggers, dumps that were restored) is found by
comparing: batch by batch, from the newest row to the oldest, each in a short transaction that locks
no row of the catalogue. A comparison that is killed goes on where it was.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import psycopg
from psycopg.rows import DictRow, dict_row

from resources.catalogue.database import Connection, Database, SessionLock, database_error
from resources.catalogue.keyword.schema import column_types
from resources.catalogue.keyword.sources import SOURCES, Source

BATCH: Final = 2_000
"""Names compared in one transaction: some 50 ms where all of them are new."""

WITHOUT_TRIGGERS_SECONDS: Final = 300
WITH_TRIGGERS_SECONDS: Final = 86_400
"""How old a comparison may get."""

_LOCK: Final = 0x6E616D65
"""Advisory lock number under which one process compares at a time ("name" in ASCII)."""

_LOCK_ATTEMPTS: Final = 50

_COMPARE: Final = """
WITH compared AS MATERIALIZED (
    SELECT r.native, r.key, r.text, s.text AS known, s.version
    FROM (
        SELECT r.{key} AS native, r.{key}::text COLLATE pg_catalog."default" AS key,
            CASE WHEN {shown_if} THEN moodsearch.searchable(r.{name}::text) END AS text
        FROM public.{table} r
        WHERE %(before)s::text IS NULL OR r.{key} < (%(before)s::text)::{type}
        ORDER BY r.{key} DESC LIMIT %(batch)s
    ) r
    LEFT JOIN LATERAL (
        -- A row that a trigger writes meanwhile has another xmin: it is left as the trigger wants.
        SELECT text, xmin AS version FROM {texts} WHERE kind = '{kind}' AND key = r.key LIMIT 1
    ) s ON true
), added AS (
    INSERT INTO {texts} (kind, key, text)
    SELECT '{kind}', key, text FROM compared WHERE text IS NOT NULL AND known IS NULL
    ON CONFLICT DO NOTHING RETURNING 1
), changed AS (
    UPDATE {texts} s SET text = c.text FROM compared c
    WHERE s.kind = '{kind}' AND s.key = c.key AND s.xmin = c.version AND c.text <> c.known
    RETURNING 1
), removed AS (
    DELETE FROM {texts} s USING compared c
    WHERE s.kind = '{kind}' AND s.key = c.key AND s.xmin = c.version AND c.text IS NULL
    RETURNING 1
), noted AS (
    UPDATE moodsearch.search_sources
    SET compared_to = (SELECT key FROM compared ORDER BY native LIMIT 1) WHERE kind = '{kind}'
)
SELECT (SELECT key FROM compared ORDER BY native LIMIT 1) AS last,
    (SELECT count(*) FROM added) + (SELECT count(*) FROM changed)
        + (SELECT count(*) FROM removed) AS differences
"""

_REMOVE_ORPHANS: Final = """
WITH batch AS MATERIALIZED (
    SELECT s.key, s.version, r.is_there
    FROM (
        SELECT key, xmin AS version FROM {texts}
        WHERE kind = '{kind}' AND key > %(after)s ORDER BY key LIMIT %(batch)s
    ) s
    LEFT JOIN LATERAL (
        SELECT true AS is_there FROM public.{table} r WHERE r.{key} = s.key::{type} LIMIT 1
    ) r ON true
), removed AS (
    DELETE FROM {texts} s USING batch b
    WHERE s.kind = '{kind}' AND s.key = b.key AND s.xmin = b.version AND b.is_there IS NULL
    RETURNING 1
)
SELECT max(key) AS last, (SELECT count(*) FROM removed) AS differences FROM batch
"""

_DUE: Final = """
SELECT compared_to, compared_at IS NULL OR compared_to IS NOT NULL
    OR compared_at < now() - make_interval(secs => %(age)s) AS is_due
FROM moodsearch.search_sources WHERE kind = %(kind)s
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceState:
    """`is_complete`: compared to the end at least once. `grant`: what the table's owner has to run
    for changes to be seen at once; None when they are."""

    kind: str
    is_complete: bool
    grant: str | None


class KeywordIndex:
    """The names of one catalogue. Any number of processes may call `keep`: one of them works."""

    def __init__(self, database: Database, url: str) -> None:
        """`url`: of the same database, for connections that are held longer."""
        self._database = database
        self._url = url

    def keep(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Make triggers that are missing, and compare what is due. Returns how many names were
        not as the catalogue has them.

        Stops between two batches once `go_on` says so. Raises `BackendError` when the database does
        not answer.
        """
        with SessionLock(self._url, _LOCK) as lock:
            if not lock.is_held:
                return 0
            with self._database.own_connection() as connection:
                connection.row_factory = dict_row  # type: ignore[assignment]
                return self._keep(cast(Connection, connection), go_on)

    def states(self) -> list[SourceState]:
        """Of each kind of name that the catalogue has."""
        with self._database.transaction() as connection:
            return [
                SourceState(
                    kind=source.kind,
                    is_complete=self._is_complete(connection, source),
                    grant=None if _has_triggers(connection, source) else _grant(connection, source),
                )
                for source in SOURCES
                if _key_type(connection, source) is not None
            ]

    def _keep(self, connection: Connection, go_on: Callable[[], bool]) -> int:
        # An app that waits for a lock of ours, while we wait for one of its, must not be the one
        # that is cancelled.
        connection.execute("SET lock_timeout = '200ms'")
        # A batch is looked up, however much the statistics make of it.
        for method in ("seqscan", "hashjoin", "mergejoin"):
            connection.execute(f"SET enable_{method} = off".encode())
        differences = 0
        for source in SOURCES:
            key_type = _key_type(connection, source)
            if key_type is None:
                continue
            watched = _watch(connection, source)
            age = WITH_TRIGGERS_SECONDS if watched else WITHOUT_TRIGGERS_SECONDS
            (due,) = connection.execute(_DUE, {"kind": source.kind, "age": age}).fetchall()
            if due["is_due"]:
                comparison = _Comparison(connection, source, key_type, go_on)
                differences += comparison.run(due["compared_to"])
        return differences

    def _is_complete(self, connection: Connection, source: Source) -> bool:
        row = connection.execute(
            "SELECT compared_at IS NOT NULL AS done FROM moodsearch.search_sources WHERE kind = %s",
            [source.kind],
        ).fetchone()
        return row is not None and bool(row["done"])


class _Comparison:
    """One pass over the names of one kind."""

    def __init__(
        self, connection: Connection, source: Source, key_type: str, go_on: Callable[[], bool]
    ) -> None:
        self._connection = connection
        self._source = source
        self._go_on = go_on
        self._parts: dict[str, Any] = {
            "kind": source.kind,
            "table": source.table,
            "texts": source.texts,
            "key": source.key,
            "name": source.name,
            "shown_if": source.shown_if,
            "type": key_type,
        }

    def run(self, before: str | None) -> int:
        """From the key `before` on (None: from the newest row). How many names differed."""
        started = time.monotonic()
        differences, complete = self._walk(_COMPARE, "before", before)
        if complete:
            removed, complete = self._walk(_REMOVE_ORPHANS, "after", "")
            differences += removed
        if complete:
            self._connection.execute(
                "UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = now()"
                " WHERE kind = %s",
                [self._source.kind],
            )
            if differences:
                seconds = time.monotonic() - started
                name = f"{self._source.table}.{self._source.name}"
                logger.info("keyword search: %d of %s in %.1f s", differences, name, seconds)
        return differences

    def _walk(self, template: str, bound: str, position: str | None) -> tuple[int, bool]:
        """Batches until there is none left. How many names differed, and whether it came to the
        end."""
        statement = template.format(**self._parts)
        differences = 0
        while self._go_on():
            row = self._batch(statement, {bound: position, "batch": BATCH})
            differences += row["differences"]
            if row["last"] is None:
                return differences, True
            position = row["last"]
        return differences, False

    def _batch(self, statement: str, parameters: dict[str, Any]) -> DictRow:
        for attempt in range(_LOCK_ATTEMPTS):
            try:
                # Planned anew each time: a plan for any bounds would read the whole table.
                row = self._connection.execute(
                    statement.encode(), parameters, prepare=False
                ).fetchone()
            except psycopg.errors.LockNotAvailable as error:
                # A transaction of the app's that renamed one of them has not ended yet.
                if attempt == _LOCK_ATTEMPTS - 1:
                    raise database_error(error) from error
                time.sleep(0.1)
            else:
                assert row is not None
                return row
        raise AssertionError("unreachable")


def _watch(connection: Connection, source: Source) -> bool:
    """Whether triggers tell of changes, after making them where that is possible."""
    needed = sorted({c for each in SOURCES if each.table == source.table for c in each.columns})
    row = connection.execute(
        "SELECT moodsearch.watch_names(%s, %s) AS watched", [source.table, needed]
    ).fetchone()
    return row is not None and bool(row["watched"])


def _has_triggers(connection: Connection, source: Source) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(%s)"
        " AND tgname = 'moodsearch_names_changed' AND tgenabled IN ('O', 'A')) AS has",
        [f"public.{source.table}"],
    ).fetchone()
    return row is not None and bool(row["has"])


def _grant(connection: Connection, source: Source) -> str:
    row = connection.execute("SELECT quote_ident(current_user) AS name").fetchone()
    assert row is not None
    return f"GRANT TRIGGER ON public.{source.table} TO {row['name']}"


def _key_type(connection: Connection, source: Source) -> str | None:
    """The SQL type of the key; None where the app has no such table, or not all it needs of it."""
    columns = column_types(connection, [source.table])[source.table]
    return columns[source.key] if set(source.columns) <= set(columns) else None
