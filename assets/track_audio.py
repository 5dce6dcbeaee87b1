"""track_audio: what is in each track's audio file, and whether it can be decoded."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import dagster as dg
import polars as pl

from assets.blocks import TRACK_BLOCKS, block_of
from assets.plots import histogram
from assets.report import Report, preview
from assets.tables import BlockTable, TrackAudio
from assets.work import (
    AUDIO_IS_MISSING,
    CHUNK_TRACKS,
    RETRIES,
    Progress,
    Waiting,
    WorkConfig,
    chunks,
    is_outage,
    pending_tracks,
    working_on,
)
from resources.audio.probe import AudioProbe, probe
from resources.backends import Backends
from resources.catalogue.work.pending import PendingTrack
from resources.catalogue.work.records import AudioRecord
from resources.errors import BackendError, ObjectNotFoundError, TrackError


@dataclass(frozen=True)
class Probed:
    """A track's probe, or why there is none: `failure` for good, `waiting` at present."""

    track: PendingTrack
    probe: AudioProbe | None = None
    failure: str | None = None
    waiting: Waiting | None = None


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    group_name="mood_search",
    kinds={"ffmpeg", "polars", "parquet"},
    retry_policy=RETRIES,
    description="Duration, sample rate, channels and codec of each track's audio, or why it "
    "cannot be decoded.",
)
def track_audio(
    context: dg.AssetExecutionContext,
    config: WorkConfig,
    backends: dg.ResourceParam[Backends],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    block = block_of(context)
    report = Report()
    with working_on(context, backends, block) as check_lock:
        table = BlockTable(backends.store, TrackAudio, block, before_writing=check_lock)
        known = set(table.read("track_id")["track_id"])
        pending = pending_tracks(backends, block, config)
        deleted = [track.track_id for track in pending if track.is_deleted]
        table.remove(deleted)
        report.removed = len(known.intersection(deleted))
        to_probe = [track for track in pending if track.step == "probe"]
        threads = config.threads(waits=backends.settings.uses_r2)
        probed = list(_watched(probe_all(backends, to_probe, threads), progress))
        _store(backends, table, [result for result in probed if result.waiting is None])
    _count(report, probed, known)
    backends.work.note_errors("index", report.reasons())
    return dg.MaterializeResult(metadata={**report.metadata(), **_overview(table.read())})


def probe_all(
    backends: Backends, tracks: Sequence[PendingTrack], concurrency: int
) -> Iterator[Probed]:
    """Probe the tracks' audio, `concurrency` at once, in order; stops early in an outage."""

    def probe_one(track: PendingTrack) -> Probed:
        try:
            with backends.store.open(backends.audio_key(track.audio)) as audio:
                return Probed(track, probe=probe(audio))
        except TrackError as error:
            return Probed(track, failure=str(error))
        except ObjectNotFoundError:
            return Probed(track, waiting=AUDIO_IS_MISSING)
        except BackendError as error:
            return Probed(track, waiting=Waiting(str(error), is_outage=True))

    with ThreadPoolExecutor(concurrency, thread_name_prefix="probe") as pool:
        for chunk in chunks(tracks, CHUNK_TRACKS):
            results = list(pool.map(probe_one, chunk))
            yield from results
            if is_outage([result.waiting for result in results]):
                return


def _watched(results: Iterable[Probed], progress: Progress) -> Iterator[Probed]:
    for result in results:
        progress.advance("track_audio", 1)
        yield result


def _store(backends: Backends, table: BlockTable, results: list[Probed]) -> None:
    """The table first: a kill in between leaves tracks pending, never half known."""
    if not results:
        return
    table.merge(pl.DataFrame([_row(result) for result in results], schema=_schema()))
    backends.records.audio(
        [
            AudioRecord(
                track_id=result.track.track_id,
                file_id=result.track.audio.file_id,
                duration_seconds=result.probe.duration_seconds if result.probe else None,
                failure=result.failure,
            )
            for result in results
        ]
    )
    if not backends.classifier.needs_embedding:
        usable = [result for result in results if result.failure is None]
        backends.work.ask_for("genres", [result.track.track_id for result in usable])


def _row(result: Probed) -> dict[str, object]:
    found = result.probe
    return {
        "track_id": result.track.track_id,
        "file_id": result.track.file_id,
        "duration_seconds": found.duration_seconds if found else None,
        "sample_rate": found.sample_rate if found else None,
        "channels": found.channels if found else None,
        "codec": found.codec if found else None,
        "failure": result.failure,
    }


def _schema() -> pl.Schema:
    return TrackAudio.empty().schema


def _count(report: Report, probed: list[Probed], known: set[int]) -> None:
    done = [result.track.track_id for result in probed if result.waiting is None]
    report.count(done, known)
    report.failed = sum(result.failure is not None for result in probed)
    report.unchanged = len(known) - report.changed - report.removed
    report.waiting = {
        result.track.track_id: result.waiting for result in probed if result.waiting is not None
    }


def _overview(table: pl.DataFrame) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(table.height),
        "preview": preview(table.tail(10).drop("file_id").to_dicts()),
    }
    broken = table.filter(pl.col("failure").is_not_null())
    if broken.height:
        metadata["cannot_be_decoded"] = preview(broken["track_id", "failure"].to_dicts())
    durations = table["duration_seconds"].drop_nulls().to_list()
    if durations:
        metadata["durations"] = histogram(durations, label="duration (s)")
    return metadata
