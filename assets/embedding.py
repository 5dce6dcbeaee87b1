"""Tracks to vectors: fetching, decoding and inference of many tracks overlap, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.work import stop_when_all_wait
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.catalogue.work import PendingTrack
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError, ObjectNotFoundError, TrackError
from resources.object_store.protocol import ObjectStore

CHUNK_TRACKS: Final = 64
"""Tracks whose vectors are stored at once: what a kill may lose."""


@dataclass(frozen=True, eq=False)
class EmbeddedTrack:
    """A track's vector, or why there is none: `failure` for good, `waiting` for now.

    vector: (512,) float32 of length 1; windows: (n, 512) float32; starts_seconds: n floats.
    """

    track: PendingTrack
    vector: NDArray[np.float32] | None = None
    windows: NDArray[np.float32] | None = None
    starts_seconds: tuple[float, ...] = ()
    failure: str | None = None
    waiting: str | None = None


def embed_tracks(
    tracks: Sequence[PendingTrack],
    *,
    store: ObjectStore,
    key_of: Callable[[PendingTrack], str],
    model: EmbeddingModel,
    concurrency: int,
) -> Iterator[list[EmbeddedTrack]]:
    """Embed the tracks, in order, and yield them in chunks of at most 64.

    `concurrency` tracks are fetched, decoded and embedded at once, each by one thread from start to
    end: decoders and models let go of the interpreter, so that keeps as many cores busy. At most
    twice as many tracks' samples (6 MB each) are in memory. Raises `BackendError` when not one
    track of a chunk could be embedded and something outside is to blame: it would go on like that.
    """

    def embed_one(track: PendingTrack) -> EmbeddedTrack:
        try:
            with store.open(key_of(track)) as audio:
                heard = decode_windows(audio, probe(audio))
            windows = model.embed_audio(heard.samples)
            _refuse_what_is_no_embedding(windows, len(heard.samples))
        except TrackError as error:
            return EmbeddedTrack(track, failure=str(error))
        except ObjectNotFoundError:
            return EmbeddedTrack(track, waiting="the audio file is not in the object store")
        except BackendError as error:
            return EmbeddedTrack(track, waiting=str(error))
        return EmbeddedTrack(track, pool(windows), windows, heard.starts_seconds)

    with ThreadPoolExecutor(concurrency, thread_name_prefix="embed") as workers:
        results = _ahead(workers, embed_one, tracks, 2 * concurrency)
        while chunk := list(islice(results, CHUNK_TRACKS)):
            stop_when_all_wait([result.waiting for result in chunk])
            yield chunk


def _ahead(
    workers: ThreadPoolExecutor,
    work: Callable[[PendingTrack], EmbeddedTrack],
    tracks: Sequence[PendingTrack],
    most: int,
) -> Iterator[EmbeddedTrack]:
    """Like `map`, with at most `most` results not yet consumed."""
    waiting: deque[Future[EmbeddedTrack]] = deque()
    try:
        for track in tracks:
            if len(waiting) == most:
                yield waiting.popleft().result()
            waiting.append(workers.submit(work, track))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _refuse_what_is_no_embedding(vectors: NDArray[np.float32], windows: int) -> None:
    """A model that answers nonsense must not have it stored."""
    if vectors.shape != (windows, EMBEDDING_DIMENSION) or not np.isfinite(vectors).all():
        raise BackendError("the embedding model answered with something that is no embedding")
