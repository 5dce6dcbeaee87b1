"""What Dagster shows of tracks: titles in previews, file ids in errors. Found in its tables, which
are in our database, and taken back with the runs that they are of."""

import json
import re
from collections.abc import Iterator
from typing import Final

import dagster as dg
from psycopg.rows import DictRow

from assets.forgetting.scan import Trace
from assets.forgetting.subject import Subject
from resources.catalogue.database import DAGSTER_SCHEMA, Database

RUNS: Final = "Dagster's runs"

_TEXTS: Final = """
SELECT c.relname AS table, array_agg(a.attname ORDER BY a.attnum) AS columns,
    EXISTS (
        SELECT FROM pg_attribute r WHERE r.attrelid = c.oid AND r.attname = 'run_id'
    ) AS has_run
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'r' AND a.attnum > 0
    AND a.atttypid = ANY('{text,varchar,json,jsonb}'::regtype[])
    AND a.attname NOT IN ('run_id', 'asset_key', 'partition', 'step_key')
GROUP BY c.oid, c.relname ORDER BY 1
"""

_AT_ONCE: Final = 500

_ID: Final = re.compile(r'"track_id": (\d+)[,}]|\(-?\d\.\d\d #(\d+)\)')
"""In a row of a preview, and after a title among those that a track sounds like."""

_TITLE: Final = re.compile(r'"title": ("(?:[^"\\]|\\.)*")')
_TITLES: Final = re.compile(r'"sounds_like": ("(?:[^"\\]|\\.)*")')
_ONE_TITLE: Final = re.compile(r"(.*?) \(-?\d\.\d\d(?: #\d+)?\)(?:, |$)")
_WORD: Final = re.compile(r"[\w.:-]{6,}", re.ASCII)
"""What may be a file id, a DID, or a file's name."""


def previews(database: Database, subject: Subject) -> Iterator[Trace]:
    """Runs, and what else of Dagster's tables mentions the subject."""
    rows = list(_mentions(database, subject))
    runs = {row["run_id"] for row in rows if row["run_id"]}
    if runs:
        yield Trace(RUNS, len(runs))
    for table in sorted({row["table"] for row in rows if not row["run_id"]}):
        yield Trace(f"{DAGSTER_SCHEMA}.{table}", sum(row["table"] == table for row in rows))


def purge(database: Database, instance: dg.DagsterInstance, subject: Subject) -> int:
    """Delete the finished runs that mention the subject, with their output, and say so of each
    block whose results they showed. Returns how many runs that were."""
    mentioned = sorted({row["run_id"] for row in _mentions(database, subject) if row["run_id"]})
    found = {run_id: instance.get_run_by_id(run_id) for run_id in mentioned}
    runs = [run_id for run_id, run in found.items() if run is None or run.is_finished]
    shown = _materialized(database, runs)
    for run_id in runs:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    # Dagster keeps the results of checks when it deletes a run.
    database.rows(
        f"DELETE FROM {DAGSTER_SCHEMA}.asset_check_executions WHERE run_id = ANY(%(runs)s)",
        {"runs": runs},
    )
    # The latest result is kept with its asset as well: this takes its place.
    for asset, partition in shown:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                dg.AssetKey(json.loads(asset)),
                partition=partition,
                metadata={"summary": "tracks were forgotten, and the runs that showed them"},
            )
        )
    return len(runs)


def _mentions(database: Database, subject: Subject) -> Iterator[DictRow]:
    """Rows of Dagster's tables, with their `table` and `run_id`."""
    tables = database.rows(_TEXTS, {"schema": DAGSTER_SCHEMA})
    for table in tables:
        texts = ", ".join(f'"{column}"' for column in table["columns"])
        run = "run_id::text" if table["has_run"] else "NULL"
        statement = (
            f"SELECT %s AS table, {run} AS run_id, concat_ws(' ', {texts}) AS text"
            f' FROM {DAGSTER_SCHEMA}."{table["table"]}"'
        )
        with database.transaction() as connection, connection.cursor("mentions") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(statement.encode(), [table["table"]])
            yield from (row for row in cursor if mentions(row["text"], subject))


def mentions(text: str, subject: Subject) -> bool:
    """Whether a text of Dagster's, which is JSON, shows one of the tracks or artists."""
    ids = (int(a or b) for a, b in _ID.findall(text))
    if not subject.track_ids.isdisjoint(ids):
        return True
    names = subject.file_ids | subject.dids
    if any(names.intersection((word, word.split(".")[0])) for word in _WORD.findall(text)):
        return True
    titles = [json.loads(title) for title in _TITLE.findall(text)]
    titles += [t for each in _TITLES.findall(text) for t in _ONE_TITLE.findall(json.loads(each))]
    return not subject.titles.isdisjoint(titles)


def _materialized(database: Database, runs: list[str]) -> list[tuple[str, str]]:
    """Assets and partitions with results of these runs."""
    rows = database.rows(
        f"SELECT DISTINCT asset_key, partition FROM {DAGSTER_SCHEMA}.event_logs"
        " WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition IS NOT NULL"
        " AND run_id = ANY(%(runs)s) ORDER BY 1, 2",
        {"runs": runs},
    )
    return [(row["asset_key"], row["partition"]) for row in rows]
