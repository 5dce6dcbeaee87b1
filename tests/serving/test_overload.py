"""More requests than there is room for: a bounded queue, and refusals at once."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import anyio
import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from resources.backends import Backends
from serving.api.app import create_app
from serving.search.semantic import SemanticSearch
from serving.web.queue import BoundedQueue
from tests.embedding_service.running import running

PLACES = 3


@pytest.fixture
def busy() -> Iterator[tuple[str, threading.Event]]:
    """An application that answers `/slow` when it is told to, and its URL."""
    may_answer = threading.Event()

    async def slow(_request: Request) -> Response:
        while not may_answer.is_set():
            await anyio.sleep(0.01)
        return PlainTextResponse("at last")

    async def quick(_request: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/slow", slow), Route("/quick", quick)])
    with running(BoundedQueue(app, re.compile("/slow"), PLACES)) as url:
        yield url, may_answer


def test_who_finds_no_place_is_refused_at_once_and_the_rest_are_answered(
    busy: tuple[str, threading.Event],
) -> None:
    url, may_answer = busy

    def ask() -> int:
        return httpx.get(f"{url}/slow", timeout=60, trust_env=False).status_code

    with ThreadPoolExecutor(12) as clients:
        asked = [clients.submit(ask) for _ in range(12)]
        refused = [each.result(30) for _, each in zip(range(9), as_completed(asked), strict=False)]
        assert refused == [503] * 9
        # The others still wait, and what waits for no place is answered.
        assert sum(each.done() for each in asked) == 9
        assert httpx.get(f"{url}/quick", trust_env=False).status_code == 200
        may_answer.set()
        assert Counter(each.result() for each in asked) == {503: 9, 200: PLACES}
    assert ask() == 200  # The places are free again.


def test_a_client_that_leaves_gives_its_place_back(busy: tuple[str, threading.Event]) -> None:
    url, may_answer = busy
    for _ in range(PLACES):
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/slow", timeout=0.2, trust_env=False)
    may_answer.set()
    time.sleep(0.2)
    assert httpx.get(f"{url}/slow", trust_env=False).status_code == 200


@pytest.fixture
def full(backends: Backends, search: SemanticSearch) -> Iterator[TestClient]:
    """The API when there is no place."""
    with TestClient(create_app(backends, search=search, places=0)) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/search/semantic?q=dark",
        "/search/?q=dark",
        "/search?q=dark",
        "/tracks/1/similar",
        "/tracks/1/recommended-tags",
    ],
)
def test_every_search_is_refused_in_the_api_s_shape(full: TestClient, path: str) -> None:
    refused = full.get(path)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "2"
    assert refused.json() == {"detail": "too many requests at once; try again in 2 s"}
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/docs", "/static/main.js", "/me"])
def test_what_waits_for_no_search_is_still_answered(full: TestClient, path: str) -> None:
    assert full.get(path).status_code == 200
