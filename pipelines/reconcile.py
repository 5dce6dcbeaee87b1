"""Making the index what the records say it is, whatever happened to it behind our back."""

from resources.backends import Backends
from resources.catalogue.blocks import Block
from resources.vectors.protocol import LARGEST_ID


def index_differs(backends: Backends) -> bool:
    """Whether the index holds another number of tracks than recorded. One cheap question."""
    recorded = backends.records.count_indexed(backends.generation.id)
    return backends.vectors.count() != recorded


def reconcile_index(backends: Backends) -> int:
    """Delete documents that nobody recorded, and forget records of documents that are not there, so
    that those tracks are pending again. Returns how many differed. Costs the catalogue's size.
    """
    first_beyond = 0
    differed = 0
    for block in backends.work.known_blocks():
        with backends.work.lock(block):
            differed += _reconcile_block(backends, block)
        first_beyond = block.last + 1
    return differed + _reconcile_block(backends, Block(first_beyond, LARGEST_ID))


def drop_retired_generations(backends: Backends) -> int:
    """Drop the namespaces of models that neither answer nor are configured; returns how many.

    Their embeddings stay on the object store, so going back to such a model embeds nothing.
    """
    retired = [
        generation
        for generation in backends.generations.all()
        if not generation.is_live and generation.id != backends.generation.id
    ]
    for generation in retired:
        backends.open_vectors(generation.namespace, backends.track_model).drop()
        backends.generations.forget(generation)
    return len(retired)


def _reconcile_block(backends: Backends, block: Block) -> int:
    present = set(backends.vectors.ids(block.first, block.last))
    recorded = backends.records.indexed_ids(backends.generation.id, block)
    orphans, missing = sorted(present - recorded), sorted(recorded - present)
    if orphans:
        backends.vectors.delete(orphans)
    if missing:
        backends.records.removed(missing)
    return len(orphans) + len(missing)
