"""track_audio: what is in each track's audio file, and whether it can be decoded."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial

import dagster as dg
import polars as pl

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
from assets.configured import audio_kinds, configured, cost_tag
from assets.decoding import Decoding
from assets.outcomes import Judge, Outcome, outcomes_in_chunks, threads_for
from assets.plots import histogram
from assets.report import minutes
from assets.surroundings import GROUP, SEARCH, tracks
from assets.tables import BlockTable, TrackAudio
from resources.audio.probe import AudioProbe
from resources.catalogue.work.pending import PendingTrack
from resources.catalogue.work.records import AudioRecord


@dg.asset(
    partitions_def=TRACK_BLOCKS,
    deps=[tracks],
    group_name=GROUP,
    owners=[SEARCH],
    kinds=audio_kinds(configured()),
    tags=cost_tag(paid=False),
    code_version="1",
    retry_policy=RETRIES,
    check_specs=[schema_check("track_audio")],
    description="Duration, sample rate, channels and codec of each track's audio, or why it "
    "cannot be decoded.",
)
def track_audio(
    context: dg.AssetExecutionContext,
    config: BlockConfig,
    block_runs: dg.ResourceParam[BlockRuns],
) -> Materialized:
    with block_runs.start(context, config, "audio") as run:
        table = run.own_table(TrackAudio)
        run.drop(table, [track.track_id for track in run.pending if track.is_deleted])
        for chunk in _probe(run, [track for track in run.pending if track.step == "probe"]):
            _store(run, table, chunk)
            run.note(chunk)
        run.held.hand_on(_pending_after(run, table))
        return run.result(_overview(run, table), [schema_result("track_audio", table)])


def _probe(run: BlockRun, tracks: Sequence[PendingTrack]) -> Iterator[list[Outcome[AudioProbe]]]:
    with (
        run.decoding(tracks) as suspects,
        closing(
            Decoding(run.backends.store, run.backends.embedding_backends, suspects)
        ) as decoding,
    ):
        yield from outcomes_in_chunks(
            tracks,
            lambda track: decoding.probe(run.audio_key(track)),
            threads_for(run.config.concurrency, waits=run.backends.store.is_remote),
            Judge(
                lambda track: decoding.probe_again(run.audio_key(track)),
                has_worked=bool(run.report.known),
                tried_often=run.tried_often(),
            ),
        )


def _store(run: BlockRun, table: BlockTable, chunk: Sequence[Outcome[AudioProbe]]) -> None:
    """The table first: a kill in between leaves tracks pending, never half known."""
    outcomes = [outcome for outcome in chunk if outcome.waiting is None]
    table.merge([_row(outcome) for outcome in outcomes])
    run.backends.records.audio([_record(run, outcome) for outcome in outcomes])
    if not run.backends.classifier.needs_embedding:
        usable = [outcome.track.track_id for outcome in outcomes if outcome.failure is None]
        run.backends.work.ask_for("genres", usable)
    run.stored([outcome.track.track_id for outcome in outcomes])


def _row(outcome: Outcome[AudioProbe]) -> dict[str, object]:
    return {
        "track_id": outcome.track.track_id,
        "file_id": outcome.track.file_id,
        **(asdict(outcome.result) if outcome.result else {}),
        "failure": outcome.failure.reason if outcome.failure else None,
    }


def _record(run: BlockRun, outcome: Outcome[AudioProbe]) -> AudioRecord:
    return AudioRecord(
        track_id=outcome.track.track_id,
        file_id=outcome.track.audio.file_id,
        duration_seconds=outcome.result.duration_seconds if outcome.result else None,
        failure=outcome.failure.reason if outcome.failure else None,
        tried_with=run.tried_with(outcome.failure),
    )


def _pending_after(run: BlockRun, table: BlockTable) -> list[PendingTrack]:
    """What is pending now that the run is recorded: what can be decoded is to be embedded."""
    broken = _broken(table)
    return [
        replace(track, step=None if track.track_id in broken else "embed")
        if track.track_id in run.finished
        else track
        for track in run.block_pending
    ]


def _overview(run: BlockRun, table: BlockTable) -> Metadata:
    rows, broken = table.read(), _broken(table)
    durations = rows["duration_seconds"].drop_nulls().to_list()
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(rows.height),
        "unplayable_in_block": dg.MetadataValue.int(len(broken)),
        "preview": run.preview(table.track_ids() - broken, partial(_columns, table)),
    }
    if broken:
        metadata["unplayable"] = run.preview(broken, partial(_reasons, table))
    if durations:
        metadata["durations"] = histogram(durations, label="duration", number=minutes)
    return metadata


def _broken(table: BlockTable) -> set[int]:
    """Tracks whose audio cannot be decoded."""
    return set(table.read().filter(pl.col("failure").is_not_null())["track_id"].to_list())


def _columns(table: BlockTable, track_ids: Sequence[int]) -> Columns:
    return {
        row["track_id"]: {
            "duration": None if (seconds := row["duration_seconds"]) is None else minutes(seconds),
            "codec": row["codec"],
            "sample_rate": row["sample_rate"],
            "channels": row["channels"],
        }
        for row in table.rows_of(track_ids).iter_rows(named=True)
    }


def _reasons(table: BlockTable, track_ids: Sequence[int]) -> Columns:
    rows = table.rows_of(track_ids).iter_rows(named=True)
    return {row["track_id"]: {"reason": row["failure"]} for row in rows}
