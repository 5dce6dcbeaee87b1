"""Vectors of recent queries: kept by what is embedded, bounded, asked for once, never wrong."""

import json
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from resources.embedding.protocol import EmbeddingModel
from resources.errors import BackendError
from serving.query_vectors import QueryVectors
from tests.loopback import Answer, Host
from tests.serving.moods import EMBED_TEXT, answers, mood


def embedded(host: Host) -> list[str]:
    """The texts that the model was asked for."""
    return [json.loads(request.body)["text"] for request in host.sent(EMBED_TEXT)]


def test_texts_that_differ_only_in_spaces_and_composition_are_embedded_once(
    model: EmbeddingModel, model_host: Host
) -> None:
    queries = QueryVectors(model)
    composed = unicodedata.normalize("NFC", "café noir")
    for text in (
        composed,
        unicodedata.normalize("NFD", composed),
        f"\n {composed} ",
        "café\u2003noir",
    ):
        np.testing.assert_array_equal(queries.vector(text), queries.vector(composed))
    assert embedded(model_host) == [composed]


def test_case_matters(model: EmbeddingModel, model_host: Host) -> None:
    queries = QueryVectors(model)
    queries.vector("Techno")
    queries.vector("techno")
    assert embedded(model_host) == ["Techno", "techno"]


def test_the_least_recently_used_query_makes_room(model: EmbeddingModel, model_host: Host) -> None:
    queries = QueryVectors(model, size=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        queries.vector(text)
        assert len(queries) <= 2
    assert embedded(model_host) == ["one", "two", "three", "two"]


def test_threads_that_ask_for_the_same_at_once_wait_for_one_call(
    model: EmbeddingModel, model_host: Host
) -> None:
    model_host.on(EMBED_TEXT, answers(delay_seconds=0.5))
    queries = QueryVectors(model)
    together = Barrier(8)

    def ask(_: int) -> np.ndarray:
        together.wait()
        return queries.vector("dark techno")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    assert embedded(model_host) == ["dark techno"]
    for vector in found:
        np.testing.assert_allclose(vector, mood("dark techno"), atol=1e-6)


@pytest.mark.parametrize(
    "failure", [Answer(401, b"no"), Answer(200, {"embedding": [float("nan")] * 512})]
)
def test_a_failure_is_raised_to_all_who_wait_and_never_kept(
    model: EmbeddingModel, model_host: Host, failure: Answer
) -> None:
    failure.delay_seconds = 0.3
    model_host.on(EMBED_TEXT, failure)
    queries = QueryVectors(model)
    together = Barrier(4)

    def ask(_: int) -> None:
        together.wait()
        with pytest.raises(BackendError):
            queries.vector("dark techno")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    assert len(queries) == 0
    model_host.on(EMBED_TEXT, answers())
    np.testing.assert_allclose(queries.vector("dark techno"), mood("dark techno"), atol=1e-6)


def test_nobody_can_change_what_is_kept(model: EmbeddingModel) -> None:
    with pytest.raises(ValueError, match="read-only"):
        QueryVectors(model).vector("dark techno")[0] = 1
