"""From uploads to the index, end to end: as `moodsearch add` and `moodsearch backfill` do it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Final

from assets.work import NoProgress
from bench.figures import Figure, repeated, single, timed
from bench.sounds import copy_packets
from bench.workplace import Workplace
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from serving.cli.add import add_all

MIX: Final = ("mp3", "mp3", "mp3", "mp3", "m4a", "m4a", "opus", "flac")
"""Codecs of the catalogue, in their proportion."""


def measure(workplace: Workplace) -> list[Figure]:
    """Every round is a catalogue of its own; one of eight tracks before them does not count."""
    tracks, rounds = workplace.choose(8, 300), workplace.choose(1, 3)
    _round(workplace, "warm_up", 8)
    timings = [_round(workplace, f"round_{number}", tracks) for number in range(rounds)]
    imports = tuple(60 * tracks / each[0] for each in timings)
    backfills = tuple(60 * tracks / each[1] for each in timings)
    both = tuple(60 * tracks / (each[0] + each[1]) for each in timings)
    nothing = tuple(1_000 * second for each in timings for second in each[2])
    return [
        Figure("imported (add)", "tracks/min", imports),
        Figure("indexed, with genres (backfill)", "tracks/min", backfills),
        Figure("both", "tracks/min", both),
        Figure(f"second backfill of {tracks} tracks, nothing to do", "ms", nothing),
        single("the same as a command, start of Python included", "s", timings[0][3]),
    ]


def _round(workplace: Workplace, name: str, tracks: int) -> tuple[float, float, list[float], float]:
    """Seconds of the import, of the backfill, of backfills with nothing to do in this process, and
    of one as a command."""
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
        command = timed(lambda: _run_command(workplace, name))
    shutil.rmtree(workplace.home(name))
    return importing, working, nothing, command


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
