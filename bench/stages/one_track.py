"""One new track, in a small catalogue and in a large one, side by side."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import numpy as np

from assets.block_run import NoProgress
from assets.blocks import TRACK_BLOCKS
from bench.catalogues import Mixture, fill
from bench.figures import Figure, single
from bench.sounds import copy_packets
from bench.workplace import Workplace
from pipelines.backfill import backfill, plan
from pipelines.instance import dagster_instance
from resources.backends import Backends
from resources.catalogue.work.blocks import BLOCK_SIZE

SMALL: Final = "100 tracks"
PARTS: Final = ("add", "sensor tick", "plan", "run")


@dataclass(frozen=True)
class Size:
    """A catalogue of `tracks` whose ids begin at `first`, so that the last block is as full as is
    to be shown."""

    name: str
    database: str
    tracks: int
    first: int = 1


def measure(workplace: Workplace) -> list[Figure]:
    """A track is added to each catalogue in turn, so that whatever else the machine does meets all
    of them alike."""
    repetitions = workplace.choose(1, 9)
    sizes = _sizes(workplace)
    with ExitStack() as stack:
        catalogues = {
            size.name: stack.enter_context(workplace.installation(size.database)) for size in sizes
        }
        for size in sizes:
            _prepare(catalogues[size.name], size)
        seconds: dict[str, list[dict[str, float]]] = defaultdict(list)
        for turn in range(workplace.choose(0, -1), repetitions):
            for name, backends in catalogues.items():
                parts = _add_one(backends, _new_file(workplace, turn, name))
                if turn >= 0:
                    seconds[name].append(parts)
    return list(_figures(seconds))


def _sizes(workplace: Workplace) -> list[Size]:
    large = workplace.choose(1_000, 10_000)
    nearly_full = BLOCK_SIZE * 9 // 10 - large % BLOCK_SIZE
    nearly_empty = Size(f"{large:,} tracks, last block nearly empty", "one_of_many", large)
    return [
        Size(SMALL, "one_of_100", 100),
        *([] if workplace.quick else [nearly_empty]),
        Size(
            f"{large:,} tracks, last block 90 % full",
            "one_of_many_full",
            large,
            first=nearly_full,
        ),
    ]


def _prepare(backends: Backends, size: Size) -> None:
    vectors = Mixture.seeded(1).draw(size.tracks, np.random.default_rng(2))
    ids = range(size.first, size.first + size.tracks)
    fill(backends, ids, vectors)
    blocks = {backends.work.block_of(number).key for number in ids}
    with dagster_instance(backends) as instance:
        instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), sorted(blocks))


def _new_file(workplace: Workplace, turn: int, name: str) -> Path:
    path = workplace.folder / "new_track.mp3"
    copy_packets(workplace.sound("mp3"), path, title=f"New {turn}", artist=f"For {name}")
    return path


def _add_one(backends: Backends, file: Path) -> dict[str, float]:
    """Seconds of each part."""
    marks = [perf_counter()]
    track_id = backends.uploads.add(file).track_id
    marks.append(perf_counter())
    backends.work.absorb_changes()
    due = backends.work.due_blocks("index", limit=50)
    marks.append(perf_counter())
    pending = plan(backends)
    marks.append(perf_counter())
    result = backfill(backends, pending, progress=NoProgress())
    marks.append(perf_counter())
    done = backends.vectors.ids(track_id, track_id) == [track_id]
    if not done or result.embedded != 1 or len(due) != 1 or result.errors:
        raise RuntimeError(f"the new track was not indexed alone: {due}, {result}")
    spans = (after - before for before, after in pairwise(marks))
    return dict(zip(PARTS, spans, strict=True))


def _figures(seconds: dict[str, list[dict[str, float]]]) -> Iterator[Figure]:
    totals = {
        name: tuple(sum(parts.values()) for parts in turns) for name, turns in seconds.items()
    }
    for name, values in totals.items():
        yield Figure(f"from file to index, {name}", "s", values)
    for name, values in totals.items():
        if name != SMALL:
            ratio = median(values) / median(totals[SMALL])
            yield single(f"ratio of medians, {name}", "×", ratio)
    for part in PARTS:
        for name, turns in seconds.items():
            yield Figure(f"{part}, {name}", "ms", tuple(1_000 * parts[part] for parts in turns))
