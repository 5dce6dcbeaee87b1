"""What Dagster's daemon does with the sensors, in this process and without waiting."""

from dataclasses import dataclass, field

import dagster as dg

from assets.block_run import NoProgress
from pipelines.definitions import defs
from pipelines.sensors import look_for_changes, look_for_missing_genres
from resources.backends import Backends

SENSORS = {"index_tracks": look_for_changes, "classify_genres": look_for_missing_genres}


@dataclass
class Daemon:
    """Ticks the sensors and executes the runs that they ask for. `runs`: all of them, in order."""

    instance: dg.DagsterInstance
    runs: list[dg.ExecuteInProcessResult] = field(default_factory=list)

    def tick(
        self, backends: Backends, job: str = "index_tracks"
    ) -> list[dg.ExecuteInProcessResult]:
        """One tick of the sensor of `job`, and its runs."""
        context = dg.build_sensor_context(self.instance)
        asked = SENSORS[job](context, backends)
        for request in asked.dynamic_partitions_requests or []:
            keys = list(request.partition_keys)
            self.instance.add_dynamic_partitions(request.partitions_def_name, keys)
        ran = [self.execute(backends, job, request) for request in asked.run_requests or []]
        self.runs += ran
        return ran

    def do_what_is_due(self, backends: Backends, most_ticks: int = 12) -> None:
        """Until nothing is due; what waits for its next attempt is due at once. Each run must
        succeed."""
        for _ in range(most_ticks):
            backends.database.rows("UPDATE moodsearch.work SET next_attempt_at = now()")
            ran = [run for job in SENSORS for run in self.tick(backends, job)]
            assert all(run.success for run in ran)
            if not ran:
                return
        raise AssertionError(f"work is left after {most_ticks} rounds")

    def execute(
        self, backends: Backends, job: str, request: dg.RunRequest
    ) -> dg.ExecuteInProcessResult:
        """A run as it was asked for, whether or not it is still needed."""
        return defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=request.partition_key,
            run_config=request.run_config,
            tags=request.tags,
            resources={"backends": backends, "progress": NoProgress()},
            raise_on_error=False,
        )
