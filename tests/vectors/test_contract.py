"""What holds for every vector store: documents in, nearest documents out.

The contract goes on in `test_contract_models.py`.
"""

from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from resources.vectors.protocol import LARGEST_ID, LARGEST_LIMIT, VectorStore
from tests.vectors.conftest import OpenStore
from tests.vectors.samples import axis, document, documents, unit_vectors

LARGEST_SHARED_ID = 2**63 - 1
"""What every store holds: a Postgres bigint."""

WRONG_VECTORS = {
    "wrong shape": unit_vectors(2)[:, :256][0],
    "two at once": unit_vectors(2),
    "not a number": np.where(axis(3) > 0, np.float32(np.nan), axis(3)),
    "infinite": np.where(axis(3) > 0, np.float32(np.inf), axis(3)),
    "zero": np.zeros(512, dtype=np.float32),
    "not of length 1": axis(0) * np.float32(1.01),
}

a_few_examples = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def found_ids(store: VectorStore, vector: NDArray[np.float32], limit: int = 10) -> list[int]:
    return [match.track_id for match in store.query(vector, limit)]


def test_the_nearest_track_comes_first_with_its_cosine(store: VectorStore) -> None:
    between = (0.6 * axis(0) + 0.8 * axis(1)).astype(np.float32)
    store.upsert([document(1, axis(0)), document(2, axis(1)), document(3, -axis(1))])

    matches = store.query(between, limit=3)

    assert [match.track_id for match in matches] == [2, 1, 3]
    assert [match.similarity for match in matches] == pytest.approx([0.8, 0.6, -0.8], abs=1e-6)


@pytest.mark.slow
def test_two_thousand_random_vectors_are_found_as_brute_force_finds_them(
    store: VectorStore,
) -> None:
    vectors = unit_vectors(2_000)
    queries = unit_vectors(20, seed=1)
    cosines = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    expected = np.argsort(-cosines, axis=1)[:, :10] + 1

    store.upsert([document(i + 1, vector) for i, vector in enumerate(vectors)])
    answers = [store.query(query, 10) for query in queries]

    assert store.count() == 2_000
    found = [{match.track_id for match in answer} for answer in answers]
    hits = sum(len(set(row) & ids) for row, ids in zip(expected.tolist(), found, strict=True))
    assert hits / expected.size >= 0.95
    for row, answer in enumerate(answers):
        similarities = [match.similarity for match in answer]
        assert similarities == sorted(similarities, reverse=True)
        exact = [cosines[row, match.track_id - 1] for match in answer]
        assert similarities == pytest.approx(exact, abs=1e-6)

    store.delete(range(1, 1_001))
    assert len(store.query(queries[0], 500)) == 500
    assert len(store.query(queries[0], LARGEST_LIMIT)) == 1_000


def test_a_document_is_replaced_as_a_whole(store: VectorStore) -> None:
    store.upsert([document(1, axis(0)), document(2, axis(1))])
    store.upsert([document(1, axis(2), title="Other")])

    assert store.count() == 2
    assert found_ids(store, axis(2), limit=1) == [1]
    assert store.query(axis(0), 10)[0].similarity == pytest.approx(0, abs=1e-6)


def test_of_two_documents_with_one_id_the_last_one_counts(store: VectorStore) -> None:
    store.upsert([document(5, axis(0)), document(5, axis(1))])

    assert store.count() == 1
    assert store.query(axis(1), 1)[0].similarity == pytest.approx(1)


def test_tracks_equally_near_come_by_id(store: VectorStore) -> None:
    store.upsert([document(id_, axis(0)) for id_ in (9, 4, 7)])

    assert found_ids(store, axis(0)) == [4, 7, 9]


def test_deleted_documents_are_gone_and_unknown_ids_no_error(store: VectorStore) -> None:
    store.upsert(documents(range(5)))
    store.delete([1, 3, 3, 77, LARGEST_ID])
    store.delete([])

    assert store.ids(0, LARGEST_ID) == [0, 2, 4]
    assert sorted(found_ids(store, axis(0))) == [0, 2, 4]


def test_a_stored_vector_is_given_back_as_it_was(store: VectorStore) -> None:
    vectors = unit_vectors(3)
    store.upsert([document(id_, vector) for id_, vector in enumerate(vectors)])

    given_back = store.vector(1)

    assert given_back is not None
    assert given_back.dtype == np.float32
    assert np.array_equal(given_back, vectors[1])
    assert store.vector(3) is None
    assert store.vector(LARGEST_ID) is None
    with pytest.raises(ValueError, match="-1"):
        store.vector(-1)


def test_a_namespace_that_does_not_exist_reads_as_empty(store: VectorStore) -> None:
    store.upsert([])
    store.delete([1])
    store.check()
    store.warm()

    assert store.query(axis(0), 10) == []
    assert store.vector(1) is None
    assert store.count() == 0
    assert store.ids(0, LARGEST_ID) == []


def test_a_namespace_of_which_everything_was_deleted_reads_as_empty(store: VectorStore) -> None:
    store.upsert(documents(range(3)))
    store.delete(range(3))

    assert store.query(axis(0), 10) == []
    assert store.count() == 0
    assert store.ids(0, LARGEST_ID) == []


def test_a_dropped_namespace_is_empty_and_can_be_filled_again(store: VectorStore) -> None:
    store.drop()
    store.upsert(documents(range(3)))
    store.drop()
    assert store.query(axis(0), 10) == []

    store.upsert([document(8, axis(0))])
    assert found_ids(store, axis(0)) == [8]


def test_namespaces_are_apart_even_when_their_names_look_alike(open_store: OpenStore) -> None:
    stores = [open_store(namespace=name) for name in ("a-b", "a.b", "A-B", "a" * 100)]
    for id_, store in enumerate(stores):
        store.upsert([document(id_, axis(0))])

    assert [found_ids(store, axis(0)) for store in stores] == [[0], [1], [2], [3]]


def test_another_handle_sees_what_was_stored(open_store: OpenStore) -> None:
    open_store().upsert([document(1, axis(0))])

    assert found_ids(open_store(), axis(0)) == [1]


def test_ids_up_to_the_largest_bigint_are_held(store: VectorStore) -> None:
    store.upsert([document(0, axis(0)), document(LARGEST_SHARED_ID, axis(1))])

    assert found_ids(store, axis(1), limit=1) == [LARGEST_SHARED_ID]
    assert store.ids(-5, LARGEST_ID + 5) == [0, LARGEST_SHARED_ID]
    assert store.ids(LARGEST_SHARED_ID, LARGEST_SHARED_ID) == [LARGEST_SHARED_ID]


@pytest.mark.parametrize("id_", [-1, LARGEST_ID + 1])
def test_what_is_no_id_is_refused(store: VectorStore, id_: int) -> None:
    with pytest.raises(ValueError, match=f"id {id_}"):
        store.upsert([document(id_, axis(0))])
    with pytest.raises(ValueError, match=f"id {id_}"):
        store.delete([id_])


@pytest.mark.parametrize("wrong", WRONG_VECTORS)
def test_a_wrong_vector_is_refused_and_nothing_of_the_call_is_stored(
    store: VectorStore, wrong: str
) -> None:
    good = documents(range(10, 1_020))

    with pytest.raises(ValueError, match="document 3: the vector"):
        store.upsert([*good, document(3, WRONG_VECTORS[wrong])])
    with pytest.raises(ValueError, match="the vector"):
        store.query(WRONG_VECTORS[wrong], 10)

    assert store.count() == 0


@pytest.mark.parametrize("limit", [-1, 0, LARGEST_LIMIT + 1])
def test_an_impossible_limit_is_refused(store: VectorStore, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.query(axis(0), limit)


def test_any_title_can_be_stored(store: VectorStore) -> None:
    titles = ["", 'it\'s "quoted"', "a\nb\tc", "🎧 night", "nul\0byte", "\\x00 %s {}", "\ud83c"]
    titles.append("long " * 10_000)
    store.upsert([document(i, axis(i), title=title) for i, title in enumerate(titles)])

    assert store.count() == len(titles)


def test_ids_are_those_in_the_range_ascending(store: VectorStore) -> None:
    held = {0, 1, 2, 5, 8, 13, 999, 1_000, 1_001, 2**40, LARGEST_SHARED_ID}
    store.upsert(documents(held))
    bound = st.sampled_from(sorted(held)) | st.integers(-10, LARGEST_ID + 10)

    @a_few_examples
    @given(first=bound, last=bound)
    def holds(first: int, last: int) -> None:
        assert store.ids(first, last) == sorted(i for i in held if first <= i <= last)

    holds()


def test_any_sequence_of_writes_leaves_what_a_dictionary_would_hold(open_store: OpenStore) -> None:
    namespaces = (f"run-{i}" for i in count())
    ids = st.lists(st.integers(0, 6), max_size=4)
    writes = st.lists(st.tuples(st.sampled_from(["upsert", "delete"]), ids), max_size=5)

    @a_few_examples
    @given(writes=writes)
    def holds(writes: list[tuple[str, list[int]]]) -> None:
        store = open_store(namespace=next(namespaces))
        expected: dict[int, int] = {}
        for direction, (kind, written) in enumerate(writes):
            if kind == "upsert":
                store.upsert([document(id_, axis(direction)) for id_ in written])
                expected |= dict.fromkeys(written, direction)
            else:
                store.delete(written)
                expected = {id_: at for id_, at in expected.items() if id_ not in written}
        assert store.ids(0, LARGEST_ID) == sorted(expected)
        for direction in range(len(writes)):
            near = {m.track_id for m in store.query(axis(direction), 20) if m.similarity > 0.9}
            assert near == {id_ for id_, at in expected.items() if at == direction}

    holds()
