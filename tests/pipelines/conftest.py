"""A catalogue of real audio files in a real Postgres, and Dagster's jobs run on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from assets.block_run import NoProgress
from assets.blocks import TRACK_BLOCKS
from pipelines.definitions import defs
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.settings import load_settings
from tests.audio.files import float_wav, noise

BLOCK = Block(0, 999)
Upload = Callable[..., int]


@pytest.fixture
def backends(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with Backends(load_settings()) as backends:
        yield backends


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), [BLOCK.key])
        yield instance


def write_noise(path: Path, seed: int, seconds: float = 1.0) -> Path:
    """A file of its own for each seed."""
    path.write_bytes(float_wav(noise(seconds, 48_000, 1, seed), 48_000))
    return path


@pytest.fixture
def upload(backends: Backends, tmp_path: Path) -> Upload:
    """Uploads a file of noise; returns the track's id."""

    def upload(seed: int, seconds: float = 1.0) -> int:
        path = write_noise(tmp_path / f"noise-{seed}.wav", seed, seconds)
        return backends.uploads.add(path).track_id

    return upload


@dataclass(frozen=True)
class Ran:
    """A finished run and what it says of itself."""

    outcome: dg.ExecuteInProcessResult

    @property
    def success(self) -> bool:
        return self.outcome.success

    def counts(self, asset: str) -> dict[str, int]:
        """Metadata of an asset's materialization that are counts."""
        (event,) = self.outcome.asset_materializations_for_node(asset)
        return {
            name: value.value or 0
            for name, value in event.metadata.items()
            if isinstance(value, dg.IntMetadataValue)
        }

    def failed_checks(self) -> set[str]:
        return {
            evaluation.check_name
            for evaluation in self.outcome.get_asset_check_evaluations()
            if not evaluation.passed
        }


Run = Callable[..., Ran]


@pytest.fixture
def run(backends: Backends, instance: dg.DagsterInstance) -> Run:
    """Runs a job on the first block, in this process."""

    def run(job: str = "index_tracks", config: dict[str, object] | None = None) -> Ran:
        definition = defs.resolve_job_def(job)
        keys = definition.asset_layer.executable_asset_keys
        outcome = definition.execute_in_process(
            instance=instance,
            partition_key=BLOCK.key,
            resources={"backends": backends, "progress": NoProgress()},
            run_config={
                "ops": {key.to_python_identifier(): {"config": config or {}} for key in keys}
            },
            raise_on_error=False,
        )
        return Ran(outcome)

    return run
