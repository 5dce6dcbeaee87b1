"""What is particular to turbopuffer: settings, attributes, requests."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.costs.prices import TURBOPUFFER_LEAST_QUERIED_BYTES, TURBOPUFFER_LEAST_WRITTEN_BYTES
from resources.errors import ConfigurationError, ModelMismatchError
from resources.vectors import turbopuffer_rows
from resources.vectors.protocol import LARGEST_ID
from resources.vectors.turbopuffer import TurbopufferStore
from resources.vectors.turbopuffer_rows import BATCH_BYTES, batches, row_of
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.vectors.samples import MODEL, axis, document, documents

Open = Callable[..., TurbopufferStore]


@pytest.mark.parametrize("key", ["", "two words", "line\n", "ключ"])
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(
    open_turbopuffer: Open, key: str
) -> None:
    with pytest.raises(ConfigurationError, match="TURBOPUFFER_API_KEY") as caught:
        open_turbopuffer(api_key=key)

    assert not key.strip() or key.strip() not in str(caught.value)


def test_a_region_in_the_environment_does_not_get_in_the_way_of_another_address(
    open_turbopuffer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURBOPUFFER_REGION", "gcp-us-central1")
    monkeypatch.setenv("TURBOPUFFER_BASE_URL", "http://127.0.0.1:1")

    open_turbopuffer().check()


def test_without_an_address_the_region_is_asked() -> None:
    store = TurbopufferStore(api_key="k", region="aws-us-east-1", namespace="n", model=MODEL)

    assert "https://aws-us-east-1.turbopuffer.com" in repr(store)
    store.close()


def test_documents_are_stored_with_the_contracts_attributes_and_the_model(
    open_turbopuffer: Open, turbopuffer_server: TurbopufferServer
) -> None:
    title = 'it\'s "a" 🎧\n\0track'
    open_turbopuffer().upsert([document(LARGEST_ID, axis(3), title=title)])

    namespace = turbopuffer_server.service.namespaces["plyr-tracks"]
    stored = namespace.documents[LARGEST_ID]
    assert stored.pop("vector").tolist() == axis(3).tolist()
    assert stored == {
        "id": LARGEST_ID,
        "title": 'it\'s "a" 🎧\ntrack',
        "artist_handle": "ana.example",
        "artist_did": "did:plc:ana",
        "model": MODEL.fingerprint,
    }
    assert namespace.distance_metric == "cosine_distance"
    assert not any(attribute.filterable for attribute in namespace.schema.values())


def test_a_namespace_that_something_else_filled_is_refused(
    open_turbopuffer: Open, turbopuffer_server: TurbopufferServer
) -> None:
    rows = [{"id": 1, "vector": axis(0).tolist(), "title": "from another program"}]
    turbopuffer_server.service.answer(
        "POST",
        "/v2/namespaces/plyr-tracks",
        {"upsert_rows": rows, "distance_metric": "cosine_distance"},
    )

    with pytest.raises(ModelMismatchError, match="an unknown model"):
        open_turbopuffer().query(axis(0), 10)
    with pytest.raises(ModelMismatchError, match="an unknown model"):
        open_turbopuffer().upsert([document(2, axis(0))])


def test_a_query_that_finds_another_models_vectors_beside_its_own_is_refused(
    open_turbopuffer: Open, turbopuffer_server: TurbopufferServer
) -> None:
    store = open_turbopuffer()
    store.upsert(documents(range(4)))
    stored = turbopuffer_server.service.namespaces["plyr-tracks"].documents
    stored[3] = {**stored[3], "model": "3" * 64}

    with pytest.raises(ModelMismatchError, match="model 33333333"):
        store.query(axis(0), 10)


def test_the_services_own_hint_warms_a_namespace_that_exists(
    open_turbopuffer: Open, turbopuffer_server: TurbopufferServer
) -> None:
    hint = "/v1/namespaces/plyr-tracks/hint_cache_warm"
    store = open_turbopuffer()
    store.warm()
    assert hint not in {request.path for request in turbopuffer_server.requests}
    store.upsert(documents(range(2)))
    store.warm()
    assert turbopuffer_server.requests[-1].path == hint


def test_writes_and_exports_go_in_bounded_requests(
    open_turbopuffer: Open,
    turbopuffer_server: TurbopufferServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resources.vectors.turbopuffer.PAGE_ROWS", 700)
    store = open_turbopuffer()
    store.upsert(documents(range(1_500)))

    sent = [len(r.body["upsert_rows"]) for r in turbopuffer_server.requests if "schema" in r.body]
    assert sent == [1_000, 500]
    assert store.ids(3, 1_402) == list(range(3, 1_403))
    store.delete(range(1_401))
    sent = [len(r.body["deletes"]) for r in turbopuffer_server.requests if "deletes" in r.body]
    assert sent == [700, 700, 1]
    assert store.count() == 99


def test_long_texts_make_smaller_requests() -> None:
    long = replace(document(1, axis(0)), title="ä" * (BATCH_BYTES // 8))
    sizes = [len(batch) for batch in batches([row_of(long, MODEL.fingerprint)] * 7)]

    assert sizes == [3, 3, 1]


@given(lengths=st.lists(st.integers(0, 12), max_size=30))
def test_batches_are_bounded_and_leave_nothing_out(lengths: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turbopuffer_rows, "BATCH_ROWS", 4)
        patch.setattr(turbopuffer_rows, "BATCH_BYTES", 220)
        rows = [{"vector": [0.0], "title": "x" * length} for length in lengths]
        made = list(batches(rows))

    assert [row for batch in made for row in batch] == rows
    for batch in made:
        size = sum(105 + len(row["title"]) for row in batch)
        assert 1 <= len(batch) <= 4
        assert size <= 220 or len(batch) == 1


def test_what_is_billed_is_noted_with_the_least_of_each_request(open_turbopuffer: Open) -> None:
    ledger = Ledger()
    store = open_turbopuffer(ledger=ledger)
    store.upsert(documents(range(3)))
    written = ledger.reading()
    assert written[Measure.TURBOPUFFER_WRITES] == 1
    assert written[Measure.TURBOPUFFER_WRITTEN_BYTES] == TURBOPUFFER_LEAST_WRITTEN_BYTES

    store.query(axis(1), 2)
    queries = ledger.reading()[Measure.TURBOPUFFER_QUERIES]
    store.query(axis(1), 2)
    found = ledger.reading()
    assert found[Measure.TURBOPUFFER_QUERIES] == queries + 1
    least = (queries + 1) * TURBOPUFFER_LEAST_QUERIED_BYTES
    assert found[Measure.TURBOPUFFER_QUERIED_BYTES] == least
    assert set(store.charges_for) < set(found)
