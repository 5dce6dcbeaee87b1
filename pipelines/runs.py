"""Runs: the tags they are known by, and those that can no longer finish because their process died
without saying so."""

from typing import Final

import dagster as dg

from assets.block_run import PROCESS_TAG
from resources.catalogue.work.blocks import Block
from resources.machine.processes import is_gone, this_process

PARTITION_TAG: Final = "dagster/partition"
PRIORITY_TAG: Final = "dagster/priority"
LAUNCHED_BY_TAG: Final = "user"
"""Dagster's names, as documented. Its list of runs shows the last as what launched a run."""

UNFINISHED: Final = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_tags() -> dict[str, str]:
    """Tags of a run that this process executes itself, from its very beginning."""
    return {PROCESS_TAG: this_process()}


def block_of_run(run: dg.DagsterRun) -> Block | None:
    """The block that a run works on; None for a run without one."""
    key = run.tags.get(PARTITION_TAG)
    return None if key is None else Block.from_key(key)


def fail_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark the runs as failed whose process is gone, whoever launched them; returns how many.

    Every run says which process works on it as soon as its first asset starts.
    """
    dead = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        if PROCESS_TAG in run.tags and is_gone(run.tags[PROCESS_TAG])
    ]
    for run in dead:
        instance.report_run_failed(run, "the process that worked on it was killed")
    return len(dead)


def fail_unfinished_runs(instance: dg.DagsterInstance) -> int:
    """Mark every unfinished run as failed that no living process says it works on.

    For the start of the only daemon: what another daemon launched died with it. Queued runs are
    left to be launched. Returns how many.
    """
    statuses = [status for status in UNFINISHED if status != dg.DagsterRunStatus.QUEUED]
    runs = instance.get_runs(dg.RunsFilter(statuses=statuses))
    dead = [run for run in runs if PROCESS_TAG not in run.tags or is_gone(run.tags[PROCESS_TAG])]
    for run in dead:
        instance.report_run_failed(run, "its process died with the daemon that launched it")
    return len(dead)
