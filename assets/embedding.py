"""Tracks to vectors: decoding, inference and storing of a chunk overlap, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from resources.audio.decode import DecodedWindows, decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.catalogue.work import PendingTrack
from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel
from resources.errors import BackendError, ObjectNotFoundError, TrackError
from resources.object_store.protocol import ObjectStore

CHUNK_TRACKS: Final = 64
"""Tracks whose vectors are stored at once: what a kill may lose."""

Item = TypeVar("Item")
Result = TypeVar("Result")

_TRACKS_PER_INFERENCE: Final = 8
"""Tracks whose windows go through the model in one call: 24 windows, 46 MB of samples."""


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

    `concurrency` tracks are fetched and decoded at once while the model works on those before them;
    at most twice as many are ever in memory. Raises what the model raises: a model that fails for
    one track fails for all.
    """

    def decode_one(track: PendingTrack) -> EmbeddedTrack | tuple[PendingTrack, DecodedWindows]:
        try:
            with store.open(key_of(track)) as audio:
                return track, decode_windows(audio, probe(audio))
        except TrackError as error:
            return EmbeddedTrack(track, failure=str(error))
        except ObjectNotFoundError:
            return EmbeddedTrack(track, waiting="the audio file is not in the object store")
        except BackendError as error:
            return EmbeddedTrack(track, waiting=str(error))

    with ThreadPoolExecutor(concurrency, thread_name_prefix="decode") as workers:
        decoded = _ahead(workers, decode_one, tracks, 2 * concurrency)
        for start in range(0, len(tracks), CHUNK_TRACKS):
            size = min(CHUNK_TRACKS, len(tracks) - start)
            yield _embed_chunk(decoded, size, model)


def _ahead(
    workers: ThreadPoolExecutor,
    work: Callable[[Item], Result],
    items: Sequence[Item],
    most: int,
) -> Iterator[Result]:
    """Like `map`, with at most `most` results not yet consumed."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        if len(waiting) == most:
            yield waiting.popleft().result()
        waiting.append(workers.submit(work, item))
    while waiting:
        yield waiting.popleft().result()


def _embed_chunk(
    decoded: Iterator[EmbeddedTrack | tuple[PendingTrack, DecodedWindows]],
    size: int,
    model: EmbeddingModel,
) -> list[EmbeddedTrack]:
    results: list[EmbeddedTrack] = []
    batch: list[tuple[PendingTrack, DecodedWindows]] = []
    for _ in range(size):
        item = next(decoded)
        if isinstance(item, EmbeddedTrack):
            results.append(item)
            continue
        batch.append(item)
        if len(batch) == _TRACKS_PER_INFERENCE:
            results.extend(_infer(batch, model))
            batch.clear()
    results.extend(_infer(batch, model))
    return results


def _infer(
    batch: Sequence[tuple[PendingTrack, DecodedWindows]], model: EmbeddingModel
) -> Iterator[EmbeddedTrack]:
    if not batch:
        return
    try:
        vectors = model.embed_audio(np.concatenate([windows.samples for _, windows in batch]))
    except TrackError as error:
        yield from _one_by_one(batch, model, str(error))
        return
    _refuse_what_is_wrong(vectors)
    first = 0
    for track, windows in batch:
        last = first + len(windows.samples)
        own = vectors[first:last]
        yield EmbeddedTrack(track, pool(own), own, windows.starts_seconds)
        first = last


def _one_by_one(
    batch: Sequence[tuple[PendingTrack, DecodedWindows]], model: EmbeddingModel, reason: str
) -> Iterator[EmbeddedTrack]:
    """Find the track that the model refuses, so that its neighbours do not suffer."""
    if len(batch) == 1:
        yield EmbeddedTrack(batch[0][0], failure=reason)
        return
    for item in batch:
        yield from _infer([item], model)


def _refuse_what_is_wrong(vectors: NDArray[np.float32]) -> None:
    """A model that answers nonsense must not have it stored."""
    if vectors.shape[1:] != (EMBEDDING_DIMENSION,) or not np.isfinite(vectors).all():
        raise BackendError("the embedding model answered with something that is no embedding")
