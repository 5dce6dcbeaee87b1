"""Making the index what the records say it is, whatever happened to it behind our back."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Final

from assets.forgetting.tracks import forget_tracks
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.generations import Generation
from resources.catalogue.work.overview import Overview
from resources.errors import BackendError
from resources.vectors.protocol import LARGEST_ID

KEEP_REPLACED: Final = timedelta(days=7)
"""How long `moodsearch models rollback` finds an index that was replaced."""

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


def drop_replaced_generations(backends: Backends, age: timedelta = KEEP_REPLACED) -> int:
    """Drop the indexes that were replaced longer ago than `age`; returns how many."""
    old = backends.generations.replaced_before(age)
    return sum(drop_generation(backends, generation) for generation in old)


def drop_generation(backends: Backends, generation: Generation) -> bool:
    """Drop a model's index; False when it answers. Its embeddings stay on the object store, so
    going back to the model embeds nothing."""
    if not backends.generations.begin_to_drop(generation):
        return False
    backends.open_vectors(generation.namespace, generation.description).drop()
    backends.generations.dropped(generation)
    return True


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
