"""The kept names of one kind, brought in line with the catalogue: of rows that changed, or of all.

All is compared batch by batch, from the newest row to the oldest, each in a short transaction that
locks no row of the catalogue. A pass that is killed goes on where it was.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from psycopg.rows import DictRow

from resources.catalogue.database import Connection, trusted_sql
from resources.catalogue.names.sources import Source

BATCH: Final = 2_000
"""Names compared in one transaction: some 50 ms where all of them are new."""

_WRITING: Final = 0x74657874
"""Advisory lock number of the one transaction that writes names ("text" in ASCII): what another
reads of the catalogue before that ends could be older than what it finds written."""

# What the catalogue has for each of the keys: a name, or no row that may be shown.
_REFRESH: Final = """
WITH compared AS MATERIALIZED (
    SELECT k.key, r.text
    FROM (SELECT DISTINCT unnest(%(keys)s::text[]) AS key) k
    LEFT JOIN LATERAL (
        SELECT moodsearch.searchable(r.{name}::text) AS text FROM public.{table} r
        WHERE r.{key} = k.key::{type} AND {shown_if} LIMIT 1
    ) r ON true
), removed AS (
    DELETE FROM {texts} s USING compared c
    WHERE s.kind = '{kind}' AND s.key = c.key AND c.text IS NULL RETURNING 1
), written AS (
    INSERT INTO {texts} AS s (kind, key, text)
    SELECT '{kind}', key, text FROM compared WHERE text IS NOT NULL
    ON CONFLICT (kind, key) DO UPDATE SET text = excluded.text WHERE s.text <> excluded.text
    RETURNING 1
)
SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM written) AS differences
"""

_ROWS: Final = """
SELECT array_agg(key) AS keys, (array_agg(key ORDER BY native))[1] AS last
FROM (
    SELECT r.{key} AS native, r.{key}::text AS key FROM public.{table} r
    WHERE %(after)s::text IS NULL OR r.{key} < (%(after)s::text)::{type}
    ORDER BY r.{key} DESC LIMIT %(batch)s
) page
"""

# Names of rows that are no more.
_ORPHANS: Final = """
SELECT array_agg(key) FILTER (WHERE is_there IS NULL) AS keys, max(key) AS last
FROM (
    SELECT key FROM {texts}
    WHERE kind = '{kind}' AND key > coalesce(%(after)s::text, '') ORDER BY key LIMIT %(batch)s
) page
LEFT JOIN LATERAL (
    SELECT true AS is_there FROM public.{table} r WHERE r.{key} = page.key::{type} LIMIT 1
) r ON true
"""

# However much the statistics make of a batch.
_LOOK_UP: Final = """
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true)
"""

logger = logging.getLogger(__name__)


class KeptNames:
    """The kept names of `source`. `key_type`: the SQL type of its key."""

    def __init__(self, connection: Connection, source: Source, key_type: str) -> None:
        self._connection = connection
        self._source = source
        self._parts = {
            "kind": source.kind,
            "table": source.table,
            "texts": source.texts,
            "key": source.key,
            "name": source.name,
            "shown_if": source.shown_if,
            "type": key_type,
        }

    def refresh(self, keys: Sequence[str]) -> int:
        """Keep the names that the rows with these keys have now. Returns how many differed.

        After `begin_writing`, in the same transaction.
        """
        return int(self._row(_REFRESH, keys=list(keys))["differences"])

    def remove_orphans(self) -> int:
        """Forget the names of all rows that are no more; as `refresh`."""
        removed, last = 0, None
        while True:
            page = self._row(_ORPHANS, after=last, batch=BATCH)
            if page["last"] is None:
                return removed
            removed += self.refresh(page["keys"] or [])
            last = page["last"]

    def compare(self, before: str | None, go_on: Callable[[], bool]) -> int:
        """Bring all in line, from the key `before` on (None: from the newest row), until `go_on`
        says no between two batches. Returns how many names differed."""
        started = time.monotonic()
        differences, complete = self._walk(_ROWS, before, go_on, is_noted=True)
        if complete:
            removed, complete = self._walk(_ORPHANS, None, go_on, is_noted=False)
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

    def _walk(
        self, template: str, position: str | None, go_on: Callable[[], bool], *, is_noted: bool
    ) -> tuple[int, bool]:
        """Batches until there is none left. How many names differed, and whether it came to the
        end. `is_noted`: where it is, for the next pass."""
        differences = 0
        while go_on():
            with self._connection.transaction():
                begin_writing(self._connection, wait=True)
                page = self._row(template, after=position, batch=BATCH)
                if page["last"] is None:
                    return differences, True
                differences += self.refresh(page["keys"] or [])
                position = str(page["last"])
                if is_noted:
                    self._connection.execute(
                        "UPDATE moodsearch.search_sources SET compared_to = %s WHERE kind = %s",
                        [position, self._source.kind],
                    )
        return differences, False

    def _row(self, template: str, **parameters: object) -> DictRow:
        statement = trusted_sql(template.format(**self._parts))
        # Planned anew each time: a plan for any bounds would read the whole table.
        (row,) = self._connection.execute(statement, parameters, prepare=False).fetchall()
        return row


def begin_writing(connection: Connection, *, wait: bool) -> bool:
    """To be called first in a transaction that writes names: there is one at a time. False while
    there is another, unless it is to `wait` for its end."""
    connection.execute(_LOOK_UP)
    if wait:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITING])
        return True
    (row,) = connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS mine", [_WRITING])
    return bool(row["mine"])
