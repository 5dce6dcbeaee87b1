"""CLAP's two towers behind the `EmbeddingModel` protocol."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from resources.costs.measures import Measure
from resources.embedding.clap.audio import AudioTower
from resources.embedding.clap.files import ClapFiles
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.hub import HubFiles
from resources.embedding.clap.text import ClapTextTower
from resources.embedding.protocol import ModelDescription
from resources.machine.cores import usable_cores
from resources.settings import Settings

MAX_TEXT_THREADS: Final = 4
"""For one query; more wait for each other."""

Tower = TypeVar("Tower")


class ClapModel:
    """CLAP from the files of an ONNX export.

    A tower is opened at its first use: an API needs only the text tower, a backfill mostly the
    other. `audio_threads` are for each call, and one is best where many threads call. Both methods
    raise what `files` raises for its files, and `ConfigurationError`, one line that names the file,
    for a graph that is not CLAP's, cannot be run or answers no direction.
    """

    is_remote = False
    charges_for: Sequence[Measure] = ()

    def __init__(self, files: ClapFiles, *, text_threads: int, audio_threads: int = 1) -> None:
        self._files = files
        self._audio = _Once(lambda: AudioTower(files.audio_model(), threads=audio_threads))
        self._text = _Once(
            lambda: ClapTextTower(files.text_model(), files.tokenizer(), threads=text_threads)
        )

    @property
    def model(self) -> ModelDescription:
        return self._files.model

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 480000) mono 48 kHz in [-1, 1] -> (n, 512) float32 rows of length 1."""
        return self._audio.get().embed(windows)

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Descriptions -> (n, 512) float32 rows of length 1."""
        return self._text.get().embed(texts)


class _Once(Generic[Tower]):
    """A tower that the first caller opens while the others wait; again after a failure."""

    def __init__(self, open_tower: Callable[[], Tower]) -> None:
        self._open = open_tower
        self._lock = Lock()
        self._tower: Tower | None = None

    def get(self) -> Tower:
        with self._lock:
            if self._tower is None:
                self._tower = self._open()
            return self._tower


def load_clap(settings: Settings, *, audio_threads: int) -> ClapModel:
    """Fetches and opens nothing yet: each tower does when it is first used."""
    text_threads = min(MAX_TEXT_THREADS, usable_cores())
    return ClapModel(clap_files(settings), text_threads=text_threads, audio_threads=audio_threads)


def clap_files(settings: Settings) -> ClapFiles:
    """Those of a folder, or those of a repository on the hub."""
    if settings.clap_folder is not None:
        return FolderFiles(settings.clap_folder, settings.clap_precision)
    return HubFiles(settings.clap_model, settings.clap_precision, settings.clap_locks)
