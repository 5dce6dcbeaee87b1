"""The vectors of each track's windows, kept apart from their mean so that an increment does not
carry those of the whole block."""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping

import polars as pl

from assets.tables import UnreadableError, Windows, parquet_of, stored_rows
from resources.catalogue.work.blocks import Block
from resources.object_store.protocol import ObjectStore

logger = logging.getLogger(__name__)


class WindowParts:
    """The windows of one block's tracks under one model, in parts that are written once; what is
    forgotten is taken out of them (`assets.forgetting`).

    `model`: its fingerprint. `before_writing` may raise to prevent a write (the block's lock was
    lost). A part holds what was embedded together, and its name says from which track id to which,
    so that a track is found without reading the others. A block has at most as many parts as times
    that something was embedded in it: one for each upload, where they come one by one.

    A row is of one audio file. Which file a track has now is for the reader to say, so what is left
    of replaced audio, or stored twice after a kill, is never taken for the track's.
    """

    def __init__(
        self,
        store: ObjectStore,
        block: Block,
        model: str,
        before_writing: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._before_writing = before_writing
        self._folder = f"moodsearch/windows/{model[:16]}/{block.key}/"

    def append(self, rows: pl.DataFrame) -> str | None:
        """Store rows (`Windows`) as a part of their own, and return its key; for no rows nothing is
        written. Raises `pandera.errors.SchemaError` for what does not fit."""
        if not rows.height:
            return None
        content = parquet_of(Windows, rows.sort("track_id"))
        ids = rows["track_id"].to_list()
        digest = hashlib.sha256(content).hexdigest()[:16]
        name = f"{min(ids):019d}-{max(ids):019d}-{digest}.parquet"
        self._before_writing()
        self._store.put(self._folder + name, content)
        return self._folder + name

    def read(self, file_ids: Mapping[int, str]) -> pl.DataFrame:
        """The windows of these audio files, given by track id; no row where there are none. Lists
        the parts, and reads those that may hold one of the tracks."""
        parts = [self._rows(key) for key in self._keys(file_ids)]
        rows = pl.concat([Windows.empty(), *parts])
        files = rows.select("track_id", "file_id").iter_rows()
        wanted = [file_ids.get(id_) == file_id for id_, file_id in files]
        return rows.filter(pl.Series(wanted, dtype=pl.Boolean)).unique("track_id").sort("track_id")

    def drop(self, track_ids: Collection[int], *, but: str | None = None) -> None:
        """Drop the windows of these tracks from every part `but` the one of that key. Costs nothing
        for no track, and otherwise the parts that hold one of them."""
        for key in self._keys(track_ids):
            if key == but:
                continue
            part = self._rows(key)
            wanted = [id_ not in track_ids for id_ in part["track_id"]]
            if not all(wanted):
                # Before the part goes: a kill in between leaves rows twice, which is harmless.
                self.append(part.filter(pl.Series(wanted, dtype=pl.Boolean)))
                self._before_writing()
                self._store.delete(key)

    def _keys(self, track_ids: Collection[int]) -> Iterator[str]:
        """Of the parts that may hold one of the tracks."""
        for key in list(self._store.keys(self._folder)) if track_ids else []:
            first, last, _ = key.removeprefix(self._folder).split("-")
            if any(int(first) <= track_id <= int(last) for track_id in track_ids):
                yield key

    def _rows(self, key: str) -> pl.DataFrame:
        """A damaged part counts as none: its tracks have no windows. It is left as it is."""
        try:
            return stored_rows(self._store, key)
        except UnreadableError as error:
            logger.warning("%s", error)
            return pl.DataFrame(schema=Windows.empty().schema)
