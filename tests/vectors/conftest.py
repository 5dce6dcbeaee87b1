"""Every vector store, ready to be opened, and a loopback turbopuffer."""

import itertools
from collections.abc import Callable, Iterator

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.costs.ledger import Ledger
from resources.embedding.protocol import ModelDescription
from resources.vectors.pgvector import PgvectorStore
from resources.vectors.protocol import VectorStore
from resources.vectors.turbopuffer import TurbopufferStore
from tests.conftest import TEMPLATE
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.vectors.samples import MODEL

OpenStore = Callable[..., VectorStore]
"""`open_store(model=..., namespace=...)`: another handle on the same vectors."""

_numbers = itertools.count()


@pytest.fixture
def turbopuffer_server() -> Iterator[TurbopufferServer]:
    with TurbopufferServer() as server:
        yield server


@pytest.fixture
def open_turbopuffer(
    turbopuffer_server: TurbopufferServer,
) -> Iterator[Callable[..., TurbopufferStore]]:
    opened: list[TurbopufferStore] = []

    def open_store(
        model: ModelDescription = MODEL,
        namespace: str = "plyr-tracks",
        api_key: str = turbopuffer_server.api_key,
        ledger: Ledger | None = None,
        **seconds: float,
    ) -> TurbopufferStore:
        store = TurbopufferStore(
            api_key=api_key,
            region="api",
            base_url=turbopuffer_server.url,
            namespace=namespace,
            model=model,
            ledger=ledger,
            **seconds,
        )
        opened.append(store)
        return store

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def shared_database(postgres_server: str) -> Iterator[Database]:
    """One database for all contract tests, each of which has namespaces of its own."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE vectors_contract TEMPLATE {TEMPLATE}")
    database = Database(postgres_server.replace("/moodsearch?", "/vectors_contract?"))
    yield database
    database.close()


@pytest.fixture(params=["pgvector", "turbopuffer"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    test = next(_numbers)
    open_one: OpenStore
    if request.param == "turbopuffer":
        open_one = request.getfixturevalue("open_turbopuffer")
    else:
        database: Database = request.getfixturevalue("shared_database")

        def open_one(model: ModelDescription, namespace: str) -> PgvectorStore:
            return PgvectorStore(database.pool, namespace, model)

    def open_store(model: ModelDescription = MODEL, namespace: str = "tracks") -> VectorStore:
        return open_one(model=model, namespace=f"{namespace}-{test}")

    return open_store


@pytest.fixture
def store(open_store: OpenStore) -> VectorStore:
    return open_store()
