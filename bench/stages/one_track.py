"""One new track, in a small catalogue and in a large one, side by side."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
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


@dataclass(frozen=True)
class Turn:
    """One track added: seconds of each part, and CPU seconds of this process (not PostgreSQL's),
    which tell more than seconds where the machine does other things as well."""

    seconds: dict[str, float]
    cpu_seconds: float


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
        turns: dict[str, list[Turn]] = defaultdict(list)
        for number in range(workplace.choose(0, -1), repetitions):
            for name, backends in catalogues.items():
                turn = _add_one(backends, _new_file(workplace, number, name))
                if number >= 0:
                    turns[name].append(turn)
    return list(_figures(turns))


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


def _new_file(workplace: Workplace, number: int, name: str) -> Path:
    path = workplace.folder / "new_track.mp3"
    copy_packets(workplace.sound("mp3"), path, title=f"New {number}", artist=f"For {name}")
    return path


def _add_one(backends: Backends, file: Path) -> Turn:
    cpu_before, marks = process_time(), [perf_counter()]
    track_id = backends.uploads.add(file).track_id
    marks.append(perf_counter())
    backends.work.absorb_changes()
    due = backends.work.due_blocks("index", limit=50)
    marks.append(perf_counter())
    pending = plan(backends)
    marks.append(perf_counter())
    result = backfill(backends, pending, progress=NoProgress())
    marks.append(perf_counter())
    cpu_seconds = process_time() - cpu_before
    done = backends.vectors.ids(track_id, track_id) == [track_id]
    if not done or result.embedded != 1 or len(due) != 1 or result.errors:
        raise RuntimeError(f"the new track was not indexed alone: {due}, {result}")
    spans = (after - before for before, after in pairwise(marks))
    return Turn(dict(zip(PARTS, spans, strict=True)), cpu_seconds)


def _figures(turns: dict[str, list[Turn]]) -> Iterator[Figure]:
    totals = {name: [sum(turn.seconds.values()) for turn in own] for name, own in turns.items()}
    cpu = {name: [turn.cpu_seconds for turn in own] for name, own in turns.items()}
    yield from _compared("from file to index", totals)
    yield from _compared("CPU of this process", cpu)
    for part in PARTS:
        for name, own in turns.items():
            values = tuple(1_000 * turn.seconds[part] for turn in own)
            yield Figure(f"{part}, {name}", "ms", values)


def _compared(what: str, seconds: dict[str, list[float]]) -> Iterator[Figure]:
    for name, values in seconds.items():
        yield Figure(f"{what}, {name}", "s", tuple(values))
    for name, values in seconds.items():
        if name != SMALL:
            ratio = median(values) / median(seconds[SMALL])
            yield single(f"{what}, ratio of medians, {name}", "×", ratio)
