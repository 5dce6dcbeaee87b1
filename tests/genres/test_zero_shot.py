"""Genres from the embedding alone."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.costs.measures import Measure
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.errors import BackendError
from resources.genres.names import DESCRIPTIONS, GENRE_NAMES, described
from resources.genres.protocol import GenreRequest
from resources.genres.zero_shot import TEMPLATES, ZeroShotClassifier


class HashedText:
    """A model in which each text has a direction of its own; it can hear nothing."""

    model = ModelDescription("hashed", "1", EMBEDDING_DIMENSION, "f" * 64, "none")
    is_remote = False
    charges_for: Sequence[Measure] = ()

    def __init__(self, failures: int = 0) -> None:
        self.calls = 0
        self._failures = failures

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += 1
        if self.calls <= self._failures:
            raise BackendError("asleep")
        return np.stack([direction(text) for text in texts])

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        raise AssertionError(f"zero-shot classification needs no audio, not {windows.shape}")


def direction(text: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).normal(size=EMBEDDING_DIMENSION)
    unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def request(vector: NDArray[np.float32]) -> GenreRequest:
    return GenreRequest(track_id=1, audio_key="1.mp3", vector=vector)


def sound_of(*names: str) -> NDArray[np.float32]:
    """A vector near the names, nearer to the first ones."""
    total = sum(
        direction(prompt.format(described(name))) / (1 + i)
        for i, name in enumerate(names)
        for prompt in TEMPLATES
    )
    return np.asarray(total, dtype=np.float32)


vectors = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).normal(size=EMBEDDING_DIMENSION).astype(np.float32)
)


def test_the_nearest_names_are_predicted_best_first() -> None:
    classifier = ZeroShotClassifier(HashedText(), top_n=3)
    predictions = classifier.classify(request(sound_of("dub techno", "jazz", "opera")))
    assert [each.name for each in predictions] == ["dub techno", "jazz", "opera"]


def test_it_is_named_after_its_model() -> None:
    assert ZeroShotClassifier(HashedText(), top_n=3).name == "zero-shot (hashed ffffffff)"


def test_names_are_embedded_once_and_only_when_needed() -> None:
    model = HashedText()
    classifier = ZeroShotClassifier(model, top_n=3)
    assert model.calls == 0
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(classifier.classify, [request(sound_of("ska"))] * 20))
    assert model.calls == 1
    assert all(result == results[0] for result in results)


def test_a_model_that_was_asleep_is_asked_again() -> None:
    classifier = ZeroShotClassifier(HashedText(failures=1), top_n=1)
    with pytest.raises(BackendError):
        classifier.classify(request(sound_of("ska")))
    assert classifier.classify(request(sound_of("ska")))[0].name == "ska"


shared = ZeroShotClassifier(HashedText(), top_n=len(GENRE_NAMES))


@settings(deadline=None, max_examples=30)
@given(vectors, st.floats(0.01, 100))
def test_confidences_lie_between_0_and_1_and_do_not_depend_on_the_vectors_length(
    vector: NDArray[np.float32], scale: float
) -> None:
    predictions = shared.classify(request(vector))
    confidences = [each.confidence for each in predictions]
    assert all(0 < confidence < 1 for confidence in confidences)
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) == pytest.approx(1)
    scaled = shared.classify(request(vector * np.float32(scale)))
    assert [each.confidence for each in scaled] == pytest.approx(confidences, rel=1e-4)


def test_a_certain_match_is_still_below_1() -> None:
    vectors = HashedText().embed_text([prompt.format("ska") for prompt in TEMPLATES])
    best = shared.classify(request(vectors.mean(axis=0)))[0]
    assert best.name == "ska"
    assert 0.5 < best.confidence < 1


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(EMBEDDING_DIMENSION, np.float32),
        np.full(EMBEDDING_DIMENSION, np.nan, np.float32),
        np.ones(3, np.float32),
    ],
)
def test_a_vector_that_is_no_embedding_is_refused(vector: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="vector must be"):
        shared.classify(request(vector))


def test_the_names_are_distinct_tags_in_lower_case() -> None:
    assert len(GENRE_NAMES) == len(set(GENRE_NAMES)) >= 100
    assert all(name == " ".join(name.lower().split()) for name in GENRE_NAMES)


def test_what_is_described_is_a_name_and_keeps_it() -> None:
    assert set(DESCRIPTIONS) < set(GENRE_NAMES)
    assert described("acid").startswith("acid, ")
    assert described("techno") == "techno"


def test_a_request_without_a_vector_is_a_mistake_of_ours() -> None:
    classifier = ZeroShotClassifier(HashedText(), top_n=3)
    assert classifier.needs_embedding
    with pytest.raises(ValueError, match="nothing but a track's vector"):
        classifier.classify(GenreRequest(track_id=1, audio_key="1.mp3"))
