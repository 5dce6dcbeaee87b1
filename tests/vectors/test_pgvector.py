"""What is particular to vectors in Postgres."""

import re

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from resources.catalogue.database import Database
from resources.errors import BackendError, ConfigurationError
from resources.vectors.pgvector import LARGEST_BIGINT, PgvectorStore
from resources.vectors.pgvector_dialect import (
    NEAREST,
    BinaryVector,
    BinaryVectorDumper,
    candidates,
    index_name,
    scanned_tuples,
    table_name,
)
from resources.vectors.protocol import LARGEST_ID, LARGEST_LIMIT
from tests.vectors.samples import MODEL, axis, document, documents, unit_vectors

NAMESPACE = "plyr-tracks"


@pytest.fixture
def store(database: Database) -> PgvectorStore:
    return PgvectorStore(database.pool, NAMESPACE, MODEL)


def explain(cursor: psycopg.Cursor[TupleRow], limit: int) -> str:
    """The plan of the store's query."""
    statement = sql.SQL("EXPLAIN " + NEAREST).format(
        schema=sql.Identifier("public"),
        table=sql.Identifier("moodsearch", table_name(NAMESPACE)),
        limit=sql.Literal(limit),
    )
    cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [str(candidates(limit))])
    cursor.adapters.register_dumper(BinaryVector, BinaryVectorDumper)
    return str(cursor.execute(statement, {"wanted": BinaryVector(axis(0))}).fetchall())


def test_a_query_can_use_the_index(store: PgvectorStore, database_url: str) -> None:
    store.upsert(documents(range(20)))

    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plans = [explain(cursor, limit) for limit in (10, 500)]

    assert all(f"Index Scan using {index_name(NAMESPACE)}" in plan for plan in plans)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_query_uses_the_index_when_there_are_many_documents(
    store: PgvectorStore, database_url: str
) -> None:
    store.upsert(documents(range(20_000)))

    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        plans = [explain(cursor, limit) for limit in (10, 50)]

    assert all(f"Index Scan using {index_name(NAMESPACE)}" in plan for plan in plans)


@pytest.mark.slow
def test_the_index_finds_what_is_near_and_as_many_as_asked(database_url: str) -> None:
    vectors, wanted = unit_vectors(1_500), unit_vectors(20, seed=9)
    options = {"options": "-c enable_seqscan=off"}
    with ConnectionPool(database_url, min_size=1, max_size=2, kwargs=options) as pool:
        store = PgvectorStore(pool, NAMESPACE, MODEL)
        store.upsert([document(id_, vector) for id_, vector in enumerate(vectors)])
        found = [{match.track_id for match in store.query(vector, 10)} for vector in wanted]

        store.delete(range(0, 1_500, 2))
        store.upsert(documents(range(0, 300, 2), seed=5))
        for limit in (50, 500, 900):
            assert len(store.query(wanted[0], limit)) == limit

    nearest = np.argsort(-(wanted @ vectors.T), axis=1)[:, :10]
    hits = sum(len(ids & set(row)) for ids, row in zip(found, nearest.tolist(), strict=True))
    assert hits / nearest.size >= 0.95


def test_the_namespace_is_registered_with_its_model(
    store: PgvectorStore, database: Database
) -> None:
    store.upsert([document(1, axis(0))])

    registered = database.rows(
        "SELECT table_name, fingerprint, model_id, dimension FROM moodsearch.vector_namespaces"
    )
    assert registered == [
        {
            "table_name": table_name(NAMESPACE),
            "fingerprint": MODEL.fingerprint,
            "model_id": MODEL.id,
            "dimension": 512,
        }
    ]
    store.drop()
    assert database.rows("SELECT * FROM moodsearch.vector_namespaces") == []
    assert database.rows("SELECT 1 FROM pg_tables WHERE tablename LIKE 'vectors%%'") == []


def test_texts_arrive_as_they_are_but_for_nul(store: PgvectorStore, database: Database) -> None:
    store.upsert([document(7, axis(0), title='it\'s "a" 🎧\n\0track')])

    statement = f"SELECT title, artist_handle, artist_did FROM moodsearch.{table_name(NAMESPACE)}"
    assert database.rows(statement) == [
        {
            "title": 'it\'s "a" 🎧\ntrack',
            "artist_handle": "ana.example",
            "artist_did": "did:plc:ana",
        }
    ]


@pytest.mark.parametrize("id_", [LARGEST_BIGINT + 1, LARGEST_ID])
def test_an_id_that_a_bigint_cannot_hold_is_refused(store: PgvectorStore, id_: int) -> None:
    with pytest.raises(ValueError, match=str(id_)):
        store.upsert([document(1, axis(0)), document(id_, axis(1))])

    assert store.count() == 0


def test_the_extension_may_be_in_a_schema_outside_the_search_path(
    store: PgvectorStore, database: Database
) -> None:
    database.rows("CREATE SCHEMA extensions")
    database.rows("ALTER EXTENSION vector SET SCHEMA extensions")

    store.upsert([document(1, axis(0)), document(2, axis(1))])

    assert [match.track_id for match in store.query(axis(1), 1)] == [2]


def test_a_database_without_the_extension_names_what_is_missing(
    store: PgvectorStore, database: Database
) -> None:
    database.rows("DROP EXTENSION vector")

    with pytest.raises(ConfigurationError, match=r'DATABASE_URL.*"vector"'):
        store.upsert([document(1, axis(0))])


def test_a_database_without_our_tables_is_our_mistake(
    store: PgvectorStore, database: Database
) -> None:
    database.rows("DROP TABLE moodsearch.vector_namespaces")

    with pytest.raises(psycopg.errors.UndefinedTable):
        store.count()


def test_a_namespace_dropped_between_registry_and_table_reads_as_empty(
    store: PgvectorStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upsert([document(1, axis(0))])
    exists = PgvectorStore._exists
    dropper = PgvectorStore(database.pool, NAMESPACE, MODEL)

    def exists_and_is_dropped(*arguments: object, **options: object) -> bool:
        monkeypatch.setattr(PgvectorStore, "_exists", exists)
        answer = exists(*arguments, **options)  # type: ignore[arg-type]
        dropper.drop()
        return answer

    monkeypatch.setattr(PgvectorStore, "_exists", exists_and_is_dropped)

    assert store.query(axis(0), 10) == []


def test_a_pool_with_other_habits_is_fine(database_url: str) -> None:
    options = {"autocommit": True, "options": "-csearch_path=pg_catalog"}
    with ConnectionPool(database_url, min_size=1, max_size=1, kwargs=options) as pool:
        store = PgvectorStore(pool, NAMESPACE, MODEL)
        store.upsert([document(1, axis(0))])

        assert store.query(axis(0), 5)[0].similarity == pytest.approx(1)
        with pool.connection() as connection:
            left = connection.execute("SHOW hnsw.iterative_scan").fetchone()
    assert left == ("off",), "a search's settings end with it"


def test_a_server_that_is_gone_is_a_backend_error_without_the_password() -> None:
    url = "postgresql://someone:hunter2@127.0.0.1:1/catalogue"
    pool: ConnectionPool[psycopg.Connection[TupleRow]] = ConnectionPool(
        url, min_size=0, max_size=2, timeout=0.3, open=True
    )
    with pool:
        store = PgvectorStore(pool, NAMESPACE, MODEL)
        for use in (store.check, store.count, lambda: store.query(axis(0), 10)):
            with pytest.raises(BackendError, match="does not answer") as caught:
                use()
            assert "hunter2" not in str(caught.value)


def test_a_connection_cut_in_the_middle_is_a_backend_error(
    store: PgvectorStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upsert([document(1, axis(0))])
    exists = PgvectorStore._exists

    def exists_and_is_cut_off(*arguments: object, **options: object) -> bool:
        answer = exists(*arguments, **options)  # type: ignore[arg-type]
        with psycopg.connect(database_url) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(PgvectorStore, "_exists", exists_and_is_cut_off)
        with pytest.raises(BackendError, match="does not answer"):
            store.upsert([document(2, axis(1))])

    assert store.ids(0, 9) == [1]


@given(names=st.lists(st.text(min_size=1, max_size=150), min_size=2, max_size=2, unique=True))
def test_any_namespace_has_a_table_name_of_its_own(names: list[str]) -> None:
    for name in names:
        assert re.fullmatch(r"vectors_[a-z0-9_]+", table_name(name))
        assert len(index_name(name).encode()) <= 63
    assert table_name(names[0]) != table_name(names[1])


@given(limit=st.integers(1, LARGEST_LIMIT))
def test_a_search_considers_more_than_it_returns(limit: int) -> None:
    assert 40 <= candidates(limit) <= 1_000
    assert candidates(limit) >= min(limit, 1_000)
    assert scanned_tuples(limit) >= 2 * limit
