"""Peak memory of a backfill: by how many tracks there are, and how long they are."""

import os
from itertools import cycle, islice
from typing import Final

from assets.block_run import NoProgress
from bench.apart import run_apart, watched_family
from bench.catalogues import add_rows, file_id
from bench.figures import MEBIBYTE, Figure, single
from bench.sounds import copy_packets
from bench.workplace import Workplace
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from resources.embedding.offline import load_offline_model

CODECS: Final = ("mp3", "m4a", "opus")
CASES: Final = ((60, 1), (60, 20), (600, 1), (600, 20))
"""Tracks, and how many times as long as the usual three minutes each is."""

QUICK_CASES: Final = ((4, 20),)


def measure(workplace: Workplace) -> list[Figure]:
    """A process for each; the first only imports and loads the model."""
    figures = []
    if not workplace.quick:
        figures.append(_figure("imports and model alone", run_apart(_load).peak_bytes))
    for tracks, times in QUICK_CASES if workplace.quick else CASES:
        minutes = times * workplace.track_seconds / 60
        name = f"backfill_{tracks}_{times}"
        peak = run_apart(_backfill, workplace, name, tracks, times).result
        figures.append(_figure(f"{tracks:,} tracks of {minutes:.3g} min", peak))
    for tracks in () if workplace.quick else (10_000, 100_000):
        peak = run_apart(_plan, workplace, f"plan_{tracks}", tracks).peak_bytes
        figures.append(_figure(f"plan of {tracks:,} new tracks alone", peak))
    return figures


def _figure(name: str, peak_bytes: int) -> Figure:
    return single(name, "MiB", peak_bytes / MEBIBYTE)


def _load() -> None:
    """What a backfill holds before its first track."""
    load_offline_model().audio  # noqa: B018  Opened at its first use.


def _backfill(workplace: Workplace, name: str, tracks: int, times: int) -> int:
    """Most memory, in bytes, of the process and its workers together."""
    with workplace.installation(name) as backends:
        _link_sounds(workplace, backends, tracks, times)
        with watched_family() as family:
            result = backfill(backends, plan(backends), progress=NoProgress())
        if result.errors or result.embedded != tracks:
            raise RuntimeError(f"the backfill did not embed every track: {result}")
    return family.peak_bytes


def _link_sounds(workplace: Workplace, backends: Backends, tracks: int, times: int) -> None:
    """Objects of many names with the same few files behind them: a disk's worth of hour-long
    tracks takes no room."""
    add_rows(backends, range(1, tracks + 1))
    objects = workplace.home(backends.settings.moodsearch_home.name) / "objects" / "audio"
    objects.mkdir(parents=True)
    sounds = []
    for codec in CODECS:
        path = objects.parent / f"sound.{codec}"
        copy_packets(workplace.sound(codec), path, times=times, title="A track")
        sounds.append(path)
    backends.database.rows(
        "UPDATE public.tracks SET file_type = (%(types)s::text[])[(id - 1) %% 3 + 1]",
        {"types": list(CODECS)},
    )
    for number, sound in zip(range(1, tracks + 1), islice(cycle(sounds), tracks), strict=True):
        os.link(sound, objects / f"{file_id(number)}{sound.suffix}")


def _plan(workplace: Workplace, name: str, tracks: int) -> None:
    with workplace.installation(name) as backends:
        for first in range(1, tracks + 1, 1_000):
            add_rows(backends, range(first, min(first + 1_000, tracks + 1)))
        if len(plan(backends)) != tracks:
            raise RuntimeError("the plan leaves tracks out")
