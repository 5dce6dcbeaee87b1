"""What must be true of each block after its assets ran. A check that fails names the tracks."""

import warnings
from collections.abc import Iterable

import dagster as dg
import numpy as np
import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError

from assets.blocks import TRACK_BLOCKS, block_of
from assets.clap_embeddings import clap_embeddings, embeddings_table
from assets.genre_predictions import genre_predictions
from assets.model import text_similarity
from assets.search_index import search_index
from assets.tables import BlockTable, Embeddings, GenrePredictions, TrackAudio
from assets.track_audio import track_audio
from resources.backends import Backends
from resources.embedding.collapse import COLLAPSED_SIMILARITY, UNLIKE_TEXTS, refuse_collapsed
from resources.errors import BackendError, ConfigurationError

# Partitioned checks are marked as a preview by this (pinned) version of Dagster.
warnings.filterwarnings("ignore", "Specifying a partitions_def on an AssetCheckSpec")

UNIT_LENGTH_TOLERANCE = 1e-3


def _schema_result(schema: type[pa.DataFrameModel], table: pl.DataFrame) -> dg.AssetCheckResult:
    try:
        schema.validate(table)
    except SchemaError as error:
        return dg.AssetCheckResult(passed=False, description=str(error)[:500])
    return dg.AssetCheckResult(passed=True, metadata={"rows": table.height})


def _nobody(track_ids: Iterable[int], description: str) -> dg.AssetCheckResult:
    """Passes when there are no such tracks."""
    offenders = sorted(track_ids)
    return dg.AssetCheckResult(
        passed=not offenders,
        description=f"{len(offenders)} {description}" if offenders else None,
        metadata={"count": len(offenders), "track_ids": offenders[:50]},
    )


@dg.asset_check(asset=track_audio, partitions_def=TRACK_BLOCKS, blocking=True)
def track_audio_schema(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """The table has the columns, types and ranges that others rely on."""
    return _schema_result(
        TrackAudio, BlockTable(backends.store, TrackAudio, block_of(context)).read()
    )


@dg.asset_check(asset=clap_embeddings, partitions_def=TRACK_BLOCKS, blocking=True)
def clap_embeddings_schema(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """The table has the columns, types and ranges that others rely on."""
    return _schema_result(Embeddings, embeddings_table(backends, block_of(context)).read())


@dg.asset_check(asset=clap_embeddings, partitions_def=TRACK_BLOCKS, blocking=True)
def embeddings_unit_length(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """Every vector is finite and of length 1."""
    table = embeddings_table(backends, block_of(context)).read("track_id", "vector")
    lengths = np.linalg.norm(table["vector"].to_numpy(), axis=1) if table.height else np.empty(0)
    # Not finite compares as False, so it counts as wrong.
    wrong = ~(np.abs(lengths - 1) <= UNIT_LENGTH_TOLERANCE)
    return _nobody(table["track_id"].to_numpy()[wrong].tolist(), "vectors not of length 1")


@dg.asset_check(asset=clap_embeddings, partitions_def=TRACK_BLOCKS)
def every_decodable_track_embedded(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """Every public track whose audio can be decoded has a vector of the configured model."""
    block = block_of(context)
    table = embeddings_table(backends, block).read("track_id", "file_id")
    expected = backends.contents.searchable(block)
    has_vector = dict(table.iter_rows())
    return _nobody(
        (track_id for track_id, file_id in expected.items() if has_vector.get(track_id) != file_id),
        "decodable public tracks without a vector",
    )


@dg.asset_check(asset=clap_embeddings, partitions_def=TRACK_BLOCKS)
def text_tower_tells_texts_apart(
    _context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """Unlike texts are unlike to the model, so that queries can find different tracks."""
    try:
        similarity = text_similarity(backends)
    except BackendError as error:
        # The vectors of tracks are none the worse for it.
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.WARN, description=str(error)
        )
    metadata: dict[str, str | int | float] = {
        "model": backends.text_model.model.id,
        "mean_similarity": similarity,
        "refused_from": COLLAPSED_SIMILARITY,
        "texts": len(UNLIKE_TEXTS),
    }
    try:
        refuse_collapsed(backends.text_model.model, similarity)
    except ConfigurationError as error:
        return dg.AssetCheckResult(passed=False, description=str(error), metadata=metadata)
    return dg.AssetCheckResult(passed=True, metadata=metadata)


@dg.asset_check(asset=search_index, partitions_def=TRACK_BLOCKS)
def index_equals_catalogue(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """The index holds exactly the public tracks whose audio can be decoded."""
    block = block_of(context)
    indexed = set(backends.vectors.ids(block.first, block.last))
    return _nobody(
        indexed.symmetric_difference(backends.contents.searchable(block)),
        "tracks missing from the index or too many in it",
    )


@dg.asset_check(asset=search_index, partitions_def=TRACK_BLOCKS)
def no_track_is_waiting(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """Nothing that is pending was tried in vain: no audio is missing, nothing outside is down."""
    waiting = backends.work.tried_in_vain("index", block_of(context))
    reasons = "; ".join(sorted(set(waiting.values()))[:5])
    return _nobody(waiting, f"tracks are waiting: {reasons}")


@dg.asset_check(asset=genre_predictions, partitions_def=TRACK_BLOCKS)
def genre_predictions_schema(
    context: dg.AssetCheckExecutionContext, backends: dg.ResourceParam[Backends]
) -> dg.AssetCheckResult:
    """The table has the columns, types and ranges that others rely on."""
    return _schema_result(
        GenrePredictions, BlockTable(backends.store, GenrePredictions, block_of(context)).read()
    )
