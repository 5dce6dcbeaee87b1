"""Runs that can no longer finish: their process died without saying so."""

import socket
from typing import Final

import dagster as dg
import psutil

UNFINISHED: Final = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_PROCESS_TAG: Final = "moodsearch/process"


def process_tags() -> dict[str, str]:
    """Tags of a run that this process executes itself."""
    return {_PROCESS_TAG: _identity(psutil.Process())}


def fail_dead_runs(instance: dg.DagsterInstance) -> int:
    """Mark the runs as failed whose own process (see `process_tags`) is gone; returns how many."""
    dead = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        if _is_dead(run.tags.get(_PROCESS_TAG))
    ]
    for run in dead:
        instance.report_run_failed(run, "the process that worked on it was killed")
    return len(dead)


def fail_unfinished_runs(instance: dg.DagsterInstance) -> int:
    """Mark every unfinished run as failed that no living process of this machine says it executes.

    For the start of the only daemon: what another daemon launched died with it. Queued runs are
    left to be launched. Returns how many.
    """
    statuses = [status for status in UNFINISHED if status != dg.DagsterRunStatus.QUEUED]
    runs = instance.get_runs(dg.RunsFilter(statuses=statuses))
    dead = [run for run in runs if _is_dead(run.tags.get(_PROCESS_TAG, ""))]
    for run in dead:
        instance.report_run_failed(run, "its process died with the daemon that launched it")
    return len(dead)


def _is_dead(identity: str | None) -> bool:
    """Whether a process of this machine with that identity is gone; None is nobody's claim."""
    if identity is None:
        return False
    host, _, rest = identity.partition("/")
    if identity and host != socket.gethostname():
        return False
    try:
        return _identity(psutil.Process(int(rest.split("/")[0]))) != identity
    except (ValueError, psutil.NoSuchProcess):
        return True


def _identity(process: psutil.Process) -> str:
    """Host, process id and start time: numbers alone are given out again."""
    return f"{socket.gethostname()}/{process.pid}/{int(process.create_time())}"
