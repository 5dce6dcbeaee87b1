"""clap_embeddings: each track's place in the space that it shares with text."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import dagster as dg
import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.blocks import TRACK_BLOCKS, block_of
from assets.charges import Charges
from assets.embedding import MOST_AHEAD, EmbeddedTrack, embed_tracks
from assets.embedding_processes import EmbeddingProcesses
from assets.plots import histogram
from assets.report import Report, preview
from assets.tables import BlockTable, Embeddings
from assets.track_audio import track_audio
from assets.window_vectors import EmbeddingThreads, WindowEmbedder
from assets.work import RETRIES, Progress, WorkConfig, pending_tracks, working_on
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack
from resources.catalogue.work.records import AudioRecord
from resources.costs import prices
from resources.costs.prices import Measure
from resources.machine.core_locks import taken_cores

WORTH_PROCESSES: Final = 16
"""Fewer tracks are embedded before processes have imported and loaded what they need."""

_SPREAD_SAMPLE = 200


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[track_audio],
    group_name="mood_search",
    kinds={"onnx", "polars", "parquet"},
    retry_policy=RETRIES,
    description="Each track's 512-dimensional vector in the space that it shares with text, and "
    "the vectors of the windows it was pooled from.",
)
def clap_embeddings(
    context: dg.AssetExecutionContext,
    config: WorkConfig,
    backends: dg.ResourceParam[Backends],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    block = block_of(context)
    report = Report()
    charges = _charges(backends)
    with working_on(context, backends, block) as check_lock:
        table = embeddings_table(backends, block, check_lock)
        pending = pending_tracks(backends, block, config)
        stored = table.read("track_id", "file_id")
        known = set(stored["track_id"])
        deleted = [track.track_id for track in pending if track.is_deleted]
        table.remove(deleted)
        report.removed = len(known.intersection(deleted))
        to_embed = _without_stored_ones(backends, pending, stored)
        with (
            _embedder(backends, config, len(to_embed)) as embedder,
            closing(embed_tracks(to_embed, _key_in(backends), embedder)) as embedded,
        ):
            for chunk in embedded:
                _store(backends, table, chunk)
                _count(report, chunk, known)
                backends.work.note_errors("index", report.reasons())
                embedded_now = sum(result.vector is not None for result in chunk)
                progress.advance("clap_embeddings", embedded_now)
    report.unchanged = len(known) - report.changed - report.removed
    overview = _overview(backends, table.read("track_id", "vector", "starts_seconds"))
    costs = _costs(backends, block, charges)
    return dg.MaterializeResult(metadata={**report.metadata(), **overview, **costs})


def _charges(backends: Backends) -> Charges:
    measures = (Measure.MODAL_AUDIO_REQUESTS, Measure.MODAL_REQUEST_SECONDS)
    return Charges(backends, measures if backends.settings.modal_enabled else ())


def _costs(backends: Backends, block: Block, charges: Charges) -> dict[str, dg.MetadataValue]:
    left = sum(track.step in ("probe", "embed") for track in backends.work.pending(block))
    on_modal = backends.settings.modal_enabled
    return charges.metadata(left, prices.dollars_to_embed(left) if on_modal else 0.0)


def embeddings_table(
    backends: Backends, block: Block, before_writing: Callable[[], None] = lambda: None
) -> BlockTable:
    """The block's vectors of the configured model."""
    version = backends.track_model.fingerprint
    return BlockTable(backends.store, Embeddings, block, version, before_writing)


def stored_vectors(backends: Backends, block: Block) -> dict[tuple[int, str], NDArray[np.float32]]:
    """The block's vectors (512,) of the configured model, by track id and file id."""
    rows = embeddings_table(backends, block).read("track_id", "file_id", "vector")
    keys = zip(rows["track_id"], rows["file_id"], strict=True)
    return dict(zip(keys, rows["vector"].to_numpy(), strict=True))


@contextmanager
def _embedder(backends: Backends, config: WorkConfig, tracks: int) -> Iterator[WindowEmbedder]:
    """Processes where embedding computes, for so many tracks that starting them is worth it, and
    while other runs leave cores for them."""
    settings = backends.settings
    most = min(tracks, MOST_AHEAD)
    if settings.modal_enabled or tracks < WORTH_PROCESSES:
        yield _threads(backends, config)
    elif config.concurrency is not None:
        yield _processes(backends, config, min(config.concurrency, most))
    else:
        with taken_cores(settings.moodsearch_home, most) as cores:
            yield _processes(backends, config, cores)


def _threads(backends: Backends, config: WorkConfig) -> WindowEmbedder:
    threads = config.threads(waits=backends.settings.embeds_elsewhere)
    return EmbeddingThreads(backends.store, backends.audio_model, threads)


def _processes(backends: Backends, config: WorkConfig, count: int) -> WindowEmbedder:
    """A single process is no gain over threads."""
    if count < 2:
        return _threads(backends, config)
    fingerprint = backends.audio_model.model.fingerprint
    return EmbeddingProcesses(backends.embedding_backends, fingerprint, count)


def _key_in(backends: Backends) -> Callable[[PendingTrack], str]:
    return lambda track: backends.audio_key(track.audio)


def _without_stored_ones(
    backends: Backends, pending: list[PendingTrack], stored: pl.DataFrame
) -> list[PendingTrack]:
    """What is to be embedded: pending tracks whose vectors are not in the table.

    Vectors that are there although the track is pending were stored by a run that was killed before
    it said so, or the track is back in the catalogue: they are good.
    """
    has_vector = set(stored.iter_rows())
    candidates = [track for track in pending if track.step in ("embed", "index")]
    found = [t for t in candidates if (t.track_id, t.file_id) in has_vector]
    backends.work.ask_for("genres", [track.track_id for track in found if track.step == "embed"])
    backends.records.embedded(
        backends.track_model.fingerprint,
        [(track.track_id, track.audio.file_id) for track in found if track.step == "embed"],
    )
    return [t for t in candidates if (t.track_id, t.file_id) not in has_vector]


def _store(backends: Backends, table: BlockTable, chunk: list[EmbeddedTrack]) -> None:
    """The table first: a kill in between loses nothing that is said to be done."""
    rows = [_row(result) for result in chunk if result.vector is not None]
    if rows:
        table.merge(pl.DataFrame(rows, schema=Embeddings.empty().schema))
    done = [
        (result.track.track_id, result.track.audio.file_id)
        for result in chunk
        if result.vector is not None
    ]
    backends.work.ask_for("genres", [track_id for track_id, _ in done])
    backends.records.embedded(backends.track_model.fingerprint, done)
    backends.records.audio(
        [
            AudioRecord(result.track.track_id, result.track.audio.file_id, None, result.failure)
            for result in chunk
            if result.failure is not None
        ]
    )


def _row(result: EmbeddedTrack) -> dict[str, object]:
    assert result.windows is not None
    return {
        "track_id": result.track.track_id,
        "file_id": result.track.file_id,
        "vector": result.vector,
        "windows": list(result.windows),
        "starts_seconds": list(result.starts_seconds),
    }


def _count(report: Report, chunk: list[EmbeddedTrack], known: set[int]) -> None:
    done = [result.track.track_id for result in chunk if result.vector is not None]
    report.count(done, known)
    report.failed += sum(result.failure is not None for result in chunk)
    report.waiting |= {
        result.track.track_id: result.waiting for result in chunk if result.waiting is not None
    }


def _overview(backends: Backends, table: pl.DataFrame) -> dict[str, dg.MetadataValue]:
    model = backends.track_model
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(table.height),
        "model": dg.MetadataValue.text(f"{model.id} ({model.fingerprint[:12]})"),
        "preview": preview(
            table.tail(10)
            .select(
                "track_id",
                pl.col("starts_seconds").list.len().alias("windows"),
                pl.col("vector").arr.to_list().list.head(4).alias("vector_begins_with"),
            )
            .with_columns(pl.col("vector_begins_with").cast(pl.List(pl.String)).list.join(", "))
            .to_dicts()
        ),
    }
    if table.height > 1:
        similarities = _pairwise_similarities(table)
        metadata["mean_similarity"] = dg.MetadataValue.float(float(np.mean(similarities)))
        metadata["similarity_spread"] = histogram(
            similarities.tolist(),
            label="cosine similarity of pairs of tracks",
            counted="pairs",
            bins=40,
        )
    return metadata


def _pairwise_similarities(table: pl.DataFrame) -> NDArray[np.float32]:
    """Cosines (m,) of all pairs among the last tracks: a model that hears no difference shows as
    one spike near 1."""
    vectors = table["vector"].tail(_SPREAD_SAMPLE).to_numpy()
    return np.asarray((vectors @ vectors.T)[np.triu_indices(len(vectors), k=1)])
