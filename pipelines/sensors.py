"""Sensors: changes of the catalogue become runs by themselves.

A tick moves the ids that changed onto the list of work, and asks for one run for each block whose
turn it is, unless a run of that block is unfinished. There is no run key, and the list is the only
memory: work stays on it until it is done, so a run that fails or is killed is tried again, with
growing delays.

Where the live index is another model's than the configured one, nothing is asked for until somebody
has begun a backfill for it: a changed setting must not embed a whole catalogue again.
"""

import time
from typing import Final

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, PRIORITY_TAG

from assets.blocks import TRACK_BLOCKS
from pipelines.jobs import classify_genres, index_tracks
from pipelines.runs import UNFINISHED, fail_dead_runs
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import DueBlock, Job

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
    job=index_tracks,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="New uploads, replaced audio, changed titles and handles, changed visibility and "
    "deletions reach the index.",
)
def changed_tracks(
    context: dg.SensorEvaluationContext, backends: dg.ResourceParam[Backends]
) -> dg.SensorResult | dg.SkipReason:
    backends.work.absorb_changes()
    other = backends.generations.waits_for_backfill(backends.track_model)
    if other is not None:
        return dg.SkipReason(f"{WAITING}: {other}")
    _compare_where_nothing_tells_of_changes(context, backends)
    return _runs_for_due_blocks(context, backends, "index")


@dg.sensor(
    job=classify_genres,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Newly embedded tracks get their genres.",
)
def tracks_without_genres(
    context: dg.SensorEvaluationContext, backends: dg.ResourceParam[Backends]
) -> dg.SensorResult | dg.SkipReason:
    other = backends.generations.waits_for_backfill(backends.track_model)
    if other is not None:
        return dg.SkipReason(f"{WAITING}: {other}")
    return _runs_for_due_blocks(context, backends, "genres")


def _compare_where_nothing_tells_of_changes(
    context: dg.SensorEvaluationContext, backends: Backends
) -> None:
    if backends.contents.sees_changes() and not backends.contents.missed_changes():
        return
    last = float(context.cursor or 0)
    if time.time() - last >= COMPARE_EVERY_SECONDS:
        backends.work.reconcile()
        context.update_cursor(str(time.time()))


def _runs_for_due_blocks(
    context: dg.SensorEvaluationContext, backends: Backends, job: Job
) -> dg.SensorResult | dg.SkipReason:
    if not backends.work.anything_due(job):
        return dg.SkipReason("nothing is pending")
    fail_dead_runs(context.instance)
    busy = _busy_blocks(context.instance)
    due = backends.work.due_blocks(job, limit=BLOCKS_AT_ONCE, busy=busy)
    if not due:
        return dg.SkipReason("nothing is pending that is not being worked on")
    for item in due:
        backends.work.postpone(job, _asked_for(item, job))
    return dg.SensorResult(
        run_requests=[_request(item, job) for item in due],
        dynamic_partitions_requests=[
            TRACK_BLOCKS.build_add_request(sorted(item.block.key for item in due))
        ],
    )


def _request(item: DueBlock, job: Job) -> dg.RunRequest:
    tags = {
        "moodsearch/tracks": str(len(item.track_ids)),
        "moodsearch/attempt": str(item.attempts),
    }
    if job == "index":
        # Before genres; and single uploads before blocks that are filled for the first time.
        tags[PRIORITY_TAG] = "2" if len(item.track_ids) == 1 else "1"
        return dg.RunRequest(partition_key=item.block.key, tags=tags)
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
    keys = (run.tags.get(PARTITION_NAME_TAG) for run in runs)
    return {Block.from_key(key) for key in keys if key is not None}
