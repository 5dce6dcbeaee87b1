"""The loopback turbopuffer refuses what the service would refuse.

Asked through the SDK, as the service's own tests do, so that a store that passes against it speaks
the documented protocol.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import turbopuffer
from turbopuffer.lib.namespace import Namespace

from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.vectors.samples import axis

ROW = {"id": 1, "vector": [1.0, 0.0], "year": 1999, "title": "a"}
SCHEMA = {"title": {"type": "string", "filterable": False}}


@pytest.fixture
def client(turbopuffer_server: TurbopufferServer) -> Iterator[turbopuffer.Turbopuffer]:
    with turbopuffer.Turbopuffer(
        api_key=turbopuffer_server.api_key, base_url=turbopuffer_server.url, max_retries=0
    ) as client:
        yield client


@pytest.fixture
def namespace(client: turbopuffer.Turbopuffer) -> Namespace:
    """Holds `ROW` and one more."""
    namespace = client.namespace("n")
    rows: Any = [ROW, {"id": 2, "vector": [0.0, 1.0], "title": "b"}]
    namespace.write(upsert_rows=rows, distance_metric="cosine_distance", schema=SCHEMA)  # type: ignore[arg-type]
    return namespace


REFUSED_WRITES: dict[str, dict[str, Any]] = {
    "another dimension": {"upsert_rows": [{"id": 3, "vector": [1.0, 0.0, 0.0]}]},
    "another kind of id": {"upsert_rows": [{"id": "three", "vector": [1.0, 0.0]}]},
    "a negative id": {"upsert_rows": [{"id": -1, "vector": [1.0, 0.0]}]},
    "an id beyond 64 bits": {"upsert_rows": [{"id": "x" * 65, "vector": [1.0, 0.0]}]},
    "no id": {"upsert_rows": [{"vector": [1.0, 0.0]}]},
    "one id twice": {"upsert_rows": [ROW, ROW]},
    "not a number": {"upsert_rows": [{"id": 3, "vector": [float("nan"), 0.0]}]},
    "another type": {"upsert_rows": [{"id": 3, "vector": [1.0, 0.0], "year": "1999"}]},
    "a long filterable text": {"upsert_rows": [{"id": 3, "label": "x" * 4_097}]},
    "a very long text": {"upsert_rows": [{"id": 3, "title": "x" * (8 * 2**20 + 1)}]},
    "a name with a dollar": {"upsert_rows": [{"id": 3, "$dist": 1}]},
    "another metric": {"upsert_rows": [ROW], "distance_metric": "euclidean_squared"},
    "a changed type": {"schema": {"title": "int"}},
    "a filter on the unfilterable": {"delete_by_filter": ["title", "Eq", "a"]},
}
REFUSED_QUERIES: dict[str, dict[str, Any]] = {
    "nothing asked": {},
    "no limit": {"rank_by": ("id", "asc")},
    "too much": {"rank_by": ("id", "asc"), "limit": 10_001},
    "another dimension": {"rank_by": ("vector", "ANN", [1.0]), "limit": 1},
    "exact without filters": {"rank_by": ("vector", "kNN", [1.0, 0.0]), "limit": 1},
    "an unknown filter": {"rank_by": ("id", "asc"), "limit": 1, "filters": ("id", "Like", 1)},
    "the unfilterable": {"rank_by": ("id", "asc"), "limit": 1, "filters": ("title", "Eq", "a")},
    "ordered by the unfilterable": {"rank_by": ("title", "asc"), "limit": 1},
    "counted and ranked": {
        "rank_by": ("id", "asc"),
        "limit": 1,
        "aggregate_by": {"n": ("Count",)},
    },
    "unknown consistency": {
        "rank_by": ("id", "asc"),
        "limit": 1,
        "consistency": {"level": "casual"},
    },
}


@pytest.mark.parametrize("case", REFUSED_WRITES)
def test_a_wrong_write_is_refused_as_a_whole(namespace: Namespace, case: str) -> None:
    with pytest.raises((turbopuffer.BadRequestError, turbopuffer.UnprocessableEntityError)):
        namespace.write(**REFUSED_WRITES[case], deletes=[2])

    assert ids(namespace) == [1, 2]


@pytest.mark.parametrize("case", REFUSED_QUERIES)
def test_a_wrong_query_is_refused(namespace: Namespace, case: str) -> None:
    with pytest.raises((turbopuffer.BadRequestError, turbopuffer.UnprocessableEntityError)):
        namespace.query(**REFUSED_QUERIES[case])


def test_the_first_write_of_vectors_names_the_distance(client: turbopuffer.Turbopuffer) -> None:
    with pytest.raises(turbopuffer.BadRequestError, match="distance_metric"):
        client.namespace("new").write(upsert_rows=[ROW])  # type: ignore[list-item]

    assert not client.namespace("new").exists()


def test_a_missing_namespace_is_not_found_and_a_wrong_name_refused(
    client: turbopuffer.Turbopuffer,
) -> None:
    missing = client.namespace("missing")
    for ask in (missing.metadata, missing.schema, missing.delete_all, lambda: ids(missing)):
        with pytest.raises(turbopuffer.NotFoundError):
            ask()
    with pytest.raises(turbopuffer.BadRequestError, match="namespace name"):
        ids(client.namespace("a/b c"))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("id", "Gt", 1), [2]),
        (("id", "In", [1, 7]), [1]),
        (("year", "Eq", None), [2]),
        (("year", "Lt", 1), [2]),  # Documented: missing values are below everything.
        (("year", "Gte", 1999), [1]),
        (("Not", ("id", "Eq", 1)), [2]),
        (("And", [("id", "Gte", 1), ("year", "NotEq", 1999)]), [2]),
        (("Or", [("id", "Lte", 1), ("id", "NotIn", [1])]), [1, 2]),
    ],
)
def test_filters_select(namespace: Namespace, filters: Any, expected: list[int]) -> None:
    assert ids(namespace, filters=filters) == expected


def test_rows_come_nearest_first_with_what_was_asked(namespace: Namespace) -> None:
    answer = namespace.query(
        rank_by=("vector", "ANN", [3.0, 0.0]), limit=2, include_attributes=["title", "vector"]
    )

    rows = [row.to_dict() for row in answer.rows or []]
    assert rows[0] == {"id": 1, "$dist": 0.0, "title": "a", "vector": [1.0, 0.0]}
    assert rows[1]["$dist"] == 1.0


def test_columns_base64_and_filters_write_as_rows_do(
    client: turbopuffer.Turbopuffer, turbopuffer_server: TurbopufferServer
) -> None:
    namespace = client.namespace("n")
    columns: Any = {"id": [1, 2, 3], "vector": [axis(i).tolist() for i in range(3)]}
    namespace.write(upsert_columns=columns, distance_metric="cosine_distance")
    assert isinstance(turbopuffer_server.requests[-1].body["upsert_columns"]["vector"][0], str)

    answer = namespace.write(delete_by_filter=("id", "Lt", 3))

    assert (answer.rows_affected, ids(namespace)) == (2, [3])
    assert [listed.id for listed in client.namespaces(prefix="n")] == ["n"]


def test_a_person_can_run_it() -> None:
    command = [sys.executable, "-m", "tests.fakes.turbopuffer.server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        try:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()

    assert lines[2].startswith("export TURBOPUFFER_BASE_URL=http://127.0.0.1:")


def ids(namespace: Namespace, **options: Any) -> list[int]:
    answer = namespace.query(rank_by=("id", "asc"), limit=100, **options)
    return [int(row.id) for row in answer.rows or []]
