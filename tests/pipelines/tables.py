"""Tables that runs write, to be read."""

from assets.tables import BlockTable, Embeddings
from resources.backends import Backends
from resources.catalogue.work.blocks import Block


def embeddings_table(backends: Backends, block: Block) -> BlockTable:
    """The block's vectors of the configured model."""
    return BlockTable(backends, Embeddings, block, backends.track_model.fingerprint)


def lose_embeddings(backends: Backends, block: Block) -> None:
    """The rows are gone although they are recorded."""
    table = embeddings_table(backends, block)
    table.remove(table.track_ids())
