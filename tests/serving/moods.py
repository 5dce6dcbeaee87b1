"""An embedding service on loopback whose vectors are known, and an index made of them."""

import json
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from resources.backends import Backends
from resources.embedding.modal import ModalEmbedder
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.vectors.protocol import VectorDocument
from resources.web.http import Backoff
from tests.fakes.loopback import Answer, Request

EMBED_TEXT = "POST /embed_text"
MODEL = ModelDescription("moods", "1", EMBEDDING_DIMENSION, "a" * 64, "Apache-2.0")
OTHER_MODEL = ModelDescription("other moods", "1", EMBEDDING_DIMENSION, "b" * 64, "Apache-2.0")


def mood(text: str) -> NDArray[np.float32]:
    """(512,) float32 of length 1: the sum of a direction for each word, so that texts are the more
    similar the more words they share."""
    directions = [
        np.random.default_rng(zlib.crc32(word.encode())).standard_normal(EMBEDDING_DIMENSION)
        for word in text.lower().split()
    ]
    total = np.sum(directions, axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def embed(request: Request) -> object:
    """What the service answers."""
    vector = mood(json.loads(request.body)["text"])
    return {"embedding": vector.tolist(), "dimensions": EMBEDDING_DIMENSION}


def answers(delay_seconds: float = 0) -> Answer:
    return Answer(200, embed, delay_seconds=delay_seconds)


def embedder(url: str, model: ModelDescription = MODEL) -> ModalEmbedder:
    """A client of the service that does not try for long."""
    return ModalEmbedder(
        f"{url}/embed_audio",
        f"{url}/embed_text",
        timeout_seconds=5,
        description=model,
        concurrency=32,
        backoff=Backoff(first_seconds=0.05, longest_seconds=0.1),
    )


def index(backends: Backends, moods: Mapping[int, str]) -> None:
    """Put tracks (by id, whether or not the catalogue knows them) into the index."""
    backends.vectors.upsert(
        [VectorDocument(id_, mood(text), text, "artist", "did:x") for id_, text in moods.items()]
    )
