"""Sensors: changes of the catalogue become runs by themselves.

A tick moves the ids that changed onto the list of work, and asks for one run for each block whose
turn it is, unless a run of that block is unfinished. There is no run key, and the list is the only
memory: work stays on it until it is done, so a run that fails or is killed is tried again, with
growing delays.

Where the live index is another model's than the configured one, nothing but removals is asked for
until somebody has begun a backfill for it: a changed setting must not embed a whole catalogue
again.

The sensors take no resources from Dagster, which would open its instance and storage for every
tick to give them. A tick that finds nothing asks Dagster nothing.
"""

import time
import warnings
from collections.abc import Sequence
from typing import Final

import dagster as dg

from assets.blocks import TRACK_BLOCKS
from assets.surroundings import tracks
from pipelines.changes_cursor import ChangesCursor
from pipelines.jobs import classify_genres, forget_gone_tracks, index_tracks
from pipelines.runs import PRIORITY_TAG, UNFINISHED, block_of_run, fail_dead_runs
from pipelines.shared import running_backends
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.overview import Overview
from resources.catalogue.work.pending import DueBlock, Job

# Dagster gives it to each sensor with several jobs, itself.
warnings.filterwarnings("ignore", "Parameter `owners` of initializer `SensorDefinition")

BLOCKS_AT_ONCE: Final = 50
"""Most runs asked for in one tick; the next ones follow a second later."""

GENRES_AT_ONCE: Final = 25
"""Tracks of one run that classifies genres. A block has one run at a time, and a slow classifier
must not keep a new upload waiting for more than seconds."""

COMPARE_EVERY_SECONDS: Final = 300
"""How often everything is compared at most, where no trigger tells of changes or one failed to."""


WAITING: Final = "waiting for a backfill"
"""How the reason begins for which nothing is asked for; changes stay on the list meanwhile."""


@dg.sensor(
    jobs=[index_tracks, forget_gone_tracks],
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="New uploads, replaced audio, changed titles and handles, changed visibility and "
    "deletions reach the index.",
)
def changed_tracks(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    return look_for_changes(context, running_backends())


def look_for_changes(context: dg.SensorEvaluationContext, backends: Backends) -> dg.SensorResult:
    """A tick of `changed_tracks`."""
    cursor = ChangesCursor.read(context.cursor).absorbed(backends.work.absorb_changes())
    if cursor.tried_with != backends.tried_with:
        backends.records.forget_failures(but_tried_with=backends.tried_with)
        cursor = cursor.tried(backends.tried_with)
    now = time.time()
    if _must_compare(backends, cursor, now):
        backends.work.reconcile()
        cursor = cursor.compared(now)
    observations = []
    if cursor.should_observe(now):
        observations.append(_observation(backends, cursor.changes))
        cursor = cursor.observed(now)
    removals = _due_removals(context, backends)
    return _answer(
        removals or _due_blocks(context, backends, "index"),
        "index",
        job_name=forget_gone_tracks.name if removals else index_tracks.name,
        asset_events=observations,
        cursor=cursor.write(),
    )


@dg.sensor(
    job=classify_genres,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Newly embedded tracks get their genres.",
)
def tracks_without_genres(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    return look_for_missing_genres(context, running_backends())


def look_for_missing_genres(
    context: dg.SensorEvaluationContext, backends: Backends
) -> dg.SensorResult:
    """A tick of `tracks_without_genres`."""
    return _answer(_due_blocks(context, backends, "genres"), "genres")


def _must_compare(backends: Backends, cursor: ChangesCursor, now: float) -> bool:
    """Where no trigger tells of changes or one failed to, everything is compared now and then."""
    if backends.generations.waits_for_backfill(backends.track_model) is not None:
        return False
    if backends.contents.sees_changes() and not backends.contents.missed_changes():
        return False
    return now - cursor.compared_at >= COMPARE_EVERY_SECONDS


def _observation(backends: Backends, changes: int) -> dg.AssetObservation:
    listed = Overview(backends.database).listed()
    return dg.AssetObservation(
        tracks.key,
        metadata={
            "changes": changes,
            "pending": listed.get("index", 0),
            "pending_genres": listed.get("genres", 0),
        },
    )


def _due_removals(context: dg.SensorEvaluationContext, backends: Backends) -> list[DueBlock]:
    """What is deleted and hidden must go also while everything else waits for a backfill."""
    if backends.generations.waits_for_backfill(backends.track_model) is None:
        return []
    due = backends.work.due_removals(BLOCKS_AT_ONCE)
    if due:
        fail_dead_runs(context.instance)
        busy = _busy_blocks(context.instance)
        due = [item for item in due if item.block not in busy]
    for item in due:
        backends.work.postpone("index", item.track_ids)
    return due


def _due_blocks(
    context: dg.SensorEvaluationContext, backends: Backends, job: Job
) -> list[DueBlock] | dg.SkipReason:
    """Blocks to be worked on now, or why there are none. Sets when their tracks' next turn is."""
    other = backends.generations.waits_for_backfill(backends.track_model)
    if other is not None:
        return dg.SkipReason(f"{WAITING}: {other}")
    if not backends.work.anything_due(job):
        return dg.SkipReason("nothing is pending")
    fail_dead_runs(context.instance)
    busy = _busy_blocks(context.instance)
    due = backends.work.due_blocks(job, limit=BLOCKS_AT_ONCE, busy=busy)
    if not due:
        return dg.SkipReason("nothing is pending that is not being worked on")
    for item in due:
        backends.work.postpone(job, _asked_for(item, job))
    return due


def _answer(
    due: list[DueBlock] | dg.SkipReason,
    job: Job,
    *,
    job_name: str | None = None,
    asset_events: Sequence[dg.AssetObservation] = (),
    cursor: str | None = None,
) -> dg.SensorResult:
    if isinstance(due, dg.SkipReason):
        return dg.SensorResult(skip_reason=due, asset_events=asset_events, cursor=cursor)
    # In the order of ids: Dagster lists partitions as they were added.
    keys = [block.key for block in sorted(item.block for item in due)]
    return dg.SensorResult(
        run_requests=[_request(item, job, job_name) for item in due],
        dynamic_partitions_requests=[TRACK_BLOCKS.build_add_request(keys)],
        asset_events=asset_events,
        cursor=cursor,
    )


def _request(item: DueBlock, job: Job, job_name: str | None) -> dg.RunRequest:
    tags = {
        "moodsearch/tracks": str(len(item.track_ids)),
        "moodsearch/attempt": str(item.attempts),
    }
    if job == "index":
        # Before genres; and single uploads before blocks that are filled for the first time.
        tags[PRIORITY_TAG] = "2" if len(item.track_ids) == 1 else "1"
        return dg.RunRequest(partition_key=item.block.key, job_name=job_name, tags=tags)
    config = {"track_ids": _asked_for(item, job)}
    return dg.RunRequest(
        partition_key=item.block.key,
        tags=tags,
        run_config={"ops": {"genre_predictions": {"config": config}}},
    )


def _asked_for(item: DueBlock, job: Job) -> list[int]:
    return item.track_ids[:GENRES_AT_ONCE] if job == "genres" else item.track_ids


def _busy_blocks(instance: dg.DagsterInstance) -> set[Block]:
    """Blocks with an unfinished run, whoever asked for it."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return {block for run in runs if (block := block_of_run(run)) is not None}
