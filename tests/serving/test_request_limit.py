"""How often one client may ask for what costs money."""

import asyncio
import gc
import logging
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from itertools import cycle
from typing import Any

import pytest
import throttled.utils
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import MOST_BODY_BYTES, create_app
from serving.api.clients import as_peers, network
from serving.api.playable import WAV_REQUESTS_FOR_A_SEARCH
from serving.api.request_limit import RequestLimit
from serving.search.semantic import SemanticSearch
from serving.tokens import make_token
from tests.catalogue.rows import add_track
from tests.serving.conftest import SECRET
from tests.serving.moods import index

PER_MINUTE = 20
BURST = 5
"""A quarter of a minute's."""

COSTLY = (
    "GET /search/semantic?q=dark",
    "POST /search/warm",
    "GET /tracks/1/similar",
    "GET /tracks/1/recommended-tags",
)


class Clock:
    """The clock that the limits go by, which stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(throttled.utils, "now_mono_f", clock)
    return clock


@pytest.fixture
def limited(
    backends: Backends, search: SemanticSearch, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> "Clients":
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", str(PER_MINUTE))
    return Clients(backends, search, monkeypatch)


class Clients:
    """Clients of one application, each from an address of its own."""

    def __init__(
        self, backends: Backends, search: SemanticSearch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._backends = backends
        self._search = search
        self._monkeypatch = monkeypatch
        self._app = self._create()

    def behind(self, proxies: str) -> "Clients":
        """Starts anew behind these proxies."""
        self._monkeypatch.setenv("API_TRUSTED_PROXIES", proxies)
        self._app = self._create()
        return self

    def at(self, address: str) -> TestClient:
        return TestClient(self._app, client=(address, 50_000))

    def _create(self) -> FastAPI:
        self._backends.settings = load_settings()
        return create_app(self._backends, search=self._search)


def ask(client: TestClient, route: str = COSTLY[0], **headers: str) -> Any:
    method, path = route.split()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, headers=names)


def spend(client: TestClient, **headers: str) -> None:
    for _ in range(BURST):
        assert ask(client, **headers).status_code == 200
    assert ask(client, **headers).status_code == 429


def test_too_many_requests_are_told_when_to_come_back(limited: Clients, clock: Clock) -> None:
    client = limited.at("192.0.2.1")
    spend(client)
    refused = ask(client)
    assert refused.headers["Retry-After"] == "3"
    assert refused.json() == {"detail": "too many requests; try again in 3 s"}
    assert refused.headers["X-Content-Type-Options"] == "nosniff"

    clock.now += 2.9
    assert ask(client).status_code == 429
    assert ask(client).headers["Retry-After"] == "1"
    clock.now += 0.2
    assert ask(client).status_code == 200
    assert ask(client).status_code == 429


@pytest.mark.slow
def test_in_the_long_run_the_rate_is_the_configured_one(limited: Clients, clock: Clock) -> None:
    client = limited.at("192.0.2.1")
    answered = 0
    for _ in range(600):
        clock.now += 1
        answered += ask(client, "POST /search/warm").status_code == 202
    assert PER_MINUTE * 10 <= answered <= PER_MINUTE * 10 + BURST


def test_what_costs_money_counts_together(limited: Clients) -> None:
    client = limited.at("192.0.2.1")
    for _, route in zip(range(BURST), cycle(COSTLY), strict=False):
        assert ask(client, route).status_code != 429
    for route in COSTLY:
        assert ask(client, route).status_code == 429


def test_what_costs_nothing_is_not_counted(limited: Clients) -> None:
    client = limited.at("192.0.2.1")
    spend(client)
    for path in ("/", "/search/?q=dark", "/me", "/healthz", "/docs", "/tracks/1/audio"):
        assert client.get(path).status_code in {200, 404}, path


def test_what_costs_computing_is_counted_for_itself_and_allowed_more_often(
    limited: Clients, clock: Clock
) -> None:
    client = limited.at("192.0.2.1")
    play = "GET /tracks/1/audio.wav"
    allowed = BURST * WAV_REQUESTS_FOR_A_SEARCH
    answers = [ask(client, play) for _ in range(allowed + 1)]
    # In fractions of a second, which round, the last one may be early.
    assert {answer.status_code for answer in answers[: allowed - 1]} == {404}
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"
    spend(client)
    clock.now += 1
    assert ask(client, play).status_code == 404


def test_the_document_says_who_may_be_asked_to_wait(limited: Clients) -> None:
    paths = limited.at("192.0.2.1").get("/openapi.json").json()["paths"]
    refusing = {
        path
        for path, methods in paths.items()
        for route in methods.values()
        if "Retry-After" in route["responses"].get("429", {}).get("headers", {})
    }
    assert refusing == {
        "/search/semantic",
        "/search/warm",
        "/tracks/{track_id}/similar",
        "/tracks/{track_id}/recommended-tags",
        "/tracks/{track_id}/audio.wav",
    }


def test_clients_do_not_count_for_each_other(limited: Clients) -> None:
    spend(limited.at("192.0.2.1"))
    spend(limited.at("192.0.2.2"))


@pytest.mark.slow
def test_who_types_quickly_is_never_asked_to_wait(
    backends: Backends, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page sends a search half a second after the last letter: at most two in a second, all
    day long, and what is clicked meanwhile."""
    index(backends, {add_track(backends.database): "dark techno"})
    client = TestClient(create_app(backends))
    for second in range(120):
        for _ in range(2):
            clock.now += 0.5
            assert ask(client).status_code == 200
        if second % 10 == 0:
            assert ask(client, COSTLY[1]).status_code == 202
            assert ask(client, COSTLY[2]).status_code != 429


@pytest.mark.slow
def test_the_limit_can_be_switched_off(
    backends: Backends, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")
    backends.settings = load_settings()
    client = TestClient(create_app(backends))
    assert {ask(client).status_code for _ in range(300)} == {200}


def test_a_user_is_counted_wherever_they_are(limited: Clients) -> None:
    token = f"Bearer {make_token(SECRET, 'did:plc:a')}"
    spend(limited.at("192.0.2.1"), Authorization=token)
    assert ask(limited.at("192.0.2.2"), Authorization=token).status_code == 429
    # Nor do they count for who shares the address.
    spend(limited.at("192.0.2.1"), Authorization=f"Bearer {make_token(SECRET, 'did:plc:b')}")
    spend(limited.at("192.0.2.1"))


def test_an_invented_token_is_no_other_client(limited: Clients) -> None:
    client = limited.at("192.0.2.1")
    spend(client)
    for did in ("did:plc:a", "did:plc:b"):
        forged = make_token("another secret that is long enough", did)
        assert ask(client, Authorization=f"Bearer {forged}").status_code == 429


def test_a_network_of_ipv6_is_one_client(limited: Clients) -> None:
    spend(limited.at("2001:db8:1:2::1"))
    assert ask(limited.at("2001:db8:1:2:ffff::9")).status_code == 429
    assert ask(limited.at("2001:db8:1:3::1")).status_code == 200


def test_a_header_that_anybody_can_send_makes_no_other_client(
    limited: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    client = limited.at("192.0.2.1")
    spend(client)
    with caplog.at_level(logging.WARNING):
        for address in ("198.51.100.1", "198.51.100.2"):
            assert ask(client, X_Forwarded_For=address).status_code == 429
    (line,) = [r.getMessage() for r in caplog.records if "PROXIES" in r.getMessage()]
    assert "set API_TRUSTED_PROXIES" in line


def test_behind_a_trusted_proxy_clients_are_told_apart(limited: Clients) -> None:
    limited.behind("127.0.0.1, 10.0.0.0/8")
    for proxy in ("127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"):
        spend(limited.at(proxy), X_Forwarded_For=f"192.0.2.{len(proxy)}")
    # What the client itself wrote comes first, and is not believed.
    forged = "198.51.100.7, 192.0.2.9, 10.9.9.9"
    assert ask(limited.at("127.0.0.1"), X_Forwarded_For=forged).status_code == 429
    # Nobody else is a proxy.
    spend(limited.at("203.0.113.1"), X_Forwarded_For="192.0.2.77")
    assert ask(limited.at("203.0.113.1"), X_Forwarded_For="192.0.2.78").status_code == 429


def test_threads_at_once_get_no_more_than_the_burst(limited: Clients) -> None:
    client = limited.at("192.0.2.1")
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ask(client).status_code, range(64)))
    assert answers.count(200) == BURST
    assert answers.count(429) == 64 - BURST


@pytest.mark.slow
def test_ever_more_addresses_take_no_more_memory(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = RequestLimit(load_settings(), SECRET, kept_clients=1_000)

    async def come(first: int, last: int) -> int:
        """Bytes in use after a request of each of these clients."""
        for number in range(first, last):
            address = str(IPv4Address(number))
            await limit(Request({"type": "http", "client": (address, 1), "headers": []}))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        full = asyncio.run(come(0, 2_000))
        later = asyncio.run(come(2_000, 20_000))
    finally:
        tracemalloc.stop()
    assert later < 1.1 * full


def test_requests_without_an_address_count_together(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_RATE_LIMIT_PER_MINUTE", "1")
    limit = RequestLimit(load_settings(), SECRET)
    request = Request({"type": "http", "client": None, "headers": []})
    asyncio.run(limit(request))
    with pytest.raises(HTTPException, match="too many requests"):
        asyncio.run(limit(request))


@given(st.ip_addresses().map(str))
def test_every_address_has_a_network(address: str) -> None:
    assert network(address) != "unknown"


@given(st.text())
def test_what_is_no_address_makes_no_long_key(host: str) -> None:
    assert len(network(host)) <= len("ffff:ffff:ffff:ffff::/64")


def test_an_ipv4_address_is_the_same_in_ipv6s_clothes() -> None:
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("fe80::1%eth0") == "fe80::/64"
    assert as_peers(["10.0.0.0/8", "::1"]) == ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::1"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"a" * MOST_BODY_BYTES, 202),
        (b"a" * (MOST_BODY_BYTES + 1), 413),
        (iter([b"a" * MOST_BODY_BYTES, b"a"]), 202),  # Not announced, and no route reads it.
    ],
    ids=["as much as may be", "more", "more in chunks"],
)
def test_a_body_larger_than_a_route_takes_is_refused(
    client: TestClient, content: bytes | Iterator[bytes], status: int
) -> None:
    assert client.post("/search/warm", content=content).status_code == status
