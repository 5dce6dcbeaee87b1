"""Looks for what is left of a subject in every place there is: each row, each object, each row of
a Parquet file, each namespace of vectors. It asks the places what they hold, and not the kinds of
`registry` where theirs would be."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import polars as pl
from psycopg.rows import DictRow

from assets.forgetting.catalogue import PREDICTED_BY_US
from assets.forgetting.subject import Subject
from assets.forgetting.vectors import every_store, out_of_reach
from resources.backends import Backends
from resources.catalogue.database import Connection, trusted_sql
from resources.catalogue.names.sources import SOURCES
from resources.catalogue.tracks.uploads import owns_catalogue
from resources.errors import ObjectNotFoundError
from resources.object_store.protocol import ObjectStore

_COLUMNS: Final = """
SELECT c.relname AS table, a.attname AS column,
    a.atttypid = ANY('{int2,int4,int8}'::regtype[]) AS is_number
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r'
    AND a.attnum > 0 AND NOT a.attisdropped
    AND a.atttypid = ANY('{int2,int4,int8,text,varchar,jsonb,json}'::regtype[])
ORDER BY 1, a.attnum
"""

_LONG: Final = 16
"""Characters of a file id or DID that are no part of another text by chance."""


_KEYS: Final = {"tracks": "id", "albums": "id", "tags": "id", "playlists": "id", "artists": "did"}
"""The columns that name rows, by table of the schema public."""


@dataclass(frozen=True)
class Trace:
    """Something that is left. `place`: a table, a kind of object, a namespace, a part of Dagster.
    `problem`: why it counts as a trace, where that is not for being the subject's."""

    place: str
    count: int = 1
    problem: str = ""


def scan(backends: Backends, subject: Subject) -> Iterator[Trace]:
    """What is stored of the subject, but for what Dagster shows. Costs the catalogue's size."""
    is_ours = owns_catalogue(backends.database)
    with backends.database.transaction() as connection:
        yield from _rows(connection, "moodsearch", subject)
        yield from (_rows if is_ours else _app_rows)(connection, "public", subject)
    # Beside an app, the other objects are the app's.
    yield from _objects(backends.store, "" if is_ours else "moodsearch/", subject)
    for store in every_store(backends) if subject.track_ids else []:
        ids = store.ids(min(subject.track_ids), max(subject.track_ids))
        if found := subject.track_ids.intersection(ids):
            yield Trace(f"vectors of {store.namespace}", len(found))
    for generation in out_of_reach(backends):
        yield Trace(generation, 0, "not searched: the settings do not lead there")


def _rows(connection: Connection, schema: str, subject: Subject) -> Iterator[Trace]:
    parameters = _parameters(subject)
    columns = connection.execute(_COLUMNS, [schema]).fetchall()
    for table, rows in groupby(columns, key=lambda row: str(row["table"])):
        name = f"{schema}.{table}"
        statement = f'SELECT count(*) AS n FROM {schema}."{table}" WHERE {_is_of(name, list(rows))}'
        (found,) = connection.execute(trusted_sql(statement), parameters).fetchall()
        if found["n"]:
            yield Trace(name, found["n"])


def _is_of(table: str, columns: list[DictRow]) -> str:
    """An SQL condition on the table's rows."""
    numbers = {str(row["column"]) for row in columns if row["is_number"]}
    texts = [str(row["column"]) for row in columns if not row["is_number"]]
    are_tracks = table.startswith("moodsearch.vectors_")
    ids = numbers.intersection({"track_id", "id"} if are_tracks else {"track_id"})
    conditions = [f'"{column}" = ANY(%(ids)s)' for column in ids]
    if (key := _KEYS.get(own := table.removeprefix("public."))) is not None:
        conditions.append(f"{key}::text = ANY(%({own})s)")
    conditions += [f'"{column}"::text = ANY(%(needles)s)' for column in texts]
    if "kind" in texts:  # Of a row, whose key is beside it.
        pairs = "SELECT * FROM unnest(%(kinds)s::text[], %(keys)s::text[])"
        conditions += [f'(kind, "{column}") IN ({pairs})' for column in texts if column != "kind"]
    if texts:
        every = ", ".join(f'"{column}"::text' for column in texts)
        conditions.append(
            "EXISTS (SELECT FROM unnest(%(long)s::text[]) AS needle"
            f" WHERE strpos(concat_ws(' ', {every}), needle) > 0)"
        )
    return " OR ".join(conditions) or "false"


def _app_rows(connection: Connection, _schema: str, subject: Subject) -> Iterator[Trace]:
    """Of an app's rows, the keys that we wrote."""
    (found,) = connection.execute(
        f"SELECT count(*) AS n FROM public.tracks t WHERE id = ANY(%(ids)s) AND {PREDICTED_BY_US}",
        _parameters(subject),
    ).fetchall()
    if found["n"]:
        yield Trace("public.tracks.extra", found["n"])


def _parameters(subject: Subject) -> dict[str, object]:
    needles = sorted(subject.file_ids | subject.dids)
    tables = {table: subject.keys.get(table, []) for table in _KEYS}
    keys = [(table, key) for table, found in tables.items() for key in found]
    kinds = {table: [table] for table in tables}
    kinds["tracks"].append("track_tags")
    for source in SOURCES:
        kinds[source.table].append(source.kind)
    pairs = [(kind, key) for table, key in keys for kind in kinds[table]]
    return {
        **tables,
        "ids": sorted(subject.track_ids),
        "needles": needles,
        "long": [needle for needle in needles if len(needle) >= _LONG],
        "kinds": [kind for kind, _ in pairs],
        "keys": [key for _, key in pairs],
    }


def _objects(store: ObjectStore, prefix: str, subject: Subject) -> Iterator[Trace]:
    names = {*subject.file_ids, *subject.pictures}
    long = [name for name in names if len(name) >= _LONG]
    for key in store.keys(prefix):
        folder, _, name = key.rpartition("/")
        if {name, name.rpartition(".")[0]} & names or any(each in key for each in long):
            yield Trace(f"{folder}/")
        if key.startswith("moodsearch/") and name.endswith(".parquet"):
            yield from _parquet_rows(store, key, subject)


def _parquet_rows(store: ObjectStore, key: str, subject: Subject) -> Iterator[Trace]:
    place = "/".join(key.split("/")[:2]) + "/"
    try:
        content = io.BytesIO(store.get(key))
        rows = pl.read_parquet(content, columns=["track_id", "file_id"])
    except ObjectNotFoundError:
        return  # Deleted since it was listed.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        yield Trace(place, 0, f"not searched: {key} is damaged")
        return
    found = rows.filter(
        pl.col("track_id").is_in(list(subject.track_ids))
        | pl.col("file_id").is_in(list(subject.file_ids))
    )
    if found.height:
        yield Trace(place, found.height)
