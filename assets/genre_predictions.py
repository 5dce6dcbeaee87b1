"""genre_predictions: what genres a classifier hears in each track, for recommended tags."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import dagster as dg
import polars as pl

from assets.blocks import TRACK_BLOCKS, block_of
from assets.charges import Charges
from assets.clap_embeddings import clap_embeddings, stored_vectors
from assets.report import Report, preview
from assets.tables import BlockTable, GenrePredictions
from assets.work import (
    CHUNK_TRACKS,
    RETRIES,
    Progress,
    Waiting,
    WorkConfig,
    is_outage,
    pending_tracks,
    working_on,
)
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack
from resources.costs import estimate
from resources.costs.measures import Measure
from resources.errors import BackendError, TrackError
from resources.genres.protocol import GenrePrediction, GenreRequest


@dataclass(frozen=True)
class Classified:
    """A track's predictions, or why there are none: `failure` for good, `waiting` at present."""

    track: PendingTrack
    predictions: Sequence[GenrePrediction] = ()
    failure: str | None = None
    waiting: Waiting | None = None


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[clap_embeddings],
    group_name="mood_search",
    kinds={"replicate", "polars", "parquet"},
    retry_policy=RETRIES,
    description="Genres of each track with a confidence, kept in the app's `tracks.extra` too: "
    "effnet-discogs on Replicate, or zero-shot from the embeddings. Tracks marked with "
    "`extra.auto_tag` get the best of them as tags.",
)
def genre_predictions(
    context: dg.AssetExecutionContext,
    config: WorkConfig,
    backends: dg.ResourceParam[Backends],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    block = block_of(context)
    report = Report()
    charges = _charges(backends)
    with working_on(context, backends, block) as check_lock:
        table = BlockTable(backends.store, GenrePredictions, block, before_writing=check_lock)
        stored = set(table.read("track_id")["track_id"])
        known = stored & backends.contents.exists(block)
        table.remove(sorted(stored - known))
        report.removed = len(stored - known)
        pending = pending_tracks(backends, block, config)
        to_classify = [track for track in pending if track.needs_genres]
        requests = _requests(backends, block, to_classify)
        threads = config.threads(waits=backends.settings.replicate_enabled)
        for chunk in _classify(backends, requests, threads):
            _store(backends, table, chunk, report, known)
            backends.work.note_errors("genres", report.reasons())
            progress.advance("genre_predictions", len(chunk))
        tagged = backends.auto_tags.apply(block)
        backends.work.settle("genres", block)
    for track_id, problem in tagged.problems.items():
        context.log.warning("track %d could not be tagged: %s", track_id, problem)
    report.unchanged = len(known) - report.changed
    auto_tagged = {"auto_tagged": dg.MetadataValue.int(len(tagged.done))}
    overview = {**_overview(backends, table.read()), **_costs(backends, block, charges)}
    return dg.MaterializeResult(metadata={**report.metadata(), **overview, **auto_tagged})


def _charges(backends: Backends) -> Charges:
    on_replicate = backends.settings.replicate_enabled
    measures = (Measure.REPLICATE_PREDICTIONS, Measure.REPLICATE_SECONDS)
    return Charges(backends, measures if on_replicate else ())


def _costs(backends: Backends, block: Block, charges: Charges) -> dict[str, dg.MetadataValue]:
    left = sum(track.needs_genres for track in backends.work.pending(block))
    on_replicate = backends.settings.replicate_enabled
    return charges.metadata(left, estimate.classification(left) if on_replicate else 0.0)


def _requests(
    backends: Backends, block: Block, tracks: list[PendingTrack]
) -> list[tuple[PendingTrack, GenreRequest]]:
    """What the classifier is asked. Tracks whose vector is needed but gone are to be embedded again
    first."""
    if not backends.classifier.needs_embedding:
        return [(t, GenreRequest(t.track_id, backends.audio_key(t.audio))) for t in tracks]
    vectors = stored_vectors(backends, block) if tracks else {}
    requests = []
    for track in tracks:
        vector = vectors.get((track.track_id, track.audio.file_id))
        if vector is not None:
            request = GenreRequest(track.track_id, backends.audio_key(track.audio), vector)
            requests.append((track, request))
    ready = {track.track_id for track, _ in requests}
    lost = [track.track_id for track in tracks if track.track_id not in ready]
    backends.work.ask_for("index", lost)
    backends.records.embedding_lost(backends.track_model.fingerprint, lost)
    return requests


def _classify(
    backends: Backends, requests: list[tuple[PendingTrack, GenreRequest]], concurrency: int
) -> Iterator[list[Classified]]:
    """Classify in chunks, to be stored before the next is asked for; stops early in an outage."""

    def classify_one(item: tuple[PendingTrack, GenreRequest]) -> Classified:
        track, request = item
        try:
            return Classified(track, backends.classifier.classify(request))
        except TrackError as error:
            return Classified(track, failure=str(error))
        except BackendError as error:
            return Classified(track, waiting=Waiting(str(error), is_outage=True))

    with ThreadPoolExecutor(concurrency, thread_name_prefix="classify") as pool:
        for start in range(0, len(requests), CHUNK_TRACKS):
            chunk = list(pool.map(classify_one, requests[start : start + CHUNK_TRACKS]))
            yield chunk
            if is_outage([result.waiting for result in chunk]):
                return


def _store(
    backends: Backends,
    table: BlockTable,
    chunk: list[Classified],
    report: Report,
    known: set[int],
) -> None:
    done = [result for result in chunk if result.failure is None and result.waiting is None]
    if done:
        rows = [_row(backends, result) for result in done]
        table.merge(pl.DataFrame(rows, schema=GenrePredictions.empty().schema))
    for result in done:
        audio = result.track.audio
        backends.records.genres(
            result.track.track_id, audio.file_id, result.predictions, backends.classifier.name
        )
    for result in chunk:
        if result.failure is not None:
            audio = result.track.audio
            backends.records.genres_failed(
                result.track.track_id, audio.file_id, result.failure, backends.classifier.name
            )
            report.failed += 1
        if result.waiting is not None:
            report.waiting[result.track.track_id] = result.waiting
    report.count([result.track.track_id for result in done], known)


def _row(backends: Backends, result: Classified) -> dict[str, object]:
    return {
        "track_id": result.track.track_id,
        "file_id": result.track.audio.file_id,
        "classifier": backends.classifier.name,
        "names": [prediction.name for prediction in result.predictions],
        "confidences": [prediction.confidence for prediction in result.predictions],
    }


def _overview(backends: Backends, table: pl.DataFrame) -> dict[str, dg.MetadataValue]:
    commonest = table["names"].list.first().drop_nulls().value_counts(sort=True).head(10)
    return {
        "dagster/row_count": dg.MetadataValue.int(table.height),
        "classifier": dg.MetadataValue.text(backends.classifier.name),
        "commonest": preview(commonest.rename({"names": "genre"}).to_dicts()),
    }
