"""Time that a request waits for its turn is time that it has not got any more."""

import asyncio
import time

import httpx
import pytest

from resources.backends import Backends
from serving.api.app import create_app
from serving.availability import CONCURRENT_ANSWERS
from tests.catalogue.rows import add_track
from tests.fakes.loopback import Host
from tests.serving.moods import EMBED_TEXT, answers, index

DEADLINE_SECONDS = 1.5
REQUESTS = 5 * CONCURRENT_ANSWERS
"""As many as find a place."""


@pytest.fixture(autouse=True)
def no_request_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")


def test_a_search_that_waits_for_its_turn_ends_by_its_own_deadline(
    backends: Backends, model_host: Host
) -> None:
    """Those in front take most of their own time each, and are answered."""
    index(backends, {add_track(backends.database): "dark techno"})
    app = create_app(backends, deadline_seconds=DEADLINE_SECONDS)
    slow = answers()
    slow.delay_seconds = 0.4
    model_host.on(EMBED_TEXT, slow)

    async def ask(client: httpx.AsyncClient, number: int) -> tuple[bool, float]:
        started = time.monotonic()
        answer = await client.get("/search/semantic", params={"q": f"dark {number}"})
        assert answer.status_code == 200
        return answer.json()["available"], time.monotonic() - started

    async def ask_all() -> list[tuple[bool, float]]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            await ask(client, REQUESTS)  # Opens connections.
            return await asyncio.gather(*(ask(client, number) for number in range(REQUESTS)))

    outcomes = asyncio.run(ask_all())
    assert {available for available, _ in outcomes} == {True, False}
    assert max(seconds for _, seconds in outcomes) < 2 * DEADLINE_SECONDS
