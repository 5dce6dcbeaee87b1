"""track_audio: what is in each track's audio file, and whether it can be decoded."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

import dagster as dg
import polars as pl

from assets.block_run import RETRIES, BlockConfig, BlockRun, BlockRuns, Materialized, Metadata
from assets.blocks import TRACK_BLOCKS
from assets.check_results import schema_check, schema_result
from assets.configured import audio_kinds, configured, cost_tag
from assets.decoding import Decoding
from assets.outcomes import Judge, Outcome, outcomes_in_chunks, threads_for
from assets.plots import histogram
from assets.report import Cell, minutes
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
        return run.result(_overview(run, table.read()), [schema_result("track_audio", table)])


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
    broken = set(table.read().filter(pl.col("failure").is_not_null())["track_id"])
    return [
        replace(track, step=None if track.track_id in broken else "embed")
        if track.track_id in run.finished
        else track
        for track in run.block_pending
    ]


def _overview(run: BlockRun, table: pl.DataFrame) -> Metadata:
    rows = {row["track_id"]: row for row in table.to_dicts()}
    broken = [track_id for track_id, row in rows.items() if row["failure"] is not None]
    durations = table["duration_seconds"].drop_nulls().to_list()
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(table.height),
        "unplayable_in_block": dg.MetadataValue.int(len(broken)),
        "preview": run.preview(set(rows).difference(broken), lambda id_: _columns(rows[id_])),
    }
    if broken:
        metadata["unplayable"] = run.preview(broken, lambda id_: {"reason": rows[id_]["failure"]})
    if durations:
        metadata["durations"] = histogram(durations, label="duration", number=minutes)
    return metadata


def _columns(row: Mapping[str, Any]) -> Mapping[str, Cell]:
    return {
        "duration": None if (seconds := row["duration_seconds"]) is None else minutes(seconds),
        "codec": row["codec"],
        "sample_rate": row["sample_rate"],
        "channels": row["channels"],
    }
