"""A run's process: a fork of one that has imported what runs need, watched and interrupted by what
its tag says."""

import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import psutil
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG

from assets.blocks import TRACK_BLOCKS
from assets.tags import PROCESS_TAG
from pipelines.definitions import defs
from pipelines.instance import dagster_instance
from pipelines.launcher import IMPORTED_BEFORE, ForkingRunLauncher
from resources.backends import Backends
from resources.machine.processes import is_gone
from tests.pipelines.conftest import BLOCK, Upload

IS_WAITING = "SELECT count(*) AS runs FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
"""Runs that wait in their first step for somebody who holds their block."""


@pytest.fixture
def dagster(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name in ("DAGSTER_HOME", "MOODSEARCH_DAGSTER_URL", "MOODSEARCH_HOME"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # Put back what the instance sets.
    with dagster_instance(backends) as instance:
        instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), [BLOCK.key])
        yield instance
    # The next test has an environment of its own, which its runs must have.
    stop = getattr(multiprocessing.forkserver, "_forkserver")._stop  # noqa: B009
    stop()


def _launch(instance: dg.DagsterInstance, job: str, partition: str | None = None) -> str:
    repository = ReconstructableRepository.for_module("pipelines.definitions", "defs")
    run = instance.create_run_for_job(
        defs.resolve_job_def(job),
        tags={} if partition is None else {PARTITION_NAME_TAG: partition},
        status=dg.DagsterRunStatus.STARTING,
        job_code_origin=repository.get_reconstructable_job(job).get_python_origin(),
    )
    instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))
    return run.run_id


def _run(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


def _wait_for_end(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    deadline = time.monotonic() + 90
    while not _run(instance, run_id).is_finished:
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.1)
    return _run(instance, run_id).status


def _wait_for_first_step(backends: Backends) -> None:
    deadline = time.monotonic() + 90
    while not backends.database.rows(IS_WAITING)[0]["runs"]:
        assert time.monotonic() < deadline, "the run did not begin"
        time.sleep(0.1)


def _process(run: dg.DagsterRun) -> psutil.Process:
    return psutil.Process(int(run.tags[PROCESS_TAG].split("/")[1]))


def test_a_run_is_done_by_a_process_of_its_own(dagster: dg.DagsterInstance) -> None:
    assert isinstance(dagster.run_launcher, ForkingRunLauncher)
    run_id = _launch(dagster, "housekeeping")
    assert _wait_for_end(dagster, run_id) == dg.DagsterRunStatus.SUCCESS
    assert PROCESS_TAG in _run(dagster, run_id).tags


def test_a_run_that_is_cancelled_is_interrupted(
    dagster: dg.DagsterInstance, backends: Backends, upload: Upload
) -> None:
    upload(1)
    with backends.locks.hold(BLOCK):
        run_id = _launch(dagster, "index_tracks", BLOCK.key)
        _wait_for_first_step(backends)
        assert dagster.run_launcher.terminate(run_id)
    assert _wait_for_end(dagster, run_id) == dg.DagsterRunStatus.CANCELED
    assert not dagster.run_launcher.terminate(run_id)


def test_a_run_whose_process_is_killed_is_seen_to_have_failed(
    dagster: dg.DagsterInstance, backends: Backends, upload: Upload
) -> None:
    upload(1)
    with backends.locks.hold(BLOCK):
        run_id = _launch(dagster, "index_tracks", BLOCK.key)
        _wait_for_first_step(backends)
        run = _run(dagster, run_id)
        check = dagster.run_launcher.check_run_worker_health
        assert check(run).status == WorkerStatus.RUNNING
        _process(run).send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while not is_gone(run.tags[PROCESS_TAG]) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert check(run).status == WorkerStatus.FAILED


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux shows them")
def test_nothing_that_runs_find_imported_has_started_a_thread() -> None:
    """A fork would have none of them, and the locks that they held."""
    script = (
        "import importlib, os\n"
        f"for name in {IMPORTED_BEFORE}: importlib.import_module(name)\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"
