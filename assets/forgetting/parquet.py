"""Rows of the Parquet files in the object store, whichever model or edition they are of."""

import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.forgetting.subject import Subject
from assets.tables import stored_rows
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.contents import read_block_size

_KEY: Final = re.compile(
    r"moodsearch/(?P<table>[a-z]+)/((?P<model>[0-9a-z]+)/)?(?P<block>\d+-\d+)"
    r"(\.(?P<edition>\d+))?(\.parquet|/(?P<first>\d+)-(?P<last>\d+)-[0-9a-f]+\.parquet)"
)


@dataclass(frozen=True)
class StoredFile:
    """A Parquet file: a table of a block in one of its editions, or a part of its windows."""

    key: str
    name: str
    block: Block
    edition: int
    first: int
    last: int

    @classmethod
    def of(cls, key: str) -> "StoredFile | None":
        """None for a key that is no such file's."""
        found = _KEY.fullmatch(key)
        if found is None:
            return None
        block = Block.from_key(found["block"])
        first, last = found["first"] or block.first, found["last"] or block.last
        name = key[: found.end("block")]
        return cls(key, name, block, int(found["edition"] or 1), int(first), int(last))

    def may_hold(self, track_ids: Collection[int]) -> bool:
        return any(self.first <= track_id <= self.last for track_id in track_ids)


@dataclass(frozen=True)
class ParquetRows:
    """The subject's rows of one table: each file that has some is written again without them.

    Editions that were given up are deleted: nothing reads them any more, and what cannot be read
    cannot be searched. `before_writing` may raise to prevent a write (the block's lock was lost).
    `listed`: keys to look at besides those of the models that are recorded.
    """

    backends: Backends
    table: str
    stays_while_hidden: bool
    has_models: bool
    before_writing: Callable[[], None]
    listed: Sequence[str]

    @property
    def name(self) -> str:
        return f"moodsearch/{self.table}/"

    def holds(self, place: str) -> bool:
        return place.startswith(self.name) and StoredFile.of(place) is not None

    def remove(self, subject: Subject) -> int:
        removed = 0
        for block, part in subject.by_block(read_block_size(self.backends.database)):
            for file in self._files(block, part):
                removed += self._remove(file, part.track_ids)
        return removed

    def _files(self, block: Block, subject: Subject) -> Iterator[StoredFile]:
        prefixes = self._prefixes(block)
        keys = [key for prefix in prefixes for key in self.backends.store.keys(prefix)]
        for key in dict.fromkeys([*keys, *filter(self.holds, self.listed)]):
            file = StoredFile.of(key)
            if file and file.block == block and file.may_hold(subject.track_ids):
                yield file

    def _prefixes(self, block: Block) -> list[str]:
        if not self.has_models:
            return [self.name + block.key]
        rows = self.backends.database.rows(
            """
            SELECT left(model, 16) AS model FROM moodsearch.generations
            UNION SELECT split_part(name, '/', 3) FROM moodsearch.stored_tables
            WHERE name LIKE 'moodsearch/embeddings/%%/' || %(block)s
            """,
            {"block": block.key},
        )
        return [f"{self.name}{row['model']}/{block.key}" for row in rows]

    def _remove(self, file: StoredFile, track_ids: Collection[int]) -> int:
        if file.edition < (self.backends.stored_tables.edition(file.name) or 1):
            self.before_writing()
            self.backends.store.delete(file.key)
            return 1
        rows = stored_rows(self.backends.store, file.key)
        kept = rows.filter(~pl.col("track_id").is_in(list(track_ids)))
        if kept.height == rows.height:
            return 0
        self.before_writing()
        if kept.height or self.table != "windows":
            # Also where nothing is left: a table that was written and is missing counts as lost.
            self.backends.store.put(file.key, _written(kept))
        else:
            self.backends.store.delete(file.key)
        return rows.height - kept.height


def _written(rows: pl.DataFrame) -> bytes:
    parquet = io.BytesIO()
    rows.write_parquet(parquet, compression="lz4")
    return parquet.getvalue()
