"""Stage 1: compose and render clips in worker processes; keep spectrograms and tags only."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np

from resources.embedding.offline.mel import FRAMES, MEL_BANDS, log_mel
from training.compose.clips import make_clip

CHUNK = 100


def _chunk(task: tuple[int, int]) -> tuple[np.ndarray, list[list[str]]]:
    """`CHUNK` clips as uint8 spectrograms (CHUNK, 80, 465) and their raw tags."""
    seed, first = task
    spectrograms = np.empty((CHUNK, MEL_BANDS, FRAMES), np.uint8)
    tags = []
    for index in range(CHUNK):
        rng = np.random.default_rng((seed, first + index))
        wave, found = make_clip(rng)
        spectrograms[index] = np.round(255 * log_mel(wave))
        tags.append(sorted(found))
    return spectrograms, tags


def generate(data: Path, clips: int, workers: int, seed: int) -> None:
    """Write `spectrograms.npy` (clips, 80, 465) uint8 and `tags.json` under `data`."""
    data.mkdir(parents=True, exist_ok=True)
    clips = clips // CHUNK * CHUNK
    out = np.lib.format.open_memmap(
        data / "spectrograms.npy", "w+", np.uint8, (clips, MEL_BANDS, FRAMES)
    )
    tasks = [(seed, first) for first in range(0, clips, CHUNK)]
    tags: list[list[str]] = []
    # BLAS in several processes with several threads each waits for itself: ten times slower.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    start = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for index, (spectrograms, found) in enumerate(pool.imap(_chunk, tasks)):
            out[index * CHUNK : (index + 1) * CHUNK] = spectrograms
            tags += found
            if index % 10 == 9:
                print(f"{len(tags)} clips, {time.monotonic() - start:.0f} s", flush=True)
    out.flush()
    (data / "tags.json").write_text(json.dumps(tags))
    counts = Counter(tag for found in tags for tag in found)
    print("rarest tags:", counts.most_common()[:-30:-1])
