"""How a run's process starts: as a fork of one that has imported what every run needs.

Dagster's own launcher starts Python anew for each run, which costs seconds of CPU before the first
step. Here the daemon has one process more (multiprocessing's fork server), single-threaded and
without a connection, and each run is a fork of it that does what `dagster api execute_run` does.
"""

import multiprocessing
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, Self

import dagster as dg
from dagster._core.launcher import (
    CheckRunHealthResult,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from assets.tags import PROCESS_TAG
from resources.machine.processes import interrupt, is_gone, process_of

IMPORTED_BEFORE: Final = ("dagster._cli.api", "dagster_postgres", "resources.backends")
"""What runs find imported. No module may start a thread when it is imported, which a fork would
lose: that leaves out polars and whatever imports it."""


class ForkingRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """Launches runs on this machine; named in `dagster.yaml`."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        return cls(inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Returns as soon as the process has started."""
        from dagster._grpc.types import ExecuteRunArgs  # noqa: PLC0415  Only the daemon launches.

        run = context.dagster_run
        assert run.job_code_origin is not None
        arguments = ExecuteRunArgs(run.job_code_origin, run.run_id, self._instance.get_ref())
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(list(IMPORTED_BEFORE))
        process = forks.Process(target=_execute, args=arguments.get_command_args()[-1:])
        process.start()
        assert process.pid is not None
        with suppress(ProcessLookupError):  # It has ended, and said how.
            self._instance.add_run_tags(run.run_id, {PROCESS_TAG: process_of(process.pid)})

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run ; False when no process of this machine works on it."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return PROCESS_TAG in run.tags and interrupt(run.tags[PROCESS_TAG])

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """For the monitoring daemon, which fails a run whose process was killed."""
        if PROCESS_TAG in run.tags and is_gone(run.tags[PROCESS_TAG]):
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process was killed")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def _execute(arguments: str) -> None:
    from dagster._cli.api import execute_run_command  # noqa: PLC0415  Only the run needs it.

    execute_run_command.main([arguments], standalone_mode=False)
