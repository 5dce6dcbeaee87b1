"""Dagster's daemon: ticks of the sensors, the queue of runs, and runs whose processes died."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from assets.block_run import BlockConfig
from pipelines.runs import fail_unfinished_runs
from pipelines.sensors import look_for_changes, look_for_missing_genres
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.errors import MoodSearchError
from tests.simulation.faults import Gate
from tests.simulation.runs import SimulatedInstance, SimulatedRun, execute
from tests.simulation.schedule import Actor, Schedule


class _SensorContext:
    def __init__(self, instance: SimulatedInstance, cursor: str | None) -> None:
        self.instance = instance
        self.cursor = cursor


class Daemon:
    """`open_backends` opens those of a new process, for the model that is configured then."""

    def __init__(
        self, schedule: Schedule, gate: Gate, open_backends: Callable[[], Backends]
    ) -> None:
        self.instance = SimulatedInstance()
        self._schedule = schedule
        self._gate = gate
        self._open_backends = open_backends
        self._cursor: str | None = None
        self._number = 0

    def actor(self, what: str, body: Callable[[], None]) -> Actor:
        self._number += 1
        return self._schedule.start(f"{what}-{self._number}", body)

    def tick(self, job: str) -> None:
        """One tick of a sensor, unless one is going on."""
        name = f"sensor of {job}"
        if any(actor.name.startswith(name) for actor in self._schedule.actors):
            return
        look: Callable[..., dg.SensorResult] = (
            look_for_changes if job == "index_tracks" else look_for_missing_genres
        )

        def body() -> None:
            context: Any = _SensorContext(self.instance, self._cursor)
            try:
                result = look(context, self._open_backends())
            except MoodSearchError as error:
                self._gate.note(f"a tick failed: {error}")
                return
            self._schedule.pause("what the tick asks for")
            if result.cursor is not None:
                self._cursor = result.cursor
            for request in result.run_requests or []:
                self._queue(job, request)

        self.actor(name, body)

    def _queue(self, job: str, request: dg.RunRequest) -> None:
        assert request.partition_key is not None
        # The same for each of the job's assets.
        ops = (request.run_config or {}).get("ops", {})
        asked: dict[str, Any] = next((op["config"] for op in ops.values()), {})
        config = BlockConfig(**asked, concurrency=1)
        block = Block.from_key(request.partition_key)
        run = self.instance.add(job, block, config, **request.tags)
        self._gate.note(f"queued: {run.run_id} {job} {block.key} {asked}")

    def queued(self) -> list[SimulatedRun]:
        """Runs that may be launched: no other is on their block."""
        runs = self.instance.runs.values()
        busy = {r.block for r in runs if r.status != dg.DagsterRunStatus.QUEUED and not r.by_hand}
        return [r for r in runs if r.status == dg.DagsterRunStatus.QUEUED and r.block not in busy]

    def launch(self, run: SimulatedRun) -> Actor:
        """Start a queued run in a process of its own."""
        run.status = dg.DagsterRunStatus.STARTING

        def body() -> None:
            execute(self._open_backends(), self.instance, run, self._gate)

        return self.actor(run.run_id, body)

    def run_now(self, run: SimulatedRun, backends: Backends) -> str | None:
        """Execute a run in the process that asks for it."""
        run.by_hand = True
        return execute(backends, self.instance, run, self._gate)

    def restart(self) -> None:
        """The daemon and what it launched die; another takes over."""
        for actor in list(self._schedule.actors):
            if actor.name.startswith(("run-", "sensor")):
                self._schedule.kill(actor)
        instance: Any = self.instance
        fail_unfinished_runs(instance)
