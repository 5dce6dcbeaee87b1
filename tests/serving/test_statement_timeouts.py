"""No statement that a request waits for runs on without end: here each of them waits for a lock."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg import sql

from resources.backends import Backends
from resources.vectors import pgvector
from serving.tokens import make_token
from tests.catalogue.rows import add_track
from tests.serving.conftest import SECRET
from tests.serving.moods import index

pytestmark = pytest.mark.slow

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def track(backends: Backends, client: TestClient) -> int:
    """Indexed after the application's start: it will look up which index is live."""
    backends.store.put("audio/file-1.mp3", b"sound")
    track = add_track(backends.database, "Silver Rain")
    index(backends, {track: "calm rain"})
    return track


@contextmanager
def locked(url: str, table: str) -> Iterator[psycopg.Connection]:
    """Somebody alters the table and takes their time. Gives a connection that sees who waits."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        name = sql.SQL(".").join(map(sql.Identifier, table.split(".")))
        holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(name))
        yield watcher
        holder.rollback()


def count_waiting(watcher: psycopg.Connection) -> int:
    row = watcher.execute(WAITING).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("table", "answers"),
    [
        (
            "public.tracks",
            {
                "/search/?q=silver": 503,
                "/search/semantic?q=calm": 200,
                "/tracks/{track}/similar": 200,
                "/tracks/{track}/recommended-tags": 200,
                "/tracks/{track}/audio": 503,
            },
        ),
        ("moodsearch.feature_flags", {"/me": 503}),
        (
            "moodsearch.generations",
            {"/search/semantic?q=calm": 200, "/tracks/{track}/similar": 200},
        ),
        (
            "moodsearch.vector_namespaces",
            {"/search/semantic?q=calm": 200, "/tracks/{track}/similar": 200, "/readyz": 503},
        ),
        ("vectors", {"/search/semantic?q=calm": 200, "/tracks/{track}/similar": 200}),
    ],
)
def test_the_server_ends_what_nobody_waits_for(
    backends: Backends,
    client: TestClient,
    track: int,
    table: str,
    answers: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pgvector, "QUERY_SECONDS", 1.0)
    if table == "vectors":
        (row,) = backends.database.rows("SELECT table_name FROM moodsearch.vector_namespaces")
        table = f"moodsearch.{row['table_name']}"
    headers = {"Authorization": f"Bearer {make_token(SECRET, 'did:plc:a')}"}

    def ask(path: str) -> int:
        response = client.get(path.format(track=track), headers=headers)
        if response.status_code == 200:  # Of routes that do not fail with what they need.
            assert response.json()["available"] is False, path
        return response.status_code

    with locked(backends.database_url, table) as watcher, ThreadPoolExecutor(5) as threads:
        waiting = [threads.submit(ask, path) for path in answers]
        deadline = time.monotonic() + 20
        while not count_waiting(watcher):  # Otherwise there was nothing to end.
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert [future.result(20) for future in waiting] == list(answers.values())
        while count_waiting(watcher):
            assert time.monotonic() < deadline
            time.sleep(0.05)
