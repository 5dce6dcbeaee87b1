"""Whether a model tells texts apart at all.

One published CLAP checkpoint has a broken text projection: its texts all land in one place (mean
cosine 0.999, where sound models have 0.2 to 0.4), so that every query finds the same tracks.
"""

import hashlib
import io
import logging
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import EMBEDDING_DIMENSION, EmbeddingModel, ModelDescription
from resources.errors import BackendError, ConfigurationError, MoodSearchError
from resources.object_store.protocol import ObjectStore

COLLAPSED_SIMILARITY: Final = 0.9
"""Mean cosine of unlike texts from which on a model is refused."""

UNLIKE_TEXTS: Final = (
    "solo piano",
    "aggressive heavy metal with screaming vocals",
    "upbeat electronic dance music",
    "slow acoustic blues",
    "a string quartet",
    "hip hop with a heavy bass line",
    "traditional Irish folk dance",
    "a gospel choir in a church",
    "bossa nova with a nylon guitar",
    "church bells",
    "a drum solo",
    "a distorted electric guitar",
    "a solo flute, sad and lonely",
    "calm and relaxing",
    "tense and frightening",
    "joyful and triumphant",
    "birds singing in a forest",
    "heavy rain and thunder",
    "waves breaking on a beach",
    "a dog barking",
    "a man speaking",
    "a crowd cheering in a stadium",
    "a car engine starting",
    "white noise",
)
"""24 texts that nobody would take for each other: genres, instruments, moods, nature, speech and
machines. Fixed: what was measured with them is kept."""

logger = logging.getLogger(__name__)


def mean_similarity(vectors: NDArray[np.float32]) -> float:
    """Mean cosine, in [-1, 1], over the pairs of `vectors` (n, 512), float32 of length 1; nan when
    one of them is not finite."""
    pairs = np.triu_indices(len(vectors), k=1)
    return float((vectors @ vectors.T)[pairs].mean())


def refuse_collapsed(model: ModelDescription, similarity: float) -> None:
    """Raises `ConfigurationError` unless `similarity`, the mean over the prompts, is that of a
    model that tells texts apart."""
    if similarity < COLLAPSED_SIMILARITY:
        return
    raise ConfigurationError(
        f"CLAP_MODEL: {model.id} ({model.fingerprint[:8]}) is refused, because its text tower is"
        f" collapsed: {len(UNLIKE_TEXTS)} unlike texts have a mean similarity of {similarity:.3f}"
        f" ({COLLAPSED_SIMILARITY} is the limit), so every query would find the same tracks; choose"
        " another model"
    )


class PromptVectors:
    """The prompts' vectors of each model, kept on the object store.

    They follow from the model's fingerprint, so a model is asked once: a run for one new upload
    loads no text tower, and no container is started and paid for. The store only saves work: one
    that cannot be read or written to decides nothing.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def of(self, model: EmbeddingModel) -> NDArray[np.float32]:
        """(24, 512) float32, from the store or from the model.

        Raises `BackendError` when a remote model does not answer, or not with vectors.
        """
        kept = self.kept(model.model)
        if kept is not None:
            return kept
        vectors = model.embed_text(UNLIKE_TEXTS)
        if not _are_prompt_vectors(vectors):
            raise BackendError(f"{model.model.id} answered texts with something that is no vector")
        self._keep(model.model, vectors)
        return vectors

    def kept(self, model: ModelDescription) -> NDArray[np.float32] | None:
        """What is in the store; None when there is nothing of use."""
        try:
            content = io.BytesIO(self._store.get(_key(model)))
            vectors = np.lib.format.read_array(content, allow_pickle=False)
        except (MoodSearchError, ValueError, EOFError):
            return None
        return vectors if _are_prompt_vectors(vectors) else None

    def _keep(self, model: ModelDescription, vectors: NDArray[np.float32]) -> None:
        content = io.BytesIO()
        np.save(content, vectors)
        try:
            self._store.put(_key(model), content.getvalue())
        except MoodSearchError as error:
            logger.info("the vectors of %s's prompts could not be kept: %s", model.id, error)


def _key(model: ModelDescription) -> str:
    prompts = hashlib.sha256("\n".join(UNLIKE_TEXTS).encode()).hexdigest()
    return f"moodsearch/prompts/{model.fingerprint[:16]}-{prompts[:8]}.npy"


def _are_prompt_vectors(vectors: object) -> bool:
    return (
        isinstance(vectors, np.ndarray)
        and vectors.dtype == np.float32
        and vectors.shape == (len(UNLIKE_TEXTS), EMBEDDING_DIMENSION)
        and bool(np.isfinite(vectors).all())
    )
