"""clap_embeddings: each track's place in the space that it shares with text."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Final

import dagster as dg
import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.block_run import RETRIES, BlockConfig, BlockRun, BlockRuns, Materialized, Metadata
from assets.blocks import TRACK_BLOCKS
from assets.check_results import (
    check,
    no_tracks,
    schema_check,
    schema_result,
    unit_length_result,
)
from assets.configured import configured, cost_tag, embedding_kinds
from assets.embedders import EmbeddedTrack, embed_tracks, embedder_for
from assets.plots import histogram
from assets.report import Cell
from assets.surroundings import GROUP, SEARCH
from assets.tables import BlockTable, Embeddings, Windows
from assets.track_audio import track_audio
from assets.window_vectors import WindowVectors
from assets.windows import WindowParts
from resources.audio.windows import WINDOWING_VERSION, pool
from resources.catalogue.work.pending import PendingTrack
from resources.catalogue.work.records import AudioRecord
from resources.costs import prices

_SPREAD_SAMPLE: Final = 200
_NEIGHBOURS: Final = 3
"""Titles shown with each track of the preview."""


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[track_audio],
    group_name=GROUP,
    owners=[SEARCH],
    kinds=embedding_kinds(configured()),
    tags=cost_tag(paid=configured().modal_enabled),
    code_version=WINDOWING_VERSION,
    retry_policy=RETRIES,
    check_specs=[
        schema_check("clap_embeddings"),
        check(
            "clap_embeddings",
            "embeddings_unit_length",
            "Every vector is finite and of length 1.",
            blocking=True,
        ),
        check(
            "clap_embeddings",
            "every_decodable_track_embedded",
            "Every public track whose audio can be decoded has a vector of the configured model.",
        ),
    ],
    description="Each track's 512-dimensional vector in the space that it shares with text, and "
    "the vectors of the windows it was pooled from.",
)
def clap_embeddings(
    context: dg.AssetExecutionContext,
    config: BlockConfig,
    block_runs: dg.ResourceParam[BlockRuns],
) -> Materialized:
    with block_runs.start(context, config, "embedding") as run:
        table = run.own_table(Embeddings, run.backends.track_model.fingerprint)
        windows = run.held.windows(run.backends.track_model.fingerprint)
        deleted = [track.track_id for track in run.pending if track.is_deleted]
        run.backends.records.embedding_lost(run.backends.track_model.fingerprint, deleted)
        run.drop(table, deleted)
        windows.drop(deleted)
        to_embed = _without_stored_ones(run, table)
        known, often = bool(run.report.known), run.tried_often()
        with (
            run.decoding(to_embed) as suspects,
            embedder_for(len(to_embed), run.backends, config.concurrency, suspects) as embedder,
            closing(
                embed_tracks(to_embed, run.audio_key, embedder, has_worked=known, tried_often=often)
            ) as chunks,
        ):
            for chunk in chunks:
                _store(run, table, windows, chunk)
                run.note(chunk)
        return run.result(_overview(run, table.read()), _check_results(run, table))


def stored_vectors(run: BlockRun) -> dict[tuple[int, str], NDArray[np.float32]]:
    """The block's vectors (512,) of the configured model, by track id and file id."""
    rows = run.held.table(Embeddings, run.backends.track_model.fingerprint).read()
    keys = zip(rows["track_id"], rows["file_id"], strict=True)
    return dict(zip(keys, rows["vector"].to_numpy(), strict=True))


def _without_stored_ones(run: BlockRun, table: BlockTable) -> list[PendingTrack]:
    """What is to be embedded: pending tracks whose vectors are not in the table.

    Vectors that are there although the track is pending were stored by a run that was killed before
    it said so, or the track is back in the catalogue: they are good, unless the run is forced.
    """
    has_vector = set(table.read().select("track_id", "file_id").iter_rows())

    def is_good(track: PendingTrack) -> bool:
        forced = run.config.force and track.step == "embed"
        return (track.track_id, track.file_id) in has_vector and not forced

    candidates = [track for track in run.pending if track.step in ("embed", "index")]
    found = [track for track in candidates if is_good(track)]
    _record(run, [(t.track_id, t.audio.file_id) for t in found if t.step == "embed"])
    run.finished.update(track.track_id for track in found)
    return [track for track in candidates if not is_good(track)]


def _store(
    run: BlockRun, table: BlockTable, windows: WindowParts, chunk: Sequence[EmbeddedTrack]
) -> None:
    """Windows, then the table, then what is recorded: whenever a kill comes, nothing is missing of
    what is said to be done, and what is in the table is not embedded again. What is replaced is
    forgotten before: the audio may come back."""
    embedded = [(o.track, o.result) for o in chunk if o.result is not None]
    replaced = [track.track_id for track, _ in embedded if track.track_id in run.report.known]
    new_part = windows.append(_windows_of(embedded))
    run.backends.records.embedding_lost(run.backends.track_model.fingerprint, replaced)
    table.merge([_row(track, found) for track, found in embedded])
    _record(run, [(track.track_id, track.audio.file_id) for track, _ in embedded])
    run.backends.records.audio(
        [
            AudioRecord(
                outcome.track.track_id,
                outcome.track.audio.file_id,
                duration_seconds=None,
                failure=outcome.failure.reason,
                tried_with=run.tried_with(outcome.failure),
            )
            for outcome in chunk
            if outcome.failure is not None
        ]
    )
    windows.drop(replaced, but=new_part)
    run.stored([track.track_id for track, _ in embedded])


def _record(run: BlockRun, tracks: Sequence[tuple[int, str]]) -> None:
    """That these (track id, file id) have stored vectors. Their genres are asked for before, so
    that a kill in between does not forget them."""
    run.backends.work.ask_for("genres", [track_id for track_id, _ in tracks])
    run.backends.records.embedded(run.backends.track_model.fingerprint, tracks)


def _row(track: PendingTrack, found: WindowVectors) -> dict[str, object]:
    return {"track_id": track.track_id, "file_id": track.file_id, "vector": pool(found.vectors)}


def _windows_of(embedded: Sequence[tuple[PendingTrack, WindowVectors]]) -> pl.DataFrame:
    rows = [
        {
            "track_id": track.track_id,
            "file_id": track.file_id,
            "windows": list(found.vectors),
            "starts_seconds": list(found.starts_seconds),
        }
        for track, found in embedded
    ]
    return pl.DataFrame(rows, schema=Windows.empty().schema)


def _check_results(run: BlockRun, table: BlockTable) -> list[dg.AssetCheckResult]:
    has_vector = dict(table.read().select("track_id", "file_id").iter_rows())
    expected = run.backends.contents.searchable(run.block)
    lacking = [id_ for id_, file_id in expected.items() if has_vector.get(id_) != file_id]
    return [
        schema_result("clap_embeddings", table),
        unit_length_result("embeddings_unit_length", table),
        no_tracks(
            lacking, "decodable public tracks without a vector", "every_decodable_track_embedded"
        ),
    ]


def _overview(run: BlockRun, table: pl.DataFrame) -> Metadata:
    model = run.backends.track_model
    left = run.left(lambda track: track.step in ("probe", "embed"))
    charged = run.backends.audio_model.charges_for
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(table.height),
        "model": dg.MetadataValue.text(f"{model.id} ({model.fingerprint[:12]})"),
        "preview": run.preview(table["track_id"].to_list(), _columns(run, table)),
        **run.charges.metadata(charged, left, prices.dollars_to_embed),
    }
    if table.height > 1:
        similarities = _pairwise_similarities(table)
        metadata["mean_similarity"] = dg.MetadataValue.float(float(np.mean(similarities)))
        metadata["similarity_spread"] = histogram(
            similarities.tolist(),
            label="cosine similarity of pairs of tracks",
            number="{:.2f}".format,
            counted="pairs",
            bins=40,
        )
    return metadata


def _columns(run: BlockRun, table: pl.DataFrame) -> Callable[[int], Mapping[str, Cell]]:
    """Which tracks of its block sound most like a track."""
    vectors = table["vector"].to_numpy() if table.height else np.empty((0, 0))
    track_ids = table["track_id"].to_list()

    def columns(track_id: int) -> Mapping[str, Cell]:
        position = track_ids.index(track_id)
        similarities = vectors @ vectors[position]
        nearest = [i for i in np.argsort(-similarities) if i != position][:_NEIGHBOURS]
        named = run.backends.tracks.public([track_ids[i] for i in nearest])
        found = [(named.get(track_ids[i]), similarities[i]) for i in nearest]
        sounds_like = [f"{track.title} ({cosine:.2f})" for track, cosine in found if track]
        return {"sounds_like": ", ".join(sounds_like)}

    return columns


def _pairwise_similarities(table: pl.DataFrame) -> NDArray[np.float32]:
    """Cosines (m,) of all pairs among the last tracks: a model that hears no difference shows as
    one spike near 1."""
    vectors = table["vector"].tail(_SPREAD_SAMPLE).to_numpy()
    return np.asarray((vectors @ vectors.T)[np.triu_indices(len(vectors), k=1)])
