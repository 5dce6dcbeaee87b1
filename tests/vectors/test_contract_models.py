"""What holds for every vector store: one model to a namespace, and several writers at once."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from resources.errors import ModelMismatchError
from resources.vectors.protocol import VectorStore
from tests.vectors.conftest import OpenStore
from tests.vectors.samples import MODEL, OTHER_MODEL, axis, document, documents


def ids_near(store: VectorStore, vector: NDArray[np.float32]) -> list[int]:
    return [match.track_id for match in store.query(vector, 50)]


Use = Callable[[VectorStore], object]
USES: dict[str, Use] = {
    "upsert": lambda store: store.upsert([document(2, axis(0))]),
    "vector": lambda store: store.vector(1),
    "delete": lambda store: store.delete([1]),
    "query": lambda store: store.query(axis(0), 10),
    "count": lambda store: store.count(),
    "ids": lambda store: store.ids(0, 10),
    "check": lambda store: store.check(),
}


@pytest.mark.parametrize("use", USES)
def test_a_namespace_of_another_model_is_neither_read_nor_written(
    open_store: OpenStore, use: str
) -> None:
    open_store().upsert([document(1, axis(0))])
    namespace = f'"{open_store().namespace}"'

    with pytest.raises(ModelMismatchError) as caught:
        USES[use](open_store(model=OTHER_MODEL))

    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in (namespace, "11111111", "mood/two (22222222)"))
    assert 'run "moodsearch backfill" to rebuild the index for the configured model' in message
    assert open_store().ids(0, 10) == [1]
    assert ids_near(open_store(), axis(0)) == [1]


@pytest.mark.parametrize("use", USES)
def test_a_namespace_that_another_model_takes_while_it_is_open_is_noticed(
    open_store: OpenStore, use: str
) -> None:
    store = open_store()
    store.upsert([document(1, axis(0))])
    assert ids_near(store, axis(0)) == [1]
    other = open_store(model=OTHER_MODEL)
    other.drop()
    other.upsert([document(1, axis(0))])

    with pytest.raises(ModelMismatchError):
        USES[use](store)


def test_an_empty_namespace_is_open_to_any_model_until_the_first_write(
    open_store: OpenStore,
) -> None:
    store, other = open_store(), open_store(model=OTHER_MODEL)
    assert store.query(axis(0), 10) == other.query(axis(0), 10) == []
    other.upsert([document(1, axis(0))])

    with pytest.raises(ModelMismatchError):
        store.query(axis(0), 10)


def test_threads_can_share_a_store(store: VectorStore) -> None:
    def write(worker: int) -> int:
        ids = range(100 * worker, 100 * worker + 20)
        store.upsert(documents(ids, seed=worker))
        store.upsert(documents(range(10_000, 10_020), seed=worker))
        store.delete([ids[0]])
        return len(store.query(axis(worker), 5))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(8)))

    assert answers == [5] * 8
    assert store.count() == 8 * 19 + 20


def test_two_first_writers_at_once_both_succeed(open_store: OpenStore) -> None:
    for attempt in range(3):
        stores = [open_store(namespace=f"new-{attempt}") for _ in range(4)]
        together = threading.Barrier(len(stores))

        def write(number: int, stores: list[VectorStore], together: threading.Barrier) -> None:
            together.wait()
            stores[number].upsert([document(number, axis(number)), document(50, axis(50))])

        with ThreadPoolExecutor(len(stores)) as pool:
            for write_done in [pool.submit(write, i, stores, together) for i in range(4)]:
                write_done.result()

        assert stores[0].ids(0, 100) == [0, 1, 2, 3, 50]


def test_two_models_that_write_first_at_once_are_never_mixed_in_an_answer(
    open_store: OpenStore,
) -> None:
    together = threading.Barrier(2)
    own = {MODEL: set(range(10)), OTHER_MODEL: set(range(5, 15))}

    def write(store: VectorStore) -> None:
        together.wait()
        with contextlib.suppress(ModelMismatchError):
            store.upsert(documents(own[store.model]))

    stores = [open_store(model=model) for model in own]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, stores))

    for store in stores:
        try:
            answer = set(ids_near(store, axis(0)))
        except ModelMismatchError:
            continue
        assert answer == own[store.model]
