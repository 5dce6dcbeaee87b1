"""Forgetting: one track, one artist, and the scan of everything that proves it."""

from time import perf_counter
from typing import Final

import numpy as np

from assets.block_run import NoProgress
from assets.blocks import TRACK_BLOCKS
from bench.catalogues import Mixture, fill
from bench.figures import Figure, single
from bench.workplace import Workplace
from pipelines.definitions import defs
from pipelines.forget import forget, plan
from pipelines.instance import dagster_instance
from resources.backends import Backends

SEED: Final = 7


def measure(workplace: Workplace) -> list[Figure]:
    """In a catalogue of our own, each of whose blocks has a run that shows titles."""
    count = workplace.choose(1_000, 10_000)
    vectors = Mixture.seeded(SEED).draw(count, np.random.default_rng(SEED))
    figures = [single("tracks in the catalogue", "tracks", count)]
    with workplace.installation("forget") as backends:
        fill(backends, range(1, count + 1), vectors)
        _show(backends)
        # Previews show the last tracks of a block.
        for name, what in (("a track", str(count - 1)), ("an artist", "artist-9.example")):
            subject = plan(backends, what)
            started = perf_counter()
            receipt = forget(backends, subject)
            seconds = perf_counter() - started
            if receipt.left or not receipt.removed:
                raise RuntimeError(f"{name} was not forgotten: {receipt}")
            figures += [
                single(f"forget {name}, with the scan", "s", seconds),
                single("its scan of everything", "s", receipt.scan_seconds),
            ]
    return figures


def _show(backends: Backends) -> None:
    """A run of each block, which finds nothing to do and shows some of its tracks."""
    with dagster_instance(backends) as instance:
        for block in backends.contents.known_blocks():
            instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), [block.key])
            outcome = defs.resolve_job_def("index_tracks").execute_in_process(
                instance=instance,
                partition_key=block.key,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                resources={"backends": backends, "progress": NoProgress()},
            )
            if not outcome.success:
                raise RuntimeError(f"the run of {block.key} failed")
