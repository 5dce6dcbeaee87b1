"""Windows embedded by the model that ships with the source."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from bench.apart import one_thread, run_apart
from bench.figures import Figure, rate, repeated
from bench.workplace import Workplace
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.embedding.offline import load_offline_model
from resources.embedding.offline.model import spectrogram

BATCH_WINDOWS = 24
"""What a backfill hands to the model at once: eight tracks of three windows."""


def measure(workplace: Workplace) -> list[Figure]:
    """On one thread; with the model's own threads; with a caller on each core; and the text."""
    with one_thread():
        alone = run_apart(_one_thread, workplace).result
    return [*alone, *_own_threads(workplace), _text(workplace)]


def _windows(workplace: Workplace) -> NDArray[np.float32]:
    """(24, 480000) float32, of a real track."""
    path = workplace.sound("flac")
    windows = decode_windows(path, probe(path)).samples
    return np.resize(windows, (BATCH_WINDOWS, windows.shape[1]))


def _one_thread(workplace: Workplace) -> list[Figure]:
    windows, model = _windows(workplace), load_offline_model(threads=1)
    repetitions = workplace.choose(2, 15)
    whole = repeated(lambda: model.embed_audio(windows), repetitions)
    mel = repeated(lambda: [spectrogram(window) for window in windows], repetitions)
    name = f"one thread, batches of {BATCH_WINDOWS}"
    shares = tuple(
        100 * part / total for part, total in zip(sorted(mel), sorted(whole), strict=True)
    )
    return [
        rate(name, "windows/s", BATCH_WINDOWS, whole),
        Figure("of that, mel spectrograms", "%", shares),
        Figure("of that, inference", "%", tuple(100 - share for share in shares)),
    ]


def _own_threads(workplace: Workplace) -> list[Figure]:
    windows, model = _windows(workplace), load_offline_model()
    repetitions, cores = workplace.choose(2, 15), os.cpu_count() or 1
    alone = repeated(lambda: model.embed_audio(windows), repetitions)
    with ThreadPoolExecutor(cores) as threads:
        together = repeated(
            lambda: list(threads.map(model.embed_audio, [windows] * cores)), repetitions
        )
    return [
        rate("all cores, one caller (as a backfill)", "windows/s", BATCH_WINDOWS, alone),
        rate(f"all cores, {cores} callers", "windows/s", cores * BATCH_WINDOWS, together),
    ]


def _text(workplace: Workplace) -> Figure:
    model, texts = load_offline_model(), workplace.choose(10, 200)
    queries = [f"dark ambient techno with warm strings, number {n}" for n in range(texts)]
    seconds = repeated(lambda: [model.embed_text([query]) for query in queries], 7)
    return rate("queries embedded, one caller", "queries/s", texts, seconds)
