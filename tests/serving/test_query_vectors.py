"""Vectors of recent queries: kept by what is embedded, bounded, asked for once, never wrong."""

import json
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from resources.errors import BackendError
from serving.search.exclusion import anything_without, without
from serving.search.query_vectors import QueryVectors
from tests.fakes.loopback import Answer, Host
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


def test_a_query_that_excludes_nothing_has_the_models_vector_to_the_last_bit() -> None:
    model = load_offline_model()
    queries = QueryVectors(model)
    for text in ("calm solo piano", "drum and bass", "Café del Mar, 120-130 bpm", "asdf", "🎹"):
        np.testing.assert_array_equal(queries.vector(text), model.embed_text([text])[0])


def test_what_is_excluded_is_embedded_in_the_same_call_and_subtracted(
    model: EmbeddingModel, model_host: Host
) -> None:
    queries = QueryVectors(model)
    vector = queries.vector("techno without vocals, no drums")
    assert sorted(embedded(model_host)) == ["drums", "techno", "vocals"]
    expected = without(mood("techno"), [mood("vocals"), mood("drums")])
    np.testing.assert_allclose(vector, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vector), 1, atol=1e-6)
    assert not vector.flags.writeable


def test_parts_of_a_query_are_embedded_once(model: EmbeddingModel, model_host: Host) -> None:
    queries = QueryVectors(model)
    for query in ("techno", "techno without vocals", "jazz -vocals", "music like techno"):
        queries.vector(query)
    assert sorted(embedded(model_host)) == ["jazz", "techno", "vocals"]


def test_nothing_but_an_exclusion_looks_for_music(model: EmbeddingModel) -> None:
    vector = QueryVectors(model).vector("no drums")
    expected = anything_without(mood("music"), [mood("drums")])
    np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_what_is_wanted_and_excluded_is_wanted() -> None:
    techno = mood("techno")
    np.testing.assert_array_equal(without(techno, [techno], weight=1.0), techno)
    np.testing.assert_array_equal(without(techno, []), techno)


@given(st.lists(st.integers(0, 5), max_size=4))
def test_anything_without_something_has_nothing_of_it(excluded: list[int]) -> None:
    music = mood("music excluded")
    vectors = [mood(f"excluded {number}") for number in excluded]
    rest = anything_without(music, vectors)
    assert rest.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rest), 1, atol=1e-5)
    assert all(rest @ vector < 0.01 for vector in vectors)


@given(st.lists(st.integers(0, 5), max_size=4), st.floats(0, 2))
def test_a_difference_has_length_one_and_is_no_nearer_to_what_is_excluded(
    excluded: list[int], weight: float
) -> None:
    wanted = mood("techno")
    vectors = [mood(f"excluded {number}") for number in excluded]
    difference = without(wanted, vectors, weight)
    assert difference.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(difference), 1, atol=1e-5)
    total = np.sum(vectors, axis=0) if vectors else np.zeros_like(wanted)
    assert difference @ total <= wanted @ total + 1e-5
