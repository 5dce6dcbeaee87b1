"""What to put in place of a block's table that was lost: the rows that are to be had elsewhere. The
others are forgotten, so that they are pending and made again. Free of Dagster."""

import pandera.polars as pa
import polars as pl

from assets.tables import Embeddings, GenrePredictions, TrackAudio
from resources.backends import Backends
from resources.catalogue.work.blocks import Block


def rebuilt(backends: Backends, schema: type[pa.DataFrameModel], block: Block) -> pl.DataFrame:
    """The rows of the block's table, as far as they are to be had. Those of embeddings are of the
    configured model."""
    rows = {
        TrackAudio: _audio,
        Embeddings: _embeddings,
        GenrePredictions: _genres,
    }[schema](backends, block)
    return pl.DataFrame(rows, schema=schema.empty().schema)


def _audio(backends: Backends, block: Block) -> list[dict[str, object]]:
    """Nowhere else, and quick to probe again."""
    lost = backends.records.forget(
        "audio",
        block,
        model=backends.track_model.fingerprint,
        generation=backends.generation.id,
    )
    backends.work.ask_for("index", lost)
    return []


def _embeddings(backends: Backends, block: Block) -> list[dict[str, object]]:
    """From the index, of whose documents it is recorded which audio they are of."""
    model, records = backends.track_model.fingerprint, backends.records
    rows: list[dict[str, object]] = []
    lost = []
    for track_id, file_id, is_indexed in records.embedded_audio(
        model, backends.generation.id, block
    ):
        vector = backends.vectors.vector(track_id) if is_indexed else None
        if vector is None:
            lost.append(track_id)
        else:
            rows.append({"track_id": track_id, "file_id": file_id, "vector": vector})
    records.embedding_lost(model, lost)
    backends.work.ask_for("index", lost)
    return rows


def _genres(backends: Backends, block: Block) -> list[dict[str, object]]:
    """From the app's `tracks.extra`, where they are kept as well: they may have been paid for."""
    rows = backends.records.stored_genres(block)
    lost = backends.records.genres_lost(block, [row["track_id"] for row in rows])
    backends.work.ask_for("genres", lost)
    return rows
