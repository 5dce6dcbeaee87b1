"""The model that a service has, ready before the first request comes."""

import numpy as np

from resources.audio.windows import WINDOW_SAMPLES
from resources.embedding.collapse import UNLIKE_TEXTS, mean_similarity, refuse_collapsed
from resources.embedding.local import load_local_model
from resources.embedding.protocol import EmbeddingModel
from resources.settings import Settings


def open_model(settings: Settings) -> EmbeddingModel:
    """The configured model with both towers opened and run, so that neither a wrong file nor what
    is prepared at first use waits for a request.

    Raises `ConfigurationError` for files that cannot be used and for a model that does not tell
    texts apart, `BackendError` when files must be fetched and the hub does not answer.
    """
    model = load_local_model(settings)
    model.embed_audio(np.zeros((1, WINDOW_SAMPLES), np.float32))
    refuse_collapsed(model.model, mean_similarity(model.embed_text(UNLIKE_TEXTS)))
    return model
