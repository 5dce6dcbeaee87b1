"""The embedded database stops under a running API, and comes back."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel
from resources.settings import load_settings
from serving.api.app import create_app
from serving.tokens import make_token
from tests.catalogue.rows import add_track
from tests.serving.conftest import SECRET
from tests.serving.moods import index

pytestmark = pytest.mark.slow


@pytest.fixture
def embedded(model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    # Not under pytest's folders: they are closed to the user that Postgres runs as for root.
    home = Path(tempfile.mkdtemp(prefix="moodsearch-outage-"))
    monkeypatch.setenv("MOODSEARCH_HOME", str(home))
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    try:
        with Backends(load_settings()) as backends:
            backends.local_model = model
            backends.database.pool.timeout = 1  # Instead of 10 s, to spare the tests the wait.
            yield backends
    finally:
        shutil.rmtree(home, ignore_errors=True)


def kill_database(backends: Backends) -> None:
    pid_file = backends.settings.moodsearch_home / "postgres" / "postmaster.pid"
    server = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
    server.kill()
    psutil.wait_procs([server], timeout=10)


def test_a_stopped_database_is_no_error_of_the_search_and_needs_no_restart(
    embedded: Backends,
) -> None:
    track = add_track(embedded.database)
    index(embedded, {track: "dark techno"})
    token = {"Authorization": f"Bearer {make_token(SECRET, 'did:x')}"}
    with TestClient(create_app(embedded, deadline_seconds=2)) as client:
        assert client.get("/search/semantic?q=dark").json()["available"] is True
        kill_database(embedded)
        down = client.get("/search/semantic?q=dark")
        assert down.status_code == 200
        assert down.json() == {"results": [], "query": "dark", "available": False}
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["backends"]["database"]["ok"] is False
        assert ready.json()["backends"]["object_store"]["ok"] is True
        assert client.get("/healthz").status_code == 200
        me = client.get("/me", headers=token)
        assert me.status_code == 503
        assert "database" in me.json()["detail"]

        embedded.ensure_running()
        deadline = time.monotonic() + 20
        while not (answer := client.get("/search/semantic?q=dark").json())["available"]:
            assert time.monotonic() < deadline
        assert [result["id"] for result in answer["results"]] == [track]
