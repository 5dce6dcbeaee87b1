"""genre_predictions: what genres a classifier hears in each track, for recommended tags."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import dagster as dg

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
from assets.check_results import schema_check, schema_result
from assets.clap_embeddings import clap_embeddings, stored_vectors
from assets.configured import configured, cost_tag, genre_kinds, genre_pool
from assets.outcomes import Judge, Outcome, outcomes_in_chunks, threads_for
from assets.report import table_of
from assets.surroundings import GROUP, SEARCH
from assets.tables import BlockTable, GenrePredictions
from resources.catalogue.work.pending import PendingTrack
from resources.costs import prices
from resources.genres.protocol import GenrePrediction, GenreRequest

Classified = Outcome[Sequence[GenrePrediction]]

_GENRES_SHOWN: Final = 3
"""Of each track of the preview, best first."""


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[clap_embeddings],
    group_name=GROUP,
    owners=[SEARCH],
    kinds=genre_kinds(configured()),
    tags=cost_tag(paid=configured().replicate_enabled),
    pool=genre_pool(configured()),
    code_version="1",
    retry_policy=RETRIES,
    check_specs=[schema_check("genre_predictions")],
    description="Genres of each track with a confidence, kept in the app's `tracks.extra` too: "
    "effnet-discogs on Replicate, or zero-shot from the embeddings. Tracks marked with "
    "`extra.auto_tag` get the best of them as tags.",
)
def genre_predictions(
    context: dg.AssetExecutionContext,
    config: BlockConfig,
    block_runs: dg.ResourceParam[BlockRuns],
) -> Materialized:
    with block_runs.start(context, config, "genres") as run:
        table = run.own_table(GenrePredictions)
        run.drop(table, table.track_ids() - run.backends.contents.exists(run.block))
        for chunk in _classify(run, [track for track in run.pending if track.needs_genres]):
            _store(run, table, chunk)
            run.note(chunk)
        tagged = run.backends.auto_tags.apply(run.block)
        run.backends.work.settle("genres", run.block)
        for track_id, problem in tagged.problems.items():
            context.log.warning("track %d could not be tagged: %s", track_id, problem)
        overview = _overview(run, table, auto_tagged=len(tagged.done))
        return run.result(overview, [schema_result("genre_predictions", table)])


def _classify(run: BlockRun, tracks: Sequence[PendingTrack]) -> Iterator[list[Classified]]:
    classifier = run.backends.classifier
    requests = _requests(run, tracks)

    def classify(track: PendingTrack) -> Sequence[GenrePrediction]:
        return classifier.classify(requests[track.track_id])

    return outcomes_in_chunks(
        [track for track in tracks if track.track_id in requests],
        classify,
        threads_for(run.config.concurrency, waits=classifier.is_remote),
        Judge(classify, has_worked=bool(run.report.known), tried_often=run.tried_often()),
    )


def _requests(run: BlockRun, tracks: Sequence[PendingTrack]) -> dict[int, GenreRequest]:
    """What the classifier is asked, by track id. Tracks whose vector is needed but gone are to be
    embedded again first."""
    if not run.backends.classifier.needs_embedding:
        return {t.track_id: GenreRequest(t.track_id, run.audio_key(t)) for t in tracks}
    vectors = stored_vectors(run, tracks)
    requests = {
        track.track_id: GenreRequest(track.track_id, run.audio_key(track), vectors[key])
        for track in tracks
        if (key := (track.track_id, track.audio.file_id)) in vectors
    }
    lost = [track.track_id for track in tracks if track.track_id not in requests]
    run.backends.work.ask_for("index", lost)
    run.backends.records.embedding_lost(run.backends.track_model.fingerprint, lost)
    return requests


def _store(run: BlockRun, table: BlockTable, chunk: Sequence[Classified]) -> None:
    """The table first: a kill in between classifies again what is not recorded."""
    records, name = run.backends.records, run.backends.classifier.name
    done = [(o.track, o.result) for o in chunk if o.result is not None]
    table.merge([_row(track, predictions, name) for track, predictions in done])
    for track, predictions in done:
        records.genres(track.track_id, track.audio.file_id, predictions, name)
    for outcome in chunk:
        if outcome.failure is not None:
            records.genres_failed(
                outcome.track.track_id,
                outcome.track.audio.file_id,
                outcome.failure.reason,
                name,
                tried_with=run.tried_with(outcome.failure),
            )
    run.stored([track.track_id for track, _ in done])


def _row(
    track: PendingTrack, predictions: Sequence[GenrePrediction], classifier: str
) -> dict[str, object]:
    return {
        "track_id": track.track_id,
        "file_id": track.audio.file_id,
        "classifier": classifier,
        "names": [prediction.name for prediction in predictions],
        "confidences": [prediction.confidence for prediction in predictions],
    }


def _overview(run: BlockRun, table: BlockTable, *, auto_tagged: int) -> Metadata:
    classifier, rows = run.backends.classifier, table.read()
    commonest = rows["names"].list.first().drop_nulls().value_counts(sort=True).head(10)
    left = run.left(lambda track: track.needs_genres)
    return {
        "dagster/row_count": dg.MetadataValue.int(rows.height),
        "classifier": dg.MetadataValue.text(classifier.name),
        "commonest": table_of(commonest.rename({"names": "genre", "count": "tracks"}).to_dicts()),
        "preview": run.preview(table.track_ids(), partial(_columns, table)),
        "auto_tagged": dg.MetadataValue.int(auto_tagged),
        **run.charges.metadata(classifier.charges_for, left, prices.dollars_to_classify),
    }


def _columns(table: BlockTable, track_ids: Sequence[int]) -> Columns:
    rows = table.rows_of(track_ids).iter_rows(named=True)
    return {row["track_id"]: {"genres": _best(row["names"], row["confidences"])} for row in rows}


def _best(names: Sequence[str], confidences: Sequence[float]) -> str:
    best = list(zip(names, confidences, strict=True))[:_GENRES_SHOWN]
    return ", ".join(f"{name} ({confidence:.2f})" for name, confidence in best)
