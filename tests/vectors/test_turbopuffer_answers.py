"""What turbopuffer, or something in its place, answers is not believed before it is looked at."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from resources.errors import BackendError
from resources.vectors.turbopuffer import TurbopufferStore
from tests.fakes.loopback import Answer, Host
from tests.fakes.wire import Behaviour, WireHost, dripping, silent
from tests.vectors.samples import MODEL, axis, document, documents

SECONDS = 0.3
JSON = {"Content-Type": "application/json"}
ROW = {"id": 1, "$dist": 0.0, "model": MODEL.fingerprint, "vector": axis(0).tolist()}

USES: dict[str, Callable[[TurbopufferStore], object]] = {
    "upsert": lambda store: store.upsert([document(2, axis(0))]),
    "delete": lambda store: store.delete([1]),
    "query": lambda store: store.query(axis(0), 10),
    "vector": lambda store: store.vector(1),
    "count": lambda store: store.count(),
    "ids": lambda store: store.ids(0, 10),
    "check": lambda store: store.check(),
}

DRIPS: dict[str, Behaviour] = {
    "silence": silent,
    "a drip of headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip of a body": dripping(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n", b" "
    ),
}


@contextmanager
def store_at(url: str) -> Iterator[TurbopufferStore]:
    store = TurbopufferStore(
        api_key="tpuf_key",
        region="",
        base_url=url,
        namespace="n",
        model=MODEL,
        read_seconds=SECONDS,
        write_seconds=SECONDS,
    )
    yield store
    store.close()


@pytest.mark.parametrize("drip", DRIPS)
@pytest.mark.parametrize("use", ["query", "upsert", "count"])
def test_a_service_that_hangs_or_drips_is_given_up_in_time(use: str, drip: str) -> None:
    started = time.monotonic()
    with (
        WireHost(DRIPS[drip]) as host,
        store_at(host.url) as store,
        pytest.raises(BackendError, match="does not answer in time"),
    ):
        USES[use](store)
    assert time.monotonic() - started < 2


QUERY_ANSWERS: dict[str, object] = {
    "an empty list": [],
    "null": None,
    "an empty object": {},
    "a number": 7,
    "rows that are an object": {"rows": {}},
    "rows that are text": {"rows": "none"},
    "rows of null": {"rows": [None]},
    "rows of lists": {"rows": [[1, 2]]},
}


@pytest.mark.parametrize("answer", QUERY_ANSWERS)
def test_an_answer_without_rows_is_not_an_empty_namespace(answer: str) -> None:
    with Host() as host, store_at(host.url) as store:
        host.on("POST /v2/namespaces/n/query", Answer(200, QUERY_ANSWERS[answer], JSON))
        for use in ("query", "upsert", "delete", "ids"):
            with pytest.raises(BackendError):
                USES[use](store)


ODD_ROWS: dict[str, dict[str, object]] = {
    "no id": {key: value for key, value in ROW.items() if key != "id"},
    "an id that is text": {**ROW, "id": "one"},
    "an id that is a list": {**ROW, "id": [1]},
    "no distance": {key: value for key, value in ROW.items() if key != "$dist"},
    "a distance that is text": {**ROW, "$dist": "near"},
    "a distance that is null": {**ROW, "$dist": None},
}


@pytest.mark.parametrize("row", ODD_ROWS)
def test_a_result_of_another_shape_is_a_backend_error(row: str) -> None:
    with Host() as host, store_at(host.url) as store:
        host.on("POST /v2/namespaces/n/query", Answer(200, {"rows": [ODD_ROWS[row]]}, JSON))
        with pytest.raises(BackendError):
            store.query(axis(0), 10)


@pytest.mark.parametrize("vector", [None, [], "AAAA", [1, "2"], [[1]], [0.5] * 512, [1e999]])
def test_a_stored_vector_that_is_none_is_a_backend_error(vector: object) -> None:
    with Host() as host, store_at(host.url) as store:
        answer = Answer(200, {"rows": [{**ROW, "vector": vector}]}, JSON)
        host.on("POST /v2/namespaces/n/query", answer)
        with pytest.raises(BackendError):
            store.vector(1)


@pytest.mark.parametrize("aggregations", [None, [], {}, {"documents": "7"}, {"documents": 1.5}])
def test_a_count_that_is_no_number_is_a_backend_error(aggregations: object) -> None:
    with Host() as host, store_at(host.url) as store:
        rows = Answer(200, {"rows": [ROW]}, JSON)
        counted = Answer(200, {"aggregations": aggregations}, JSON)
        host.on("POST /v2/namespaces/n/query", rows, counted)
        with pytest.raises(BackendError, match="no number"):
            store.count()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "OK", "rows_affected": 2},
        {"status": "OK", "rows_affected": 0},
        {"status": "OK"},
        {"status": "OK", "rows_affected": "3"},
        {"status": "OK", "rows_affected": None},
        {},
        [],
        None,
    ],
)
def test_an_upsert_that_did_not_write_every_document_is_a_backend_error(answer: object) -> None:
    """So that nothing is recorded that is not there."""
    with Host() as host, store_at(host.url) as store:
        host.on("POST /v2/namespaces/n/query", Answer(404, {"error": "no such namespace"}, JSON))
        host.on("POST /v2/namespaces/n", Answer(200, answer, JSON))
        with pytest.raises(BackendError, match="turbopuffer"):
            store.upsert(documents(range(3)))


@pytest.mark.parametrize("affected", [0, 1, 3])
def test_of_what_is_deleted_any_number_may_have_been_there(affected: int) -> None:
    with Host() as host, store_at(host.url) as store:
        host.on("POST /v2/namespaces/n/query", Answer(200, {"rows": [ROW]}, JSON))
        answer = {"status": "OK", "rows_affected": affected}
        host.on("POST /v2/namespaces/n", Answer(200, answer, JSON))
        store.delete([1, 2, 3])


@pytest.mark.parametrize(
    "seen", [Answer(404, {"error": "no such namespace"}, JSON), Answer(200, {"rows": []}, JSON)]
)
def test_a_delete_is_sent_also_when_nothing_seems_to_be_there(seen: Answer) -> None:
    """A wrong answer must not leave in the index what is recorded as deleted."""
    with Host() as host, store_at(host.url) as store:
        host.on("POST /v2/namespaces/n/query", seen)
        host.on("POST /v2/namespaces/n", Answer(200, {"status": "OK", "rows_affected": 1}, JSON))
        store.delete([1])
        assert len(host.sent("POST /v2/namespaces/n")) == 1
