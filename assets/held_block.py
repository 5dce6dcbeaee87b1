"""A block that is held, and what is known of it for that reason. Free of Dagster."""

from contextlib import ExitStack
from functools import partial

import pandera.polars as pa

from assets.rebuilding import rebuilt
from assets.tables import BlockTable
from assets.windows import WindowParts
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack


class HeldBlock:
    """Holds the block's lock until it is closed. Meanwhile only its holder writes the block's
    tables, so each is read once. Raises `BackendError` when another process works on the block."""

    def __init__(self, backends: Backends, block: Block) -> None:
        self.block = block
        self.backends = backends
        self._tables: dict[tuple[type[pa.DataFrameModel], str], BlockTable] = {}
        self._handed_on: list[PendingTrack] | None = None
        self._stack = ExitStack()
        self.check = self._stack.enter_context(backends.locks.hold(block))

    def close(self) -> None:
        """Let go of the block."""
        self._stack.close()

    def table(self, schema: type[pa.DataFrameModel], version: str = "") -> BlockTable:
        """The same table, with what it has read, each time. `version`: see `BlockTable`."""
        table = self._tables.get((schema, version))
        if table is None:
            table = self._tables[schema, version] = BlockTable(
                self.backends,
                schema,
                self.block,
                version,
                before_writing=self.check,
                rebuild=partial(rebuilt, self.backends, schema, self.block),
            )
        return table

    def windows(self, model: str) -> WindowParts:
        """The block's windows under a model (its fingerprint)."""
        return WindowParts(self.backends.store, self.block, model, self.check)

    def hand_on(self, pending: list[PendingTrack]) -> None:
        """Tell the next asset what is pending, where this one knows. Changes of the catalogue in
        the meantime are seen by the asset after that one, or by the next run."""
        self._handed_on = pending

    def take_pending(self) -> list[PendingTrack]:
        """What is pending in the block, by track id: as handed on, or else as compared now."""
        pending, self._handed_on = self._handed_on, None
        return self.backends.work.pending(self.block) if pending is None else pending
