"""Windows embedded by the model that ships with the source."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.apart import one_thread, run_apart
from bench.figures import Figure, rate, repeated
from bench.workplace import Workplace
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import DEFAULT_WINDOW_COUNT
from resources.embedding.offline import load_offline_model
from resources.embedding.offline.model import spectrogram
from resources.embedding.protocol import EmbeddingModel

TRACKS: Final = 8
"""Tracks embedded in a repetition, one call for each, as a backfill does."""


def measure(workplace: Workplace) -> list[Figure]:
    """On one thread; with a caller on each core, as in a backfill; and the texts of queries."""
    with workplace.installation("embed") as backends:
        model = backends.local_model
        with one_thread():
            figures = run_apart(_one_thread, workplace).result
        return [*figures, _all_cores(workplace, model), _text(workplace, model)]


def _track(workplace: Workplace) -> NDArray[np.float32]:
    """(3, 480000) float32: a track's windows."""
    path = workplace.sound("flac")
    windows = decode_windows(path, probe(path)).samples
    return np.resize(windows, (DEFAULT_WINDOW_COUNT, windows.shape[1]))


def _one_thread(workplace: Workplace) -> list[Figure]:
    """In a process whose linear algebra has one thread too."""
    with workplace.installation("embed_one_thread") as backends:
        model, track = backends.local_model, _track(workplace)
    repetitions, windows = workplace.choose(2, 15), TRACKS * len(track)
    whole = repeated(lambda: [model.embed_audio(track) for _ in range(TRACKS)], repetitions)
    mel = repeated(lambda: [spectrogram(window) for window in track], repetitions)
    shares = tuple(100 * TRACKS * part / all_ for part, all_ in zip(mel, whole, strict=True))
    return [
        rate("one thread", "windows/s", windows, whole),
        Figure("of that, mel spectrograms", "%", shares),
        Figure("of that, inference", "%", tuple(100 - share for share in shares)),
        Figure("model loaded", "ms", tuple(1e3 * s for s in repeated(_load, 5))),
    ]


def _load() -> None:
    load_offline_model().audio  # noqa: B018  Opened at its first use.


def _all_cores(workplace: Workplace, model: EmbeddingModel) -> Figure:
    """A caller on each core, and the libraries' own threads as they come."""
    track, cores = _track(workplace), os.cpu_count() or 1
    calls = workplace.choose(2, TRACKS) * cores
    with ThreadPoolExecutor(cores) as threads:
        seconds = repeated(
            lambda: list(threads.map(model.embed_audio, [track] * calls)),
            workplace.choose(2, 15),
        )
    return rate(f"{cores} threads, as in a backfill", "windows/s", calls * len(track), seconds)


def _text(workplace: Workplace, model: EmbeddingModel) -> Figure:
    texts = workplace.choose(10, 200)
    queries = [f"dark ambient techno with warm strings, number {n}" for n in range(texts)]
    seconds = repeated(lambda: [model.embed_text([query]) for query in queries], 7)
    return rate("queries embedded, one thread", "queries/s", texts, seconds)
