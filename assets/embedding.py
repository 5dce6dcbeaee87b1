"""Tracks to vectors: fetching, decoding and inference of many tracks overlap, in bounded memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assets.work import AUDIO_IS_MISSING, CHUNK_TRACKS, Waiting, is_outage
from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.catalogue.work import PendingTrack
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError, ObjectNotFoundError, TrackError
from resources.object_store.protocol import ObjectStore

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
    tracks: Sequence[PendingTrack],
    *,
    store: ObjectStore,
    key_of: Callable[[PendingTrack], str],
    model: EmbeddingModel,
    concurrency: int,
) -> Iterator[list[EmbeddedTrack]]:
    """Embed the tracks, in order, and yield them in chunks, to be stored before the next is asked
    for; stops early in an outage.

    `concurrency` tracks are fetched, decoded and embedded at once, each by one thread from start to
    end. Models let go of the interpreter for long, decoders only for moments (`COMPUTING_THREADS`
    has the figures), so more threads help where they wait for bytes or for Modal. A chunk and what
    is worked on ahead of it are at most 64 tracks: what a kill may undo. A thread has 6 MB of
    samples.
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
            return EmbeddedTrack(track, waiting=AUDIO_IS_MISSING)
        except BackendError as error:
            return EmbeddedTrack(track, waiting=Waiting(str(error), is_outage=True))
        return EmbeddedTrack(track, pool(windows), windows, heard.starts_seconds)

    ahead = min(2 * concurrency, MOST_AHEAD)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="embed") as workers:
        results = _ahead(workers, embed_one, tracks, ahead)
        while chunk := list(islice(results, CHUNK_TRACKS - ahead)):
            yield chunk
            if is_outage([result.waiting for result in chunk]):
                results.close()
                return


def _ahead(
    workers: ThreadPoolExecutor,
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
