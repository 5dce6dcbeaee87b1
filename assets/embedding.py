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

from assets.window_vectors import WindowEmbedder
from assets.work import AUDIO_IS_MISSING, CHUNK_TRACKS, Waiting, is_outage
from resources.audio.windows import pool
from resources.catalogue.work.pending import PendingTrack
from resources.errors import BackendError, ObjectNotFoundError, TrackError

MOST_AHEAD: Final = CHUNK_TRACKS // 2


@dataclass(frozen=True, eq=False)
class EmbeddedTrack:
    """A track's vector, or why there is none: `failure` for good, `waiting` at present.

    vector: (512,) float32 of length 1; windows: (n, 512) float32; starts_seconds: n floats.
    """

    track: PendingTrack
    vector: NDArray[np.float32] | None = None
    windows: NDArray[np.float32] | None = None
    starts_seconds: tuple[float, ...] = ()
    failure: str | None = None
    waiting: Waiting | None = None


def embed_tracks(
    tracks: Sequence[PendingTrack], key_of: Callable[[PendingTrack], str], embedder: WindowEmbedder
) -> Generator[list[EmbeddedTrack], None, None]:
    """Embed the tracks, in order, and yield them in chunks, to be stored before the next is asked
    for; stops early in an outage.

    Closes `embedder`. A chunk and what is worked on ahead of it are at most 64 tracks: what a kill
    may undo.
    """

    def embed_one(track: PendingTrack) -> EmbeddedTrack:
        try:
            windows = embedder.embed(key_of(track))
        except TrackError as error:
            return EmbeddedTrack(track, failure=str(error))
        except ObjectNotFoundError:
            return EmbeddedTrack(track, waiting=AUDIO_IS_MISSING)
        except BackendError as error:
            return EmbeddedTrack(track, waiting=Waiting(str(error), is_outage=True))
        vectors = windows.vectors
        return EmbeddedTrack(track, pool(vectors), vectors, windows.starts_seconds)

    ahead = min(2 * embedder.concurrency, MOST_AHEAD)
    with (
        ThreadPoolExecutor(embedder.concurrency, thread_name_prefix="embed") as threads,
        closing(embedder),  # Before the threads are waited for: it ends what they wait for.
        closing(_ahead(threads, embed_one, tracks, ahead)) as results,
    ):
        while chunk := list(islice(results, CHUNK_TRACKS - ahead)):
            yield chunk
            if is_outage([result.waiting for result in chunk]):
                return


def _ahead(
    threads: ThreadPoolExecutor,
    work: Callable[[PendingTrack], EmbeddedTrack],
    tracks: Sequence[PendingTrack],
    most: int,
) -> Generator[EmbeddedTrack, None, None]:
    """Like `map`, with at most `most` results not yet consumed."""
    waiting: deque[Future[EmbeddedTrack]] = deque()
    try:
        for track in tracks:
            if len(waiting) == most:
                yield waiting.popleft().result()
            waiting.append(threads.submit(work, track))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
