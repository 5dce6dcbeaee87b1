"""CLAP at full size beside transformers and the usual recipe, in one run on the same machine.

The two sides take turns, so that whatever else the machine does meets both alike. Weights are
random: time does not depend on them.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from bench.apart import one_thread, run_apart
from bench.figures import Figure, rate, timed
from bench.peer import Peer, export_at_full_size, peer, why_there_are_no_peers
from bench.workplace import Workplace
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.mel import log_mel
from resources.embedding.clap.model import ClapModel
from resources.embedding.protocol import SAMPLE_RATE, WINDOW_SAMPLES

THREADS: Final = min(4, os.cpu_count() or 1)
"""Of each side."""

CLIPS: Final = 16
"""Windows embedded in a repetition."""

QUERIES: Final = tuple(f"dark ambient techno with warm strings, number {n}" for n in range(8))

Precision = Literal["int8", "fp32"]
Pairs = list[tuple[float, float]]
"""Seconds of the peer and ours, once for each repetition."""


def measure(workplace: Workplace) -> list[Figure]:
    """Nothing where the peers are not installed, and in a smoke run, which must stay short."""
    if workplace.quick:
        return []
    if reason := why_there_are_no_peers():
        print(f"left out: {reason}")
        return []
    folder = export_at_full_size()
    with one_thread():
        mel = run_apart(_mel, workplace, folder).result
    figures = [*mel]
    for precision in ("fp32", "int8"):
        figures += run_apart(_model, workplace, folder, precision).result
    return figures


def _mel(workplace: Workplace, folder: Path) -> list[Figure]:
    """Both on one and the same core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    clip, clips = _clip(), 20
    with peer(1, folder / "tokenizer.json") as theirs:
        pairs = _in_turns(
            lambda: theirs.seconds("mel", clips=clips),
            lambda: [log_mel(clip) for _ in range(clips)],
            workplace.choose(1, 9),
        )
    return _compared("log-mel, one core", "windows/s", clips, pairs)


def _model(workplace: Workplace, folder: Path, precision: Precision) -> list[Figure]:
    """On all threads, everything but the files from memory."""
    model = ClapModel(FolderFiles(folder, precision), audio_threads=1, text_threads=THREADS)
    alone = ClapModel(FolderFiles(folder, precision), audio_threads=THREADS, text_threads=1)
    clip = _clip()[np.newaxis]
    mp3 = workplace.sound("mp3")

    def windows() -> None:
        list(threads.map(model.embed_audio, [clip] * CLIPS))

    def queries() -> None:
        for query in QUERIES:
            model.embed_text([query])

    def file(count: int) -> None:
        pool(alone.embed_audio(decode_windows(mp3, probe(mp3), count).samples))

    rounds = workplace.choose(1, 9)
    with (
        ThreadPoolExecutor(THREADS) as threads,
        peer(THREADS, folder / "tokenizer.json") as theirs,
    ):
        return [
            *_compared(
                f"{precision}, {THREADS} threads",
                "windows/s",
                CLIPS,
                _in_turns(lambda: _windows(theirs), windows, rounds),
            ),
            *_compared(
                f"{precision}, one query after the other, {THREADS} threads",
                "queries/s",
                len(QUERIES),
                _in_turns(lambda: theirs.seconds("query", texts=QUERIES), queries, rounds),
            ),
            *_compared(
                f"{precision}, MP3 of 3 min, one window",
                "files/s",
                1,
                _in_turns(lambda: _files(theirs, mp3), lambda: file(1), rounds),
            ),
            *_compared(
                f"{precision}, MP3 of 3 min, three windows against its one",
                "files/s",
                1,
                _in_turns(lambda: _files(theirs, mp3), lambda: file(3), rounds),
            ),
        ]


def _windows(theirs: Peer) -> float:
    """One at a time: batches of eight took PyTorch a tenth longer for each window."""
    return theirs.seconds("windows", batches=CLIPS, batch=1)


def _files(theirs: Peer, path: Path) -> float:
    return theirs.seconds("files", paths=[str(path)])


def _in_turns(theirs: Callable[[], float], ours: Callable[[], object], rounds: int) -> Pairs:
    """After one round that does not count."""
    return [(theirs(), timed(ours)) for _ in range(1 + rounds)][1:]


def _compared(name: str, unit: str, amount: int, pairs: Pairs) -> list[Figure]:
    theirs, ours = zip(*pairs, strict=True)
    ratios = tuple(peers / own for peers, own in pairs)
    return [
        rate(f"{name}: transformers", unit, amount, theirs),
        rate(f"{name}: ours", unit, amount, ours),
        Figure(f"{name}: ratio", "×", ratios),
    ]


def _clip() -> NDArray[np.float32]:
    """(480000,): noise, as the peers' program makes it."""
    noise = np.random.default_rng(0).standard_normal(10 * SAMPLE_RATE) * 0.1
    assert len(noise) == WINDOW_SAMPLES
    return noise.astype(np.float32)
