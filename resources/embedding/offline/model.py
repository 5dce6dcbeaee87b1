"""The offline model: both towers behind the `EmbeddingModel` protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from resources.audio.windows import WINDOW_SAMPLES
from resources.costs.measures import Measure
from resources.embedding.offline.lexicon import WORDS_FILE, load_lexicon
from resources.embedding.offline.mel import PREPROCESSING_VERSION, halve_rate, log_mel
from resources.embedding.offline.text import OfflineTextTower
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription

if TYPE_CHECKING:
    import onnxruntime

MODEL_ID = "mood-search/offline"
REVISION = "3"
LICENCE = "Apache-2.0"
WEIGHTS = Path(__file__).parent / "weights"
AUDIO_FILE, TEXT_FILE, VOCABULARY_FILE = "audio.onnx", "text.npz", "vocabulary.txt"
_FILES = (AUDIO_FILE, TEXT_FILE, VOCABULARY_FILE)
REVISION_FILE = "revision"
"""In a folder of weights of another revision, beside its own words."""
_BATCH = 16


@dataclass(frozen=True)
class OfflineModel:
    """Text and audio into one space from the files in `weights`. `threads` of the audio tower; as
    many as there are cores when None."""

    model: ModelDescription
    weights: Path
    threads: int | None
    load_text: Callable[[], OfflineTextTower]

    is_remote: ClassVar[bool] = False
    charges_for: ClassVar[Sequence[Measure]] = ()

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 480000) mono 48 kHz in [-1, 1] -> (n, 512) float32 rows of length 1.

        Samples that are not finite count as silence; a silent window has a vector too. Raises
        ValueError for another shape.
        """
        if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:
            raise ValueError(
                f"expected windows of shape (n, {WINDOW_SAMPLES}), got {windows.shape}"
            )
        rows = [self._embed_batch(windows[i : i + _BATCH]) for i in range(0, len(windows), _BATCH)]
        return np.concatenate(rows) if rows else np.zeros((0, EMBEDDING_DIMENSION), np.float32)

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Descriptions -> (n, 512) float32 rows of length 1."""
        return self.text.embed(texts)

    @cached_property
    def text(self) -> OfflineTextTower:
        """Loaded by the first text: a run that embeds audio takes 0.1 s less without."""
        return self.load_text()

    @cached_property
    def audio(self) -> onnxruntime.InferenceSession:
        """Opened by who embeds audio: queries are answered without it."""
        import onnxruntime  # noqa: PLC0415  0.1 s and 30 MB that a search spares.

        options = onnxruntime.SessionOptions()
        if self.threads is not None:
            options.intra_op_num_threads = self.threads
        return onnxruntime.InferenceSession(
            str(self.weights / AUDIO_FILE), options, providers=["CPUExecutionProvider"]
        )

    def _embed_batch(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        spectrograms = np.stack([spectrogram(window) for window in windows])
        (vectors,) = self.audio.run(None, {"spectrogram": spectrograms})
        return np.asarray(vectors, np.float32)


def spectrogram(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """(480000,) samples at 48 kHz -> (80, 465), what the audio tower takes."""
    clean = np.asarray(window, np.float32)
    if not np.isfinite(clean).all():
        clean = np.nan_to_num(clean, posinf=0.0, neginf=0.0)
    return log_mel(halve_rate(clean))


def load_offline_model(threads: int | None = None, weights: Path = WEIGHTS) -> OfflineModel:
    """Load the model shipped with the source, or other weights of the same design. A folder may
    have a revision and words of its own.

    `threads` bounds the audio tower's threads. Each tower is loaded when it first embeds something.
    """
    return OfflineModel(_describe(weights), weights, threads, partial(_load_text, weights))


def _describe(weights: Path) -> ModelDescription:
    other = weights / REVISION_FILE
    revision = other.read_text(encoding="ascii").strip() if other.exists() else REVISION
    digest = hashlib.sha256(f"{MODEL_ID}\n{revision}\n{PREPROCESSING_VERSION}\n".encode())
    for name in _FILES:
        digest.update((weights / name).read_bytes())
    digest.update(_words(weights).read_bytes())
    return ModelDescription(MODEL_ID, revision, EMBEDDING_DIMENSION, digest.hexdigest(), LICENCE)


def _words(weights: Path) -> Path:
    own = weights / WORDS_FILE.name
    return own if own.exists() else WORDS_FILE


def _load_text(weights: Path) -> OfflineTextTower:
    pieces = (weights / VOCABULARY_FILE).read_text(encoding="ascii").split("\n")
    with np.load(weights / TEXT_FILE) as data:
        return OfflineTextTower(
            vocabulary={piece: row for row, piece in enumerate(pieces)},
            table=data["table"],
            parts=data["parts"],
            shares=data["shares"],
            scales=data["scales"],
            lexicon=load_lexicon(_words(weights)),
            **{
                name: data[name].astype(np.float32)
                for name in ("skip", "hidden", "hidden_bias", "out", "bias")
            },
        )
