"""One pass over the names of one kind: what is kept of them, beside what the catalogue has.

Batch by batch, from the newest row to the oldest, each in a short transaction that locks no row of
the catalogue. A pass that is killed goes on where it was.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg.rows import DictRow

from resources.catalogue.database import Connection, database_error
from resources.catalogue.names.sources import Source

BATCH: Final = 2_000
"""Names compared in one transaction: some 50 ms where all of them are new."""

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

logger = logging.getLogger(__name__)


class Comparison:
    """One pass over the names of one kind."""

    def __init__(
        self, connection: Connection, source: Source, key_type: str, go_on: Callable[[], bool]
    ) -> None:
        """`key_type`: the SQL type of the source's key. Stops between two batches once `go_on`
        says so."""
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
                if attempt == _LOCK_ATTEMPTS - 1 or not self._go_on():
                    raise database_error(error) from error
                # In the server, where it can be interrupted as well.
                self._connection.execute("SELECT pg_sleep(0.1)")
            else:
                assert row is not None
                return row
        raise AssertionError("unreachable")
