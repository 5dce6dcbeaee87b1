"""From uploads to the index, end to end: as `moodsearch add` and `moodsearch backfill` do it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Final

from assets.block_run import NoProgress
from bench.figures import Figure, repeated, timed
from bench.sounds import copy_packets
from bench.workplace import Workplace
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from serving.cli.add import add_all

MIX: Final = ("mp3", "mp3", "mp3", "mp3", "m4a", "m4a", "opus", "flac")
"""Codecs of the catalogue, in their proportion."""

WARM_UP: Final = "warm_up"


@dataclass(frozen=True)
class Round:
    """Seconds of the import, of the backfill, of backfills with nothing to do in this process, and
    of one as a command."""

    importing: float
    working: float
    nothing: list[float]
    command: float


def measure(workplace: Workplace) -> list[Figure]:
    """Every round is a catalogue of its own; a small one before them does not count."""
    tracks = workplace.choose(8, 300)
    if not workplace.quick:
        _round(workplace, WARM_UP, 8)
    rounds = [
        _round(workplace, f"round_{number}", tracks) for number in range(workplace.choose(1, 3))
    ]
    imports = tuple(60 * tracks / each.importing for each in rounds)
    backfills = tuple(60 * tracks / each.working for each in rounds)
    both = tuple(60 * tracks / (each.importing + each.working) for each in rounds)
    commands = tuple(each.command for each in rounds)
    nothing = tuple(1_000 * second for each in rounds for second in each.nothing)
    return [
        Figure("imported (add)", "tracks/min", imports),
        Figure("indexed, with genres (backfill)", "tracks/min", backfills),
        Figure("both", "tracks/min", both),
        Figure(f"second backfill of {tracks} tracks, nothing to do", "ms", nothing),
        Figure("the same as a command, start of Python included", "s", commands),
    ]


def _round(workplace: Workplace, name: str, tracks: int) -> Round:
    files = _distinct_tracks(workplace, workplace.folder / f"{name}_files", tracks)
    with workplace.installation(name) as backends:
        importing = timed(lambda: _add(backends, files))
        shutil.rmtree(files[0].parent)
        started = perf_counter()
        result = backfill(backends, plan(backends), progress=NoProgress())
        working = perf_counter() - started
        if result.errors or backends.vectors.count() != tracks:
            raise RuntimeError(f"the backfill did not index every track: {result}")
        if plan(backends):
            raise RuntimeError("a second backfill would do something")
        nothing = repeated(lambda: plan(backends), 5)
        command = 0.0 if name == WARM_UP else timed(lambda: _run_command(workplace, name))
    shutil.rmtree(workplace.home(name))
    return Round(importing, working, nothing, command)


def _distinct_tracks(workplace: Workplace, folder: Path, tracks: int) -> list[Path]:
    """Files with the same sounds, and title and artist of their own."""
    folder.mkdir()
    files = []
    for number, codec in enumerate(islice(cycle(MIX), tracks)):
        path = folder / f"{number:04d}.{codec}"
        title, artist = f"Track {number}", f"Artist {number}"
        copy_packets(workplace.sound(codec), path, title=title, artist=artist)
        files.append(path)
    return files


def _add(backends: Backends, files: Sequence[Path]) -> None:
    for path, outcome in add_all(backends.uploads.add, files):
        if isinstance(outcome, Exception):
            raise RuntimeError(f"{path.name} was refused") from outcome


def _run_command(workplace: Workplace, name: str) -> None:
    environment = {
        **os.environ,
        "MOODSEARCH_HOME": str(workplace.home(name)),
        "DATABASE_URL": workplace.database_url(name),
    }
    command = [sys.executable, "-m", "serving.cli", "backfill"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
