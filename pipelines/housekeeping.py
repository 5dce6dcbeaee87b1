"""What keeps an installation tidy, every night: unseen changes, old runs, unused indexes."""

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from pipelines.reconcile import drop_replaced_generations, forget_hidden, reconcile_index
from pipelines.runs import PARTITION_TAG
from resources.backends import Backends

KEEP_RUNS: Final = timedelta(days=7)
"""A run is 45 kB of event log; ten thousand a day would be 3 GB a week."""

_RUNS_AT_ONCE: Final = 500


@dg.op(
    description="Compares the index with what was recorded, and puts every pending track on the "
    "list of work, whatever made it so."
)
def reconcile(context: dg.OpExecutionContext, backends: dg.ResourceParam[Backends]) -> None:
    # First what cannot fail: a block that is being worked on must not keep changes from being seen.
    added = backends.work.reconcile()
    kept_equal = [each for each in backends.generations.all() if each.takes_changes]
    differed = sum(reconcile_index(backends.of(generation)) for generation in kept_equal)
    added += backends.work.reconcile() if differed else 0
    context.add_output_metadata({"differed": differed, "added": added})


@dg.op(description="Drops indexes that another model's replaced a week ago.")
def drop_old_generations(
    context: dg.OpExecutionContext, backends: dg.ResourceParam[Backends]
) -> None:
    context.add_output_metadata({"dropped": drop_replaced_generations(backends)})


@dg.op(
    description="Takes back the embeddings of tracks that have been hidden for "
    "MOODSEARCH_KEEP_HIDDEN_DAYS."
)
def forget_hidden_tracks(
    context: dg.OpExecutionContext, backends: dg.ResourceParam[Backends]
) -> None:
    context.add_output_metadata({"forgotten": forget_hidden(backends)})


@dg.op(description="Deletes runs older than a week, except the latest of each block and job.")
def forget_old_runs(context: dg.OpExecutionContext) -> None:
    deleted = delete_old_runs(context.instance, datetime.now(UTC) - KEEP_RUNS)
    context.add_output_metadata({"deleted": deleted})


def delete_old_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete finished runs created before `before`; returns how many.

    Deleting a run deletes its materializations too, so the latest run of each block and job stays.
    """
    finished = [
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    ]
    latest: set[tuple[str, str | None]] = set()
    to_delete: list[str] = []
    cursor: str | None = None
    # Deleted only at the end: a page begins after a run that must still be there.
    while records := instance.get_run_records(
        dg.RunsFilter(statuses=finished), limit=_RUNS_AT_ONCE, cursor=cursor
    ):
        cursor = records[-1].dagster_run.run_id
        for record in records:
            run = record.dagster_run
            # Newest first, so the first of its block and job is the one to keep.
            kind = (run.job_name, run.tags.get(PARTITION_TAG))
            if kind not in latest and run.status == dg.DagsterRunStatus.SUCCESS:
                latest.add(kind)
            elif record.create_timestamp < before:
                to_delete.append(run.run_id)
    for run_id in to_delete:
        instance.delete_run(run_id)
    return len(to_delete)


@dg.job(
    description="Finds changes that no trigger saw; deletes old runs, unused indexes and the "
    "embeddings of tracks that were hidden long ago."
)
def housekeeping() -> None:
    reconcile()
    drop_old_generations()
    forget_hidden_tracks()
    forget_old_runs()


every_night = dg.ScheduleDefinition(
    name="every_night",
    job=housekeeping,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
