"""Warming up: before readiness where the model runs here, when a search box is opened elsewhere."""

import json
import time
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.embedding.collapse import UNLIKE_TEXTS
from resources.settings import load_settings
from serving.api.app import create_app
from serving.search.query_embedder import WAKING_TEXT
from serving.search.semantic import SemanticSearch
from serving.search.warm_up import WarmUp
from tests.catalogue.rows import add_track
from tests.fakes.loopback import Answer, Host
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.serving.moods import EMBED_TEXT, answers, index


@pytest.fixture
def on_modal(
    database_url: str, model_host: Host, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backends]:
    """Audio and queries are embedded on Modal."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MODAL_ENABLED", "true")
    monkeypatch.setenv("MODAL_TIMEOUT_SECONDS", "10")
    for kind in ("AUDIO", "TEXT"):
        url = f"{model_host.url}/embed_{kind.lower()}"
        monkeypatch.setenv(f"MODAL_EMBED_{kind}_URL", url)
    with Backends(load_settings()) as backends:
        yield backends


def asked(host: Host) -> list[str]:
    return [json.loads(request.body)["text"] for request in host.sent(EMBED_TEXT)]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_model_that_runs_here_has_answered_before_the_api_does(
    backends: Backends, model_host: Host
) -> None:
    create_app(backends)
    assert sorted(asked(model_host)) == sorted([*UNLIKE_TEXTS, WAKING_TEXT])


def test_opening_the_search_box_wakes_a_model_elsewhere_once(
    on_modal: Backends, model_host: Host
) -> None:
    with TestClient(create_app(on_modal)) as client:
        assert asked(model_host) == []
        first = client.post("/search/warm")
        assert (first.status_code, first.json()) == (202, {"started": True})
        wait_until(lambda: len(asked(model_host)) == len(UNLIKE_TEXTS))
        again = client.post("/search/warm")
        assert (again.status_code, again.json()) == (202, {"started": False})
    assert sorted(asked(model_host)) == sorted(UNLIKE_TEXTS)


def test_a_model_that_was_asked_before_is_woken_with_one_short_text(
    on_modal: Backends, model_host: Host
) -> None:
    SemanticSearch(on_modal).query_embedder.similarity()
    before = len(asked(model_host))
    with TestClient(create_app(on_modal)) as client:
        client.post("/search/warm")
        wait_until(lambda: len(asked(model_host)) > before)
    assert asked(model_host)[before:] == [WAKING_TEXT]


def test_a_model_that_has_just_answered_is_left_alone(on_modal: Backends, model_host: Host) -> None:
    index(on_modal, {add_track(on_modal.database): "dark techno"})
    search = SemanticSearch(on_modal)
    search.query_embedder.similarity()
    assert search.search("dark techno").available
    before = len(asked(model_host))
    warm_up = WarmUp(search, interval_seconds=30)
    warm_up.warm()
    assert len(asked(model_host)) == before


@pytest.mark.parametrize("answer", [Answer(500, b"no"), Answer(429, b"no"), Answer(200, b"?")])
def test_a_model_that_is_down_is_no_error_of_the_warm_up(
    on_modal: Backends, model_host: Host, answer: Answer
) -> None:
    index(on_modal, {add_track(on_modal.database, "found"): "dark techno"})
    model_host.on(EMBED_TEXT, answer)
    with TestClient(create_app(on_modal)) as client:
        assert client.post("/search/warm").status_code == 202
        wait_until(lambda: len(asked(model_host)) > 0)
        model_host.on(EMBED_TEXT, answers())
        found = client.get("/search/semantic", params={"q": "dark techno"}).json()
    assert [result["title"] for result in found["results"]] == ["found"]


def test_turbopuffer_is_given_its_hint(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    with TurbopufferServer() as server:
        monkeypatch.setenv("TURBOPUFFER_ENABLED", "true")
        monkeypatch.setenv("TURBOPUFFER_API_KEY", server.api_key)
        monkeypatch.setenv("TURBOPUFFER_BASE_URL", server.url)
        with Backends(load_settings()) as remote:
            remote.local_model = backends.local_model
            index(remote, {1: "dark techno"})
            WarmUp(SemanticSearch(remote)).warm()
        assert server.requests[-1].path.endswith("/hint_cache_warm")
