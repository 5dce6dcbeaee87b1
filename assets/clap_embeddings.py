"""clap_embeddings: each track's place in the space that it shares with text."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Final

import dagster as dg
import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.block_run import (
    RETRIES,
    BlockConfig,
    BlockRun,
    BlockRuns,
    Columns,
    Materialized,
    Metadata,
)
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


def stored_vectors(
    run: BlockRun, tracks: Sequence[PendingTrack]
) -> dict[tuple[int, str], NDArray[np.float32]]:
    """The tracks' vectors (512,) of the configured model, by track id and file id."""
    if not tracks:
        return {}
    table = run.held.table(Embeddings, run.backends.track_model.fingerprint)
    rows = table.rows_of([track.track_id for track in tracks])
    keys = zip(rows["track_id"], rows["file_id"], strict=True)
    return dict(zip(keys, rows["vector"].to_numpy(), strict=True))


def _without_stored_ones(run: BlockRun, table: BlockTable) -> list[PendingTrack]:
    """What is to be embedded: pending tracks whose vectors are not in the table.

    Vectors that are there although the track is pending were stored by a run that was killed before
    it said so, or the track is back in the catalogue: they are good, unless the run is forced.
    """
    candidates = [track for track in run.pending if track.step in ("embed", "index")]
    rows = table.rows_of([track.track_id for track in candidates])
    has_vector = set(rows.select("track_id", "file_id").iter_rows())

    def is_good(track: PendingTrack) -> bool:
        forced = run.config.force and track.step == "embed"
        return (track.track_id, track.file_id) in has_vector and not forced

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
    if run.answers:
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
    rows = table.read()
    has_vector = dict(zip(rows["track_id"].to_list(), rows["file_id"].to_list(), strict=True))
    expected = run.backends.contents.searchable(run.block)
    if run.config.track_ids is not None:
        expected = {id_: expected[id_] for id_ in run.config.track_ids if id_ in expected}
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
        "preview": run.preview(table["track_id"].to_list(), partial(_columns, run, table)),
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


def _columns(run: BlockRun, table: pl.DataFrame, track_ids: Sequence[int]) -> Columns:
    """Which tracks of their block sound most like these tracks of it."""
    if not track_ids:
        return {}
    ids, vectors = table["track_id"].to_numpy(), table["vector"].to_numpy()
    positions = np.searchsorted(ids, track_ids)
    similarities = vectors[positions] @ vectors.T
    similarities[np.arange(len(positions)), positions] = -np.inf  # A track is not like itself.
    nearest = np.argsort(-similarities, axis=1)[:, : min(_NEIGHBOURS, len(ids) - 1)]
    named = run.backends.tracks.public(np.unique(ids[nearest]).tolist())

    # With their ids, by which `pipelines.previews` finds what shows a track.
    def sounds_like(row: int) -> str:
        found = [(named.get(ids[i]), similarities[row, i]) for i in nearest[row]]
        return ", ".join(f"{t.title} ({cosine:.2f} #{t.id})" for t, cosine in found if t)

    return {id_: {"sounds_like": sounds_like(row)} for row, id_ in enumerate(track_ids)}


def _pairwise_similarities(table: pl.DataFrame) -> NDArray[np.float32]:
    """Cosines (m,) of all pairs among the last tracks: a model that hears no difference shows as
    one spike near 1."""
    vectors = table["vector"].tail(_SPREAD_SAMPLE).to_numpy()
    return np.asarray((vectors @ vectors.T)[np.triu_indices(len(vectors), k=1)])
