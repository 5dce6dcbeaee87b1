"""Runs as Dagster would execute them: the assets' own bodies, one after the other, with retries."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg

from assets.block_run import RETRIES, BlockConfig, BlockRuns, NoProgress
from assets.clap_embeddings import clap_embeddings
from assets.genre_predictions import genre_predictions
from assets.search_index import search_index
from assets.track_audio import track_audio
from pipelines.runs import PARTITION_TAG
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.errors import MoodSearchError, UserError
from tests.simulation.faults import Gate, UnforeseenError

ASSETS: Final[dict[str, tuple[dg.AssetsDefinition, ...]]] = {
    "index_tracks": (track_audio, clap_embeddings, search_index),
    "classify_genres": (genre_predictions,),
}

_SILENT: Final = logging.getLogger("tests.simulation.run")
_SILENT.disabled = True


@dataclass(eq=False)
class SimulatedRun:
    """What Dagster stores of a run. `by_hand`: executed by the process that made it."""

    run_id: str
    job: str
    block: Block
    config: BlockConfig
    tags: dict[str, str] = field(default_factory=dict)
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.QUEUED
    by_hand: bool = False

    def __post_init__(self) -> None:
        self.tags[PARTITION_TAG] = self.block.key


class SimulatedInstance:
    """What the product asks of Dagster's instance."""

    def __init__(self) -> None:
        self.runs: dict[str, SimulatedRun] = {}
        self._number = 0

    def add(self, job: str, block: Block, config: BlockConfig, **tags: str) -> SimulatedRun:
        self._number += 1
        run = SimulatedRun(f"run-{self._number}", job, block, config, tags)
        self.runs[run.run_id] = run
        return run

    def finish(self, run: SimulatedRun, status: dg.DagsterRunStatus) -> None:
        run.status = status
        self.runs.pop(run.run_id, None)

    def add_run_tags(self, run_id: str, tags: dict[str, str]) -> None:
        if run_id in self.runs:
            self.runs[run_id].tags.update(tags)

    def get_runs(self, filters: dg.RunsFilter) -> list[SimulatedRun]:
        wanted = set(filters.statuses)
        return [run for run in self.runs.values() if run.status in wanted]

    def report_run_failed(self, run: SimulatedRun, _message: str) -> None:
        self.finish(run, dg.DagsterRunStatus.FAILURE)

    def add_dynamic_partitions(self, _name: str, _keys: list[str]) -> None:
        """Any block may be asked for."""


@dataclass
class _Context:
    """What an asset's body asks of Dagster."""

    asset_key: dg.AssetKey
    run: SimulatedRun
    instance: SimulatedInstance
    retry_number: int
    log: logging.Logger = _SILENT

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def partition_key(self) -> str:
        return self.run.block.key


class BrokenRunError(Exception):
    """The product raised what it never should."""


def execute(
    backends: Backends, instance: SimulatedInstance, run: SimulatedRun, gate: Gate
) -> str | None:
    """Execute a run in the current actor. Returns why it failed."""
    run.status = dg.DagsterRunStatus.STARTED
    runs = BlockRuns(backends, NoProgress())
    try:
        for asset in ASSETS[run.job]:
            reason = _attempts(asset, runs, instance, run, gate)
            if reason is not None:
                gate.note(f"a run failed: {run.run_id} {run.block.key} {asset.key}: {reason}")
                instance.finish(run, dg.DagsterRunStatus.FAILURE)
                return reason
    finally:
        runs.close()
    instance.finish(run, dg.DagsterRunStatus.SUCCESS)
    return None


def _attempts(
    asset: dg.AssetsDefinition,
    runs: BlockRuns,
    instance: SimulatedInstance,
    run: SimulatedRun,
    gate: Gate,
) -> str | None:
    for retry in range(RETRIES.max_retries + 1):
        context = _Context(asset.key, run, instance, retry)
        try:
            result = body_of(asset)(context, run.config, runs)
        except dg.Failure as error:
            # The index that it was asked for may be gone by now; else nothing is a person's fault.
            if isinstance(error.__cause__, UserError) and run.config.namespace is None:
                raise BrokenRunError(f"{asset.key}: {error.description}") from error
            return str(error.description)
        except (MoodSearchError, UnforeseenError) as error:
            reason = str(error)
            gate.schedule.pause("a retry")
        except Exception as error:
            raise BrokenRunError(f"{asset.key.to_user_string()} raised {error!r}") from error
        else:
            _expect_passed(result)
            return None
    return reason


def _expect_passed(result: "dg.MaterializeResult[None]") -> None:
    """Checks that hold whatever happened; the others speak of what is still to be done."""
    for check in result.check_results or []:
        if check.check_name != "every_decodable_track_embedded" and not check.passed:
            raise BrokenRunError(f"the check {check.check_name} failed")


def body_of(asset: dg.AssetsDefinition) -> Callable[..., Any]:
    """The function under the decorator, which Dagster calls with a context and resources."""
    body: Callable[..., Any] = asset.op.compute_fn.decorated_fn  # type: ignore[union-attr]
    return body
