"""Tracks to vectors: fetching, decoding and inference of many tracks overlap, in bounded memory."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.outcomes import CHUNK_TRACKS, Judge, Outcome, is_outage, outcome_of
from assets.window_vectors import WindowEmbedder, WindowVectors
from resources.audio.windows import pool
from resources.catalogue.work.pending import PendingTrack

MOST_AHEAD: Final = CHUNK_TRACKS // 2


@dataclass(frozen=True, eq=False)
class Embedding:
    """vector: (512,) float32 of length 1; windows: (n, 512) float32; starts_seconds: n floats."""

    vector: NDArray[np.float32]
    windows: NDArray[np.float32]
    starts_seconds: tuple[float, ...]


EmbeddedTrack = Outcome[Embedding]


def embed_tracks(
    tracks: Sequence[PendingTrack],
    key_of: Callable[[PendingTrack], str],
    embedder: WindowEmbedder,
    *,
    has_worked: bool = False,
) -> Generator[list[EmbeddedTrack], None, None]:
    """Embed the tracks, in order, and yield them in chunks, to be stored before the next is asked
    for; stops early in an outage.

    Closes `embedder`. `has_worked`: see `Judge`. A chunk and what is worked on ahead of it are at
    most 64 tracks: what a kill may undo.
    """

    def embed_one(track: PendingTrack) -> Embedding:
        return _embedding(embedder.embed(key_of(track)))

    def embed_again(track: PendingTrack) -> Embedding:
        return _embedding(embedder.embed_again(key_of(track)))

    judge = Judge(embed_again, has_worked=has_worked)
    ahead = min(2 * embedder.concurrency, MOST_AHEAD)
    with (
        ThreadPoolExecutor(embedder.concurrency, thread_name_prefix="embed") as threads,
        closing(embedder),  # Before the threads are waited for: it ends what they wait for.
        closing(_ahead(threads, embed_one, tracks, ahead)) as outcomes,
    ):
        while chunk := list(islice(outcomes, CHUNK_TRACKS - ahead)):
            chunk = judge.settled(chunk)
            yield chunk
            if is_outage(chunk):
                return


def _embedding(windows: WindowVectors) -> Embedding:
    return Embedding(pool(windows.vectors), windows.vectors, windows.starts_seconds)


def _ahead(
    threads: ThreadPoolExecutor,
    work: Callable[[PendingTrack], Embedding],
    tracks: Sequence[PendingTrack],
    most: int,
) -> Generator[EmbeddedTrack, None, None]:
    """Like `map`, with at most `most` outcomes not yet consumed."""
    waiting: deque[Future[EmbeddedTrack]] = deque()
    try:
        for track in tracks:
            if len(waiting) == most:
                yield waiting.popleft().result()
            waiting.append(threads.submit(outcome_of, track, work))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
