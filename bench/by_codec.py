"""The same work on tracks in each codec, on one thread and on all cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bench.figures import Figure, rate, repeated
from bench.workplace import CODECS


def by_codec(
    work: Callable[[str], object],
    *,
    unit: str,
    amount: int,
    files: int,
    repetitions: int,
) -> list[Figure]:
    """`work` is done on a codec's track, `files` times in a repetition, and is worth `amount` of
    `unit` each time."""
    figures = []
    for codec in CODECS:

        def one_after_the_other(codec: str = codec) -> None:
            for _ in range(files):
                work(codec)

        seconds = repeated(one_after_the_other, repetitions)
        figures.append(rate(f"{codec}, one thread", f"{unit}/s", amount * files, seconds))
    cores = os.cpu_count() or 1
    mixed = CODECS * files
    with ThreadPoolExecutor(cores) as threads:
        seconds = repeated(lambda: list(threads.map(work, mixed)), repetitions)
    name = f"all four codecs, {cores} threads"
    figures.append(rate(name, f"{unit}/s", amount * len(mixed), seconds))
    return figures
