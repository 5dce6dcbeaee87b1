"""Which way tracks are embedded: on threads of this process or by worker processes."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from assets.block_run import BlockConfig
from assets.decoding import Decoding, EmbeddingThreads
from assets.embedding import MOST_AHEAD
from assets.embedding_processes import EmbeddingProcesses
from assets.window_vectors import WindowEmbedder
from resources.backends import Backends
from resources.machine.core_locks import taken_cores

WORTH_PROCESSES: Final = 16
"""Fewer tracks are embedded before processes have imported and loaded what they need."""


@contextmanager
def embedder_for(
    tracks: int, backends: Backends, config: BlockConfig, suspects: Collection[str]
) -> Iterator[WindowEmbedder]:
    """Processes where embedding computes, for so many tracks that starting them is worth it, and
    while other runs leave cores for them. `suspects`: keys of what threads decode apart."""
    most = min(tracks, MOST_AHEAD)
    if backends.audio_model.is_remote or tracks < WORTH_PROCESSES:
        yield _threads(backends, config, suspects)
    elif config.concurrency is not None:
        yield _processes(backends, config, min(config.concurrency, most), suspects)
    else:
        with taken_cores(backends.settings.moodsearch_home, most) as cores:
            yield _processes(backends, config, cores, suspects)


def _threads(backends: Backends, config: BlockConfig, suspects: Collection[str]) -> WindowEmbedder:
    waits = backends.store.is_remote or backends.audio_model.is_remote
    decoding = Decoding(backends.embedding_backends, suspects)
    return EmbeddingThreads(decoding, backends.audio_model, config.threads(waits=waits))


def _processes(
    backends: Backends, config: BlockConfig, count: int, suspects: Collection[str]
) -> WindowEmbedder:
    """A single process is no gain over threads."""
    if count < 2:
        return _threads(backends, config, suspects)
    fingerprint = backends.audio_model.model.fingerprint
    return EmbeddingProcesses(backends.embedding_backends, fingerprint, count)
