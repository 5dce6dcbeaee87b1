"""Which way tracks are embedded: on threads of this process or by worker processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from assets.block_run import BlockConfig
from assets.embedding_processes import EmbeddingProcesses
from assets.outcomes import MOST_AHEAD
from assets.window_vectors import EmbeddingThreads, WindowEmbedder
from resources.backends import Backends
from resources.machine.core_locks import taken_cores

WORTH_PROCESSES: Final = 16
"""Fewer tracks are embedded before processes have imported and loaded what they need."""


@contextmanager
def embedder_for(tracks: int, backends: Backends, config: BlockConfig) -> Iterator[WindowEmbedder]:
    """Processes where embedding computes, for so many tracks that starting them is worth it, and
    while other runs leave cores for them."""
    most = min(tracks, MOST_AHEAD)
    if backends.audio_model.is_remote or tracks < WORTH_PROCESSES:
        yield _threads(backends, config)
    elif config.concurrency is not None:
        yield _processes(backends, config, min(config.concurrency, most))
    else:
        with taken_cores(backends.settings.moodsearch_home, most) as cores:
            yield _processes(backends, config, cores)


def _threads(backends: Backends, config: BlockConfig) -> WindowEmbedder:
    waits = backends.store.is_remote or backends.audio_model.is_remote
    return EmbeddingThreads(backends.store, backends.audio_model, config.threads(waits=waits))


def _processes(backends: Backends, config: BlockConfig, count: int) -> WindowEmbedder:
    """A single process is no gain over threads."""
    if count < 2:
        return _threads(backends, config)
    fingerprint = backends.audio_model.model.fingerprint
    return EmbeddingProcesses(backends.embedding_backends, fingerprint, count)
