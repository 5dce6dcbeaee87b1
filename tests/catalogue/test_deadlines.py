"""No wait for the database is without end: not for a statement, and not for a server."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from resources.catalogue import connection as bounds
from resources.catalogue.database import Database, SessionLock
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.locks import BlockLocks
from resources.errors import BackendError
from tests.fakes.postgres import PostgresProxy

BLOCK = Block(1, 100)


@pytest.fixture
def proxy(database_url: str) -> Iterator[PostgresProxy]:
    with PostgresProxy(database_url) as proxy:
        yield proxy
        proxy.silent.clear()


@pytest.fixture
def database(proxy: PostgresProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Over `proxy`, and of little patience."""
    monkeypatch.setattr(bounds, "SILENCE_SECONDS", 0.3)
    database = Database(proxy.url, statement_seconds=0.3)
    database.pool.timeout = 1
    yield database
    database.close()


USES: dict[str, Callable[[Database], object]] = {
    "a statement": lambda database: database.rows("SELECT 1"),
    "a statement with a time of its own": lambda database: database.rows("SELECT 1", within=0.1),
    "a lock": lambda database: BlockLocks(database).is_held(BLOCK),
}


@pytest.mark.parametrize("use", USES)
def test_a_server_that_falls_silent_is_down_in_time_and_works_again_later(
    database: Database, proxy: PostgresProxy, use: str
) -> None:
    USES[use](database)
    proxy.silent.set()
    started = time.monotonic()
    with pytest.raises(BackendError, match="does not answer"):
        USES[use](database)
    assert time.monotonic() - started < 3
    proxy.silent.clear()
    until = time.monotonic() + 10
    while True:
        try:
            USES[use](database)
            break
        except BackendError:
            assert time.monotonic() < until


def test_a_server_that_falls_silent_in_a_transaction_is_down_in_time(
    database: Database, proxy: PostgresProxy
) -> None:
    started = time.monotonic()
    with (  # noqa: PT012
        pytest.raises(BackendError, match=r"no answer within 0\.6 s"),
        database.transaction() as connection,
    ):
        connection.execute("SELECT 1")
        proxy.silent.set()
        connection.execute("SELECT 1")
    assert time.monotonic() - started < 3


def test_the_hold_on_a_block_is_lost_when_the_server_falls_silent(
    database: Database, proxy: PostgresProxy
) -> None:
    with BlockLocks(database).hold(BLOCK, wait_seconds=60) as check:
        check()
        proxy.silent.set()
        started = time.monotonic()
        with pytest.raises(BackendError, match="was lost"):
            check()
        assert time.monotonic() - started < 3


def test_a_block_is_waited_for_longer_than_a_statement_may_take(
    database: Database, database_url: str
) -> None:
    theirs = Database(database_url)
    with ThreadPoolExecutor(1) as threads, BlockLocks(theirs).hold(BLOCK):

        def wait() -> None:
            with BlockLocks(database).hold(BLOCK, wait_seconds=2):
                pytest.fail("it is held by another")

        waiting = threads.submit(wait)
        started = time.monotonic()
        with pytest.raises(BackendError, match="another process"):
            waiting.result()
        assert time.monotonic() - started > 1.5
    theirs.close()


def test_a_session_lock_is_let_go_when_the_server_falls_silent(
    database: Database, proxy: PostgresProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds.BoundedConnection, "statement_seconds", 0.3)
    lock = SessionLock(proxy.url, 7)
    with lock:
        assert lock.is_held
        proxy.silent.set()
        started = time.monotonic()
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep(20)",
        "SELECT count(*) FROM generate_series(1, 1000000000)",
        "LOCK TABLE moodsearch.settings",
    ],
)
def test_the_server_ends_a_statement_that_takes_too_long(
    database: Database, database_url: str, statement: str
) -> None:
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE moodsearch.settings")
        started = time.monotonic()
        with pytest.raises(BackendError, match="statement timeout"):
            database.rows(statement)
        assert time.monotonic() - started < 2
    assert database.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_statement_may_be_given_more_time(database: Database) -> None:
    database.rows("SELECT pg_sleep(0.7)", within=5)
    with database.own_connection(within=5) as connection:
        connection.execute("SELECT pg_sleep(0.7)")
    with pytest.raises(BackendError, match="statement timeout"):
        database.rows("SELECT pg_sleep(5)")


def test_a_limit_in_the_address_is_kept(database_url: str) -> None:
    url = f"{database_url}{'&' if '?' in database_url else '?'}options=-cstatement_timeout%3D1234"
    database = Database(url)
    try:
        assert database.rows("SHOW statement_timeout") == [{"statement_timeout": "1234ms"}]
        with database.own_connection() as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("1234ms",)
    finally:
        database.close()
