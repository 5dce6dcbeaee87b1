"""CLAP's audio tower: windows to vectors."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.audio.windows import WINDOW_SAMPLES
from resources.embedding.clap.graph import Graph
from resources.embedding.clap.mel import log_mel
from resources.embedding.protocol import EMBEDDING_DIMENSION

_INPUTS: Final = frozenset({"input_features", "is_longer"})


class AudioTower:
    """The graph in `path`, on so many threads for each call; safe to call from several threads.

    Raises `ConfigurationError` for a graph that is not CLAP's audio tower.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._threads = threads
        self._graph = Graph(
            path,
            threads=threads,
            inputs=_INPUTS,
            required="input_features",
            output="audio_embeds",
        )

    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 480000) mono 48 kHz in [-1, 1] -> (n, 512) float32 rows of length 1.

        Samples that are not finite count as silence. One window at a time: an int8 graph scales its
        activations by the largest of the batch, so that a window's vector would depend on its
        neighbours; and larger batches are no faster (docs/clap.md). Raises `ValueError` for another
        shape.
        """
        if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:
            raise ValueError(f"windows must be (n, {WINDOW_SAMPLES}), not {windows.shape}")
        rows = self._embed_each(windows)
        return np.array(rows, np.float32).reshape(-1, EMBEDDING_DIMENSION)

    def _embed_each(self, windows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """At the same time where there are threads for it: the graph alone leaves half of several
        cores idle."""
        if self._threads == 1 or len(windows) < 2:
            return [self._embed(window) for window in windows]
        with ThreadPoolExecutor(min(self._threads, len(windows))) as threads:
            return list(threads.map(self._embed, windows))

    def _embed(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        features = log_mel(window)[np.newaxis, np.newaxis]
        # Only fused checkpoints hear anything beyond the window.
        return self._graph.run({"input_features": features, "is_longer": np.zeros((1, 1), bool)})
