"""Sensors: changes of the catalogue become runs by themselves.

A tick moves the ids that changed onto the list of work, and asks for one run for each block whose
turn it is, unless a run of that block is unfinished. There is no cursor and no run key: work stays
on the list until it is done, so a run that fails or is killed is tried again, with growing delays.
"""

from collections.abc import Iterator

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from assets.blocks import TRACK_BLOCKS
from pipelines.jobs import classify_genres, index_tracks
from pipelines.runs import UNFINISHED, fail_dead_runs
from resources.backends import Backends
from resources.catalogue.work import DueBlock, Job

BLOCKS_AT_ONCE = 50
"""Most runs asked for in one tick; the next ones follow a second later."""


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
    return _runs_for_due_blocks(context, backends, "genres")


def _runs_for_due_blocks(
    context: dg.SensorEvaluationContext, backends: Backends, job: Job
) -> dg.SensorResult | dg.SkipReason:
    due = backends.work.due_blocks(job, limit=BLOCKS_AT_ONCE)
    if not due:
        return dg.SkipReason("nothing is pending")
    fail_dead_runs(context.instance)
    busy = _busy_blocks(context.instance)
    free = [item for item in due if item.block.key not in busy]
    for item in free:
        backends.work.postpone(job, item.block)
    if not free:
        return dg.SkipReason("every block with pending work is being worked on")
    return dg.SensorResult(
        run_requests=list(_requests(free)),
        dynamic_partitions_requests=[
            TRACK_BLOCKS.build_add_request([item.block.key for item in free])
        ],
    )


def _requests(due: list[DueBlock]) -> Iterator[dg.RunRequest]:
    for item in due:
        yield dg.RunRequest(
            partition_key=item.block.key,
            tags={"moodsearch/tracks": str(item.tracks), "moodsearch/attempt": str(item.attempts)},
        )


def _busy_blocks(instance: dg.DagsterInstance) -> set[str]:
    """Blocks with an unfinished run, whoever asked for it."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return {run.tags[PARTITION_NAME_TAG] for run in runs if PARTITION_NAME_TAG in run.tags}
