"""CLAP at full size beside transformers and the usual recipe, in one run on the same machine.

The two sides take turns, so that whatever else the machine does meets both alike. Weights are
random: time does not depend on them.
"""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from assets.embedding_processes import EmbeddingProcesses
from bench.apart import one_thread, run_apart
from bench.figures import Figure, rate, timed
from bench.peer import Peer, export_at_full_size, peer, why_there_are_no_peers
from bench.workplace import Workplace
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import SAMPLE_RATE, WINDOW_SAMPLES, pool
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.mel import log_mel
from resources.embedding.clap.model import ClapModel
from resources.embedding.protocol import EmbeddingModel
from resources.embedding_backends import EmbeddingBackends
from resources.settings import Settings

THREADS: Final = min(4, os.cpu_count() or 1)
"""Of each side."""

CLIPS: Final = 16
"""Windows embedded in a repetition."""

FILES: Final = 16
"""Files embedded in a repetition, where many are embedded at a time."""

QUERIES: Final = tuple(f"dark ambient techno with warm strings, number {n}" for n in range(8))

Precision = Literal["int8", "fp32"]
PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "int8")
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
    for precision in PRECISIONS:
        figures += run_apart(_model, workplace, folder, precision).result
    for precision in PRECISIONS:
        figures += run_apart(_files, workplace, folder, precision).result
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
    """On all threads, from samples and texts in memory."""
    model = ClapModel(FolderFiles(folder, precision), text_threads=THREADS)
    clip = _clip()[np.newaxis]

    def windows() -> None:
        list(threads.map(model.embed_audio, [clip] * CLIPS))

    def queries() -> None:
        for query in QUERIES:
            model.embed_text([query])

    rounds = workplace.choose(1, 9)
    with (
        ThreadPoolExecutor(THREADS) as threads,
        peer(THREADS, folder / "tokenizer.json") as theirs,
    ):
        embedded = _in_turns(lambda: _windows(theirs), windows, rounds)
        asked = _in_turns(lambda: theirs.seconds("query", texts=QUERIES), queries, rounds)
    name = f"{precision}, {THREADS} threads"
    milliseconds = tuple(1000 * ours / len(QUERIES) for _, ours in asked)
    return [
        *_compared(name, "windows/s", CLIPS, embedded),
        *_compared(f"{name}, one query after the other", "queries/s", len(QUERIES), asked),
        Figure(f"{name}, a query", "ms", milliseconds),
    ]


def _files(workplace: Workplace, folder: Path, precision: Precision) -> list[Figure]:
    """MP3 files of three minutes to vectors: the recipe decodes all of a file and hears 10 s."""
    mp3, rounds = workplace.sound("mp3"), workplace.choose(1, 7)
    backends = EmbeddingBackends(
        Settings(
            moodsearch_home=workplace.home("clap"),
            clap_model=str(folder),
            clap_precision=precision,
        )
    )
    objects = workplace.home("clap") / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    shutil.copy(mp3, objects)
    # One file at a time, in this process: all threads are for its windows.
    alone = ClapModel(FolderFiles(folder, precision), text_threads=1, audio_threads=THREADS)
    model = backends.local_model

    def one_file(model: EmbeddingModel, windows: int) -> None:
        pool(model.embed_audio(decode_windows(mp3, probe(mp3), windows).samples))

    def all_files() -> None:
        for vectors in threads.map(processes.embed, [mp3.name] * FILES):
            pool(vectors.vectors)

    with (
        closing(EmbeddingProcesses(backends, model.model.fingerprint, THREADS)) as processes,
        ThreadPoolExecutor(THREADS) as threads,
        peer(THREADS, folder / "tokenizer.json") as theirs,
    ):
        recipe = partial(theirs.seconds, "files", paths=[str(mp3)])
        one = _in_turns(recipe, lambda: one_file(alone, 1), rounds)
        three = _in_turns(recipe, lambda: one_file(alone, 3), rounds)
        many = _in_turns(
            recipe, lambda: list(threads.map(partial(one_file, model), [1] * FILES)), rounds
        )
        stream = _in_turns(recipe, all_files, rounds)
    name = f"{precision}, MP3 of 3 min"
    return [
        *_compared(f"{name}, one by one, one window", "files/s", 1, one),
        *_compared(f"{name}, one by one, three windows", "files/s", 1, three),
        *_compared(f"{name}, {THREADS} at a time, one window", "files/s", 1, _each(many)),
        *_compared(f"{name}, as in a backfill, three windows", "files/s", 1, _each(stream)),
    ]


def _each(pairs: Pairs) -> Pairs:
    """Ours for each file, where all of them were done."""
    return [(theirs, ours / FILES) for theirs, ours in pairs]


def _windows(theirs: Peer) -> float:
    """One at a time: batches of eight took PyTorch a tenth longer for each window."""
    return theirs.seconds("windows", batches=CLIPS, batch=1)


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
