"""Sensors: changes of the catalogue become runs by themselves.

A tick moves the ids that changed onto the list of work, and asks for one run for each block whose
turn it is, unless a run of that block is unfinished. There is no run key, and the list is the only
memory: work stays on it until it is done, so a run that fails or is killed is tried again, with
growing delays.

A change concerns the index that answers, and every one that is being built for another model. A
changed setting builds none by itself beside an app: that embeds a whole catalogue again.

The sensors take no resources from Dagster, which would open its instance and storage for every
tick to give them. A tick that finds nothing asks Dagster nothing.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import dagster as dg

from assets.block_run import INDEX_TAG
from assets.blocks import TRACK_BLOCKS
from assets.model import take_over_when_fit
from assets.surroundings import search_api, tracks
from pipelines.changes_cursor import ChangesCursor
from pipelines.jobs import JOBS, classify_genres, config_of_run, index_tracks
from pipelines.models import kept_equal, state_of_models
from pipelines.runs import PRIORITY_TAG, UNFINISHED, block_of_run, fail_dead_runs
from pipelines.shared import running_backends
from resources.backends import Backends
from resources.catalogue.work.overview import Overview
from resources.catalogue.work.pending import DueBlock, Job
from resources.errors import MoodSearchError

BLOCKS_AT_ONCE: Final = 50
"""Most runs asked for in one tick; the next ones follow a second later."""

GENRES_AT_ONCE: Final = 25
"""Tracks of one run that classifies genres. A block has one run at a time, and a slow classifier
must not keep a new upload waiting for more than seconds."""

BUILT_AT_ONCE: Final = 128
"""Tracks of one run that builds another model's index, for the same reason."""

BUILDS_AT_ONCE: Final = 2
"""Unfinished runs that build one, queued ones included: a block has one run at a time, and an
upload must not wait for that of its block behind all others."""

COMPARE_EVERY_SECONDS: Final = 300
"""How often everything is compared at most, where no trigger tells of changes or one failed to."""


@dg.sensor(
    job=index_tracks,
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
    if cursor.should_see_models(now):
        models = _models(backends)
        if models and str(models) != cursor.models:
            observations.append(dg.AssetObservation(search_api.key, metadata=models))
        cursor = cursor.saw_models(str(models), now)
    return _answer(
        _due_blocks(context, backends, "index"),
        "index",
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


def _models(backends: Backends) -> dict[str, str | int | float]:
    """Their state, once what is complete has taken over; empty where they cannot be asked now."""
    with suppress(MoodSearchError):
        for each in kept_equal(backends):
            take_over_when_fit(each)
        return state_of_models(backends)
    return {}


def _due_blocks(
    context: dg.SensorEvaluationContext, backends: Backends, job: Job
) -> list[DueBlock] | dg.SkipReason:
    """Blocks to be worked on now, or why there are none. Sets when their tracks' next turn is."""
    if not backends.work.anything_due(job):
        return dg.SkipReason("nothing is pending")
    fail_dead_runs(context.instance)
    runs = context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    busy = {block for run in runs if (block := block_of_run(run)) is not None}
    builds = BUILDS_AT_ONCE - sum(INDEX_TAG in run.tags for run in runs)
    due = backends.work.due_blocks(job, limit=BLOCKS_AT_ONCE, busy=busy, builds=builds)
    if not due:
        return dg.SkipReason("nothing is pending that is not being worked on")
    for item in due:
        backends.work.postpone(job, _asked_for(item, job))
    return due


def _answer(
    due: list[DueBlock] | dg.SkipReason,
    job: Job,
    asset_events: Sequence[dg.AssetObservation] = (),
    cursor: str | None = None,
) -> dg.SensorResult:
    if isinstance(due, dg.SkipReason):
        return dg.SensorResult(skip_reason=due, asset_events=asset_events, cursor=cursor)
    # In the order of ids: Dagster lists partitions as they were added.
    keys = [block.key for block in sorted(item.block for item in due)]
    return dg.SensorResult(
        run_requests=[_request(item, job) for item in due],
        dynamic_partitions_requests=[TRACK_BLOCKS.build_add_request(keys)],
        asset_events=asset_events,
        cursor=cursor,
    )


def _request(item: DueBlock, job: Job) -> dg.RunRequest:
    tags = {
        "moodsearch/tracks": str(len(item.track_ids)),
        "moodsearch/attempt": str(item.attempts),
    }
    if job == "index":
        if not item.generation.is_building:
            # Before genres; and single uploads before blocks that are filled for the first time.
            tags[PRIORITY_TAG] = "2" if len(item.track_ids) == 1 else "1"
            return dg.RunRequest(partition_key=item.block.key, tags=tags)
        tags[INDEX_TAG] = item.generation.namespace
    config: dict[str, object] = {"track_ids": _asked_for(item, job)}
    if item.generation.is_building:
        config["namespace"] = item.generation.namespace
    return dg.RunRequest(
        partition_key=item.block.key, tags=tags, run_config=config_of_run(JOBS[job], config)
    )


def _asked_for(item: DueBlock, job: Job) -> list[int]:
    if job == "genres":
        return item.track_ids[:GENRES_AT_ONCE]
    return item.track_ids[:BUILT_AT_ONCE] if item.generation.is_building else item.track_ids
