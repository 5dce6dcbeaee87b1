"""Making the index what the records say it is, whatever happened to it behind our back."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from assets.forgetting.tracks import forget_tracks
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.overview import Overview
from resources.errors import BackendError
from resources.vectors.protocol import LARGEST_ID

PATIENCE_SECONDS: Final = 5
"""How long a block that is being worked on is waited for; its turn comes again the next night."""


def index_differs(backends: Backends) -> bool:
    """Whether the index of the configured model holds another number of tracks than recorded. Two
    cheap questions; an index that nobody has begun does not differ."""
    if backends.generations.find(backends.track_model) is None:
        return False
    recorded = Overview(backends.database).count_indexed(backends.generation.id)
    return backends.vectors.count() != recorded


def reconcile_index(backends: Backends) -> int:
    """Delete documents that nobody recorded, and forget records of documents that are not there, so
    that those tracks are pending again. Returns how many differed. Costs the catalogue's size.

    Blocks that are being worked on are left for the next time.
    """
    differed = 0
    for block in _blocks(backends):
        try:
            with backends.locks.hold(block, wait_seconds=PATIENCE_SECONDS):
                differed += _reconcile_block(backends, block)
        except BackendError:
            if not backends.locks.is_held(block):
                raise
    return differed


def forget_hidden(backends: Backends) -> int:
    """Take back the embeddings of tracks that have been hidden for longer than they may stay.
    Returns how many tracks that were. Blocks that are being worked on are left for the next time.
    """
    days = backends.settings.moodsearch_keep_hidden_days
    forgotten = 0
    for block, group in groupby(backends.records.hidden_for(days), key=backends.work.block_of):
        track_ids = list(group)
        try:
            with backends.locks.hold(block, wait_seconds=PATIENCE_SECONDS) as check:
                forget_tracks(backends, track_ids, check)
                forgotten += len(track_ids)
        except BackendError:
            if not backends.locks.is_held(block):
                raise
    return forgotten


def drop_retired_generations(backends: Backends) -> int:
    """Drop the namespaces of models that neither answer nor are configured; returns how many.

    Their embeddings stay on the object store, so going back to such a model embeds nothing.
    """
    mine = backends.generations.id_of(backends.track_model)
    dropped = 0
    for generation in backends.generations.all():
        if generation.id != mine and backends.generations.retire(generation):
            backends.open_vectors(generation.namespace, backends.track_model).drop()
            dropped += 1
    return dropped


def _blocks(backends: Backends) -> Iterator[Block]:
    """Every block of which something is recorded or is in the index, by id."""
    next_id = 0
    for block in [*backends.contents.known_blocks(), None]:
        last = LARGEST_ID if block is None else block.first - 1
        if next_id <= last:
            strangers = backends.vectors.ids(next_id, last)
            yield from (found for found, _ in groupby(strangers, key=backends.work.block_of))
        if block is not None:
            yield block
            next_id = block.last + 1


def _reconcile_block(backends: Backends, block: Block) -> int:
    present = set(backends.vectors.ids(block.first, block.last))
    recorded = backends.records.indexed_ids(backends.generation.id, block)
    # What is to be indexed anyway is only replaced: an index that was left for another one and
    # taken up again goes on answering meanwhile.
    expected = {
        track.track_id
        for track in backends.work.pending(block)
        if track.step in ("probe", "embed", "index")
    }
    orphans = sorted(present - recorded - expected)
    missing = sorted(recorded - present)
    if orphans:
        backends.vectors.delete(orphans)
    if missing:
        backends.records.removed(backends.generation.id, missing)
    return len(orphans) + len(missing)
