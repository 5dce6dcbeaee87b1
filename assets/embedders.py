"""Tracks to vectors, on threads of this process or by worker processes. Free of Dagster."""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from assets.decoding import Decoding, EmbeddingThreads
from assets.embedding_processes import EmbeddingProcesses
from assets.outcomes import MOST_AHEAD, Judge, Outcome, outcomes_in_chunks, threads_for
from assets.window_vectors import WindowEmbedder, WindowVectors
from resources.backends import Backends
from resources.catalogue.work.pending import PendingTrack
from resources.machine.core_locks import taken_cores

WORTH_PROCESSES: Final = 16
"""Fewer tracks are embedded before processes have imported and loaded what they need."""


EmbeddedTrack = Outcome[WindowVectors]


def embed_tracks(
    tracks: Sequence[PendingTrack],
    key_of: Callable[[PendingTrack], str],
    embedder: WindowEmbedder,
    *,
    has_worked: bool = False,
    tried_often: Collection[int] = (),
) -> Generator[list[EmbeddedTrack], None, None]:
    """Embed the tracks, in order, in chunks (`outcomes_in_chunks`). Closes `embedder`.
    `has_worked` and `tried_often`: see `Judge`."""
    return outcomes_in_chunks(
        tracks,
        lambda track: embedder.embed(key_of(track)),
        embedder.concurrency,
        Judge(
            lambda track: embedder.embed_again(key_of(track)),
            has_worked=has_worked,
            tried_often=tried_often,
        ),
        interrupt=embedder.close,
    )


@contextmanager
def embedder_for(
    tracks: int, backends: Backends, concurrency: int | None, suspects: Collection[str]
) -> Iterator[WindowEmbedder]:
    """Processes where embedding computes, for so many tracks that starting them is worth it, and
    while other runs leave cores for them. `suspects`: keys of what threads decode apart."""
    most = min(tracks, MOST_AHEAD)
    if backends.audio_model.is_remote or tracks < WORTH_PROCESSES:
        yield _threads(backends, concurrency, suspects)
    elif concurrency is not None:
        yield _processes(backends, concurrency, min(concurrency, most), suspects)
    else:
        with taken_cores(backends.settings.moodsearch_home, most) as cores:
            yield _processes(backends, concurrency, cores, suspects)


def _threads(
    backends: Backends, concurrency: int | None, suspects: Collection[str]
) -> WindowEmbedder:
    waits = backends.store.is_remote or backends.audio_model.is_remote
    decoding = Decoding(backends.store, backends.embedding_backends, suspects)
    return EmbeddingThreads(decoding, backends.audio_model, threads_for(concurrency, waits=waits))


def _processes(
    backends: Backends, concurrency: int | None, count: int, suspects: Collection[str]
) -> WindowEmbedder:
    """A single process is no gain over threads."""
    if count < 2:
        return _threads(backends, concurrency, suspects)
    fingerprint = backends.audio_model.model.fingerprint
    return EmbeddingProcesses(backends.embedding_backends, fingerprint, count)
