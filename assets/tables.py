"""The tables that cross asset boundaries: their schemas, and where they are kept.

One Parquet file for each table and block on the object store, replaced as a whole, so a reader sees
the old table or the new one.
"""

import io
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import pandera.polars as pa
import polars as pl

from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.embedding.protocol import EMBEDDING_DIMENSION
from resources.errors import BackendError, ObjectNotFoundError, first_line
from resources.object_store.protocol import ObjectStore

logger = logging.getLogger(__name__)

VECTOR: Final = pl.Array(pl.Float32, EMBEDDING_DIMENSION)


class TrackAudio(pa.DataFrameModel):
    """What is in each track's audio file. `failure`: why it cannot be decoded, else null."""

    track_id: pl.Int64 = pa.Field(unique=True, ge=0)
    file_id: pl.String
    duration_seconds: pl.Float64 = pa.Field(nullable=True, gt=0)
    sample_rate: pl.Int32 = pa.Field(nullable=True, gt=0)
    channels: pl.Int32 = pa.Field(nullable=True, gt=0)
    codec: pl.String = pa.Field(nullable=True)
    failure: pl.String = pa.Field(nullable=True)

    class Config:
        strict = True


class Embeddings(pa.DataFrameModel):
    """Each track's vector: the mean of its windows' (`Windows`)."""

    track_id: pl.Int64 = pa.Field(unique=True, ge=0)
    file_id: pl.String
    vector: pl.Array = pa.Field(dtype_kwargs={"inner": pl.Float32, "shape": EMBEDDING_DIMENSION})

    class Config:
        strict = True


class Windows(pa.DataFrameModel):
    """The vectors of the windows that were heard of an audio file, and where those start. Kept in
    parts (`assets.windows`)."""

    track_id: pl.Int64 = pa.Field(unique=True, ge=0)
    file_id: pl.String
    windows: pl.List = pa.Field(dtype_kwargs={"inner": VECTOR})
    starts_seconds: pl.List = pa.Field(dtype_kwargs={"inner": pl.Float64})

    class Config:
        strict = True


class GenrePredictions(pa.DataFrameModel):
    """Each track's predicted tags, best first, and who predicted them."""

    track_id: pl.Int64 = pa.Field(unique=True, ge=0)
    file_id: pl.String
    classifier: pl.String
    names: pl.List = pa.Field(dtype_kwargs={"inner": pl.String})
    confidences: pl.List = pa.Field(dtype_kwargs={"inner": pl.Float64})

    class Config:
        strict = True


def parquet_of(schema: type[pa.DataFrameModel], rows: pl.DataFrame) -> bytes:
    """A file of `rows`. Raises `pandera.errors.SchemaError` for what does not fit."""
    parquet = io.BytesIO()
    schema.validate(rows).write_parquet(parquet, compression="lz4")
    return parquet.getvalue()


class UnreadableError(BackendError):
    """A stored file is missing or damaged, or what came in its place is no such file."""


def stored_rows(store: ObjectStore, key: str) -> pl.DataFrame:
    """The rows of a file. Raises `UnreadableError`."""
    try:
        return pl.read_parquet(io.BytesIO(store.get(key)))
    except ObjectNotFoundError:
        raise UnreadableError(f"{key} is missing") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UnreadableError(f"{key} is damaged: {first_line(error)}") from error


class BlockTable:
    """One table of one block, read once: what was read or written is held, because only who holds
    the block writes its tables. Make another `BlockTable` to see what has changed since.

    `schema`: its pandera model; `version` tells tables apart that must not be mixed (a model's
    fingerprint); `before_writing` may raise to prevent a write (the block's lock was lost);
    `rebuild` makes the rows again as far as they are to be had elsewhere, when the stored ones were
    given up.
    """

    def __init__(
        self,
        backends: Backends,
        schema: type[pa.DataFrameModel],
        block: Block,
        version: str = "",
        *,
        before_writing: Callable[[], None] = lambda: None,
        rebuild: Callable[[], pl.DataFrame] | None = None,
    ) -> None:
        self._store = backends.store
        self._stored = backends.stored_tables
        self._before_writing = before_writing
        self._rebuild = rebuild
        self.schema = schema
        folder = f"{schema.__name__.lower()}/{version[:16]}" if version else schema.__name__.lower()
        self.name = f"moodsearch/{folder}/{block.key}"
        recorded = self._stored.edition(self.name)
        self._is_written = recorded is not None
        self._edition = recorded or self._latest_edition()
        self._held: pl.DataFrame | None = None
        self._fits = False

    @property
    def key(self) -> str:
        """Where it is in the object store."""
        return f"{self.name}{f'.{self._edition}' if self._edition > 1 else ''}.parquet"

    def _latest_edition(self) -> int:
        """Of a table that no record tells of: the catalogue's may have been lost."""
        found = [
            key.removeprefix(f"{self.name}.").split(".")[0]
            for key in self._store.keys(f"{self.name}.")
        ]
        return max((int(edition) for edition in found if edition.isdecimal()), default=1)

    def read(self) -> pl.DataFrame:
        """The stored table, by track id; empty when none was ever written.

        Raises `UnreadableError` for one that was written and is missing or damaged. It is looked
        for again by later runs; when it was out of reach for a minute it is given up, and the
        next edition is made of what is to be had elsewhere.
        """
        if self._held is None:
            self._held = self._stored_rows()
        return self._held

    def _stored_rows(self) -> pl.DataFrame:
        try:
            rows = stored_rows(self._store, self.key)
        except UnreadableError as error:
            if not self._is_written and not self._store.exists(self.key):
                empty: pl.DataFrame = self.schema.empty()
                return empty
            if self._rebuild is None or not self._stored.is_lost(self.name, self._edition):
                raise
            logger.error("%s; it is left as it is, and made again", error)
            # Recorded as in use once it is written: until then, whatever comes, this is repeated.
            rows = self._rebuild()
            self._edition += 1
            self.write(rows)
            assert self._held is not None
            return self._held
        self._stored.read(self.name)
        return rows

    def track_ids(self) -> set[int]:
        """The tracks that have a row."""
        return set(self.read()["track_id"].to_list())

    def rows_of(self, track_ids: Collection[int]) -> pl.DataFrame:
        """The rows of these tracks, by track id; of those that have none, nothing."""
        return self.read().filter(pl.col("track_id").is_in(list(track_ids)))

    def check(self) -> None:
        """Raises `pandera.errors.SchemaError` for a stored table that does not fit. What this
        object wrote was found to fit when it was written."""
        if not self._fits:
            self.schema.validate(self.read())
            self._fits = True

    def write(self, table: pl.DataFrame) -> None:
        """Replace the stored table. Raises `pandera.errors.SchemaError` for what does not fit."""
        table = table.sort("track_id")
        content = parquet_of(self.schema, table)
        self._before_writing()
        self._held = None
        self._store.put(self.key, content)
        self._stored.wrote(self.name, self._edition)
        self._held, self._is_written, self._fits = table, True, True

    def merge(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert `rows`, replacing those of the same tracks; nothing is written for none."""
        if not rows:
            return
        new = pl.DataFrame(rows, schema=self.schema.empty().schema)
        kept = self.read().filter(~pl.col("track_id").is_in(new["track_id"].implode()))
        self.write(pl.concat([kept, new.select(kept.columns)]))

    def remove(self, track_ids: Collection[int]) -> None:
        """Drop the tracks' rows; nothing is read or written when there are none to drop."""
        if not track_ids:
            return
        table = self.read()
        kept = table.filter(~pl.col("track_id").is_in(list(track_ids)))
        if kept.height < table.height:
            self.write(kept)
