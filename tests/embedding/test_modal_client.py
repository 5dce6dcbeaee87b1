"""Connections, turns and deadlines of requests to the embedding service."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import numpy as np
import pytest

from resources.audio.windows import WINDOW_SAMPLES
from resources.embedding.modal import ModalEmbedder
from resources.embedding.modal_client import MAX_ANSWER_BYTES, Endpoint, open_modal_client
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.errors import BackendError
from resources.web.deadline import Deadline
from resources.web.http import Backoff
from tests.fakes.wire import (
    Behaviour,
    WireHost,
    answering,
    dripping,
    resetting,
    silent,
)

MODEL = ModelDescription("clap", "1", EMBEDDING_DIMENSION, "f" * 64, "Apache-2.0")
VECTOR = {"embedding": [1.0] + [0.0] * (EMBEDDING_DIMENSION - 1), "dimensions": 512}
CONCURRENCY = 4
PATIENCE_SECONDS = 20.0


@contextmanager
def embedder(
    host: WireHost,
    timeout_seconds: float = PATIENCE_SECONDS,
    concurrency: int = CONCURRENCY,
    longest_pause_seconds: float = 0.05,
) -> Iterator[ModalEmbedder]:
    backoff = Backoff(first_seconds=0.02, longest_seconds=longest_pause_seconds)
    url = f"{host.url}/embed"
    with closing(
        ModalEmbedder(url, url, timeout_seconds, MODEL, concurrency=concurrency, backoff=backoff)
    ) as model:
        yield model


def taking(seconds: float, then: Behaviour) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        time.sleep(seconds)
        then(connection)

    return behave


def test_connections_are_used_again() -> None:
    with WireHost(answering(VECTOR)) as host, embedder(host) as model:
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda _: model.embed_text(["rain"] * 5), range(12)))
        model.embed_audio(np.zeros((2, WINDOW_SAMPLES), np.float32))
        assert host.requests == 62
        assert host.connections <= CONCURRENCY


def test_the_limit_is_over_all_threads_that_ask() -> None:
    running, most, lock = 0, 0, threading.Lock()
    answer = answering(VECTOR)

    def slow(connection: socket.socket) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.03)
        with lock:
            running -= 1
        answer(connection)

    with WireHost(slow) as host, embedder(host) as model, ThreadPoolExecutor(6) as threads:
        vectors = list(threads.map(lambda _: model.embed_text(["rain"] * 4), range(6)))
    assert [each.shape for each in vectors] == [(4, EMBEDDING_DIMENSION)] * 6
    assert most == CONCURRENCY


def test_contents_are_made_when_their_turn_comes() -> None:
    """A window's FLAC is up to a megabyte, and a backfill has hundreds waiting."""
    asked, may_answer = threading.Semaphore(0), threading.Event()
    answer = answering(VECTOR)
    made = 0

    def held(connection: socket.socket) -> None:
        asked.release()
        may_answer.wait(PATIENCE_SECONDS)
        answer(connection)

    def content() -> bytes:
        nonlocal made
        made += 1
        return b"{}"

    async def twelve_requests(url: str) -> None:
        endpoint = Endpoint(httpx.URL(url), "MODAL_EMBED_TEXT_URL", BackendError)
        async with open_modal_client({}, 3, Backoff()) as client:
            deadline = Deadline(PATIENCE_SECONDS)
            statuses = asyncio.create_task(
                client.post_all(
                    endpoint, [content] * 12, lambda answer: answer[0].status_code, deadline
                )
            )
            for _ in range(3):
                assert await asyncio.to_thread(asked.acquire, timeout=PATIENCE_SECONDS)
            assert made == 3
            may_answer.set()
            assert await statuses == [200] * 12
        assert made == 12

    with WireHost(held) as host:
        asyncio.run(twelve_requests(host.url))


@pytest.mark.parametrize(
    "hanging",
    [
        silent,
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-Filler: 1\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        dripping(b"HTTP/1.1 303 -\r\n", b"X-Filler: 1\r\n"),
    ],
)
def test_a_service_that_hangs_is_given_up_at_the_deadline(hanging: Behaviour) -> None:
    with WireHost(hanging) as host, embedder(host, timeout_seconds=0.3) as model:
        started = time.monotonic()
        with pytest.raises(BackendError, match=r"in time \(no answer yet\)"):
            model.embed_text(["rain"] * 10)
        assert 0.3 <= time.monotonic() - started < PATIENCE_SECONDS


def test_waiting_for_earlier_requests_counts_towards_the_deadline() -> None:
    def content() -> bytes:
        return b"{}"

    async def behind_one_that_hangs(url: str) -> None:
        endpoint = Endpoint(httpx.URL(url), "MODAL_EMBED_TEXT_URL", BackendError)

        async def ask(seconds: float) -> None:
            await client.post_all(endpoint, [content], lambda answer: answer, Deadline(seconds))

        async with open_modal_client({}, 1, Backoff()) as client:
            first = asyncio.create_task(ask(PATIENCE_SECONDS))
            await asyncio.sleep(0)
            with pytest.raises(BackendError, match=r"in time \(waiting for earlier requests\)"):
                await ask(0.2)
            assert not first.done()
            first.cancel()
            await asyncio.wait([first])

    with WireHost(silent) as host:
        asyncio.run(behind_one_that_hangs(host.url))
        assert host.requests == 1


def test_requests_that_were_given_up_leave_room_for_later_ones() -> None:
    hanging = [silent] * (3 * CONCURRENCY)
    with (
        WireHost(*hanging, answering(VECTOR)) as host,
        embedder(host, timeout_seconds=0.3) as impatient,
    ):
        for _ in range(3):
            with pytest.raises(BackendError, match="in time"):
                impatient.embed_text(["rain"] * CONCURRENCY)
        assert impatient.embed_text(["rain"] * 2).shape == (2, EMBEDDING_DIMENSION)


@pytest.mark.parametrize("failures", [1, 3])
def test_a_broken_connection_is_tried_again(failures: int) -> None:
    with (
        WireHost(*[resetting] * failures, answering(VECTOR)) as host,
        embedder(host) as model,
    ):
        assert model.embed_text(["rain"])[0, 0] == 1
        assert host.requests == failures + 1


def test_a_pooled_connection_that_breaks_is_replaced() -> None:
    answer = answering(VECTOR)
    with WireHost(answer, resetting, answer) as host, embedder(host) as model:
        for _ in range(2):
            assert model.embed_text(["rain"])[0, 0] == 1
        assert host.connections == 2


def test_a_service_that_fails_and_recovers_gives_its_vector() -> None:
    failures = [answering(b"", status) for status in (500, 503, 502)]
    with WireHost(*failures, resetting, answering(VECTOR)) as host, embedder(host) as model:
        assert model.embed_text(["rain"])[0, 0] == 1
        assert host.requests == 5


def test_who_was_asked_to_come_back_later_does() -> None:
    times: list[float] = []

    def noting(then: Behaviour) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            times.append(time.monotonic())
            then(connection)

        return behave

    busy = answering({"error": "busy"}, 429, "Retry-After: 1\r\n")
    with (
        WireHost(noting(busy), noting(answering(VECTOR))) as host,
        embedder(host, longest_pause_seconds=5) as model,
    ):
        assert model.embed_text(["rain"])[0, 0] == 1
    assert times[1] - times[0] >= 1


def test_who_cannot_come_back_in_time_says_so_at_once() -> None:
    busy = answering({"error": "busy"}, 429, "Retry-After: 3600\r\n")
    with (
        WireHost(busy) as host,
        embedder(host, timeout_seconds=60, longest_pause_seconds=600) as model,
    ):
        started = time.monotonic()
        with pytest.raises(BackendError, match="answered 429") as raised:
            model.embed_text(["rain"])
        assert time.monotonic() - started < PATIENCE_SECONDS
        assert raised.value.retry_after_seconds == 3600
        assert host.requests == 1


def test_one_call_that_fails_leaves_others_alone() -> None:
    refusal = answering({"error": "too long"}, 422)
    slow = taking(0.1, answering(VECTOR))
    with WireHost(slow, slow, refusal, slow) as host, embedder(host) as model:
        with ThreadPoolExecutor(1) as threads:
            patient = threads.submit(model.embed_text, ["rain"] * 2)
            while host.requests < 2:
                time.sleep(0.005)
            with pytest.raises(BackendError, match="too long"):
                model.embed_text(["rain"] * 20)
            assert patient.result(PATIENCE_SECONDS).shape == (2, EMBEDDING_DIMENSION)
        assert model.embed_text(["rain"]).shape == (1, EMBEDDING_DIMENSION)


@pytest.mark.parametrize("callers", [1, 6])
def test_close_ends_requests_in_flight(callers: int) -> None:
    with (
        WireHost(silent) as host,
        embedder(host) as model,
        ThreadPoolExecutor(callers) as threads,
    ):
        calls = [threads.submit(model.embed_text, ["rain"] * 3) for _ in range(callers)]
        while host.requests < min(CONCURRENCY, 3 * callers):
            time.sleep(0.005)
        model.close()
        for call in calls:
            with pytest.raises(BackendError, match="closed"):
                call.result(PATIENCE_SECONDS)
        model.close()
        with pytest.raises(BackendError, match="closed"):
            model.embed_text(["rain"])


@pytest.mark.parametrize(
    "head",
    [
        f"HTTP/1.1 200 OK\r\nContent-Length: {1 << 40}\r\n\r\n".encode(),
        b"HTTP/1.1 500 -\r\nContent-Length: 1099511627776\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_an_answer_without_end_is_not_read_to_it(head: bytes) -> None:
    endless = dripping(head, b" " * (MAX_ANSWER_BYTES // 4))
    with WireHost(endless) as host, embedder(host) as model:
        with pytest.raises(BackendError, match="more than"):
            model.embed_text(["rain"])
        assert host.requests == 1


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_unpacked() -> None:
    packed = gzip.compress(b" " * (100 * MAX_ANSWER_BYTES))
    assert len(packed) < MAX_ANSWER_BYTES
    with (
        WireHost(answering(packed, headers="Content-Encoding: gzip\r\n")) as host,
        embedder(host) as model,
        pytest.raises(BackendError, match="without an embedding"),
    ):
        model.embed_text(["rain"])


def test_many_threads_all_get_an_outcome() -> None:
    mixture = [answering(VECTOR), resetting, answering(b"", 503), answering(b"{}")] * 30

    def call(_number: int) -> str:
        try:
            return str(model.embed_text(["rain"] * 3).shape)
        except BackendError as error:
            return str(error)

    with (
        WireHost(*mixture, answering(VECTOR)) as host,
        embedder(host) as model,
        ThreadPoolExecutor(8) as threads,
    ):
        outcomes = list(threads.map(call, range(40), timeout=PATIENCE_SECONDS))
        assert model.embed_text(["rain"]).shape == (1, EMBEDDING_DIMENSION)
    assert set(outcomes) == {"(3, 512)", "127.0.0.1 answered without an embedding"}
