"""Hosts of audio files that hang: they end on time and hold nobody up."""

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from resources.embedding.protocol import EmbeddingModel
from serving.embedding_service import Limits
from tests.embedding_service.running import limited
from tests.embedding_service.test_bad_input import EMBED_AUDIO, EMBED_TEXT, assert_refused
from tests.embedding_service.test_embedding import vector_in
from tests.embedding_service.test_remote import asked_for
from tests.fakes.files import DoneError, FileHost, Page, dripping


@pytest.fixture(scope="module")
def hurried(model: EmbeddingModel) -> Iterator[httpx.Client]:
    """A service of little patience."""
    with limited(model, Limits(fetch_seconds=1.0, stall_seconds=0.4)) as client:
        yield client


def silent(_handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)
    raise DoneError


@pytest.mark.parametrize(
    "before",
    [
        silent,
        dripping(b"HTTP/1.1 200 OK\r\nX-Header: x\r\n"),
        dripping(b"x"),
    ],
    ids=["silence", "endless headers", "no status line"],
)
def test_a_host_that_hangs_is_a_gateway_timeout(
    hurried: httpx.Client, files: FileHost, before: object
) -> None:
    started = time.monotonic()
    answer = asked_for(hurried, files.add("/x", Page(before=before)))  # type: ignore[arg-type]
    assert_refused(answer, 504, "127.0.0.1 did not answer in time")
    assert time.monotonic() - started < 3


def test_a_body_that_drips_is_a_gateway_timeout(hurried: httpx.Client, files: FileHost) -> None:
    def head_then_drops(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        dripping(b"RIFF")(handler)

    answer = asked_for(hurried, files.add("/x", Page(before=head_then_drops)))
    assert_refused(answer, 504, "did not answer in time")


def test_a_body_that_ends_before_its_length_is_a_gateway_timeout(
    hurried: httpx.Client, files: FileHost
) -> None:
    page = Page(b"R" * 100, ranges=False, headers={"Content-Length": "200"})
    assert_refused(asked_for(hurried, files.add("/x", page)), 504, "did not answer in time")


def test_hosts_that_hang_do_not_hold_up_the_others(
    client: httpx.Client, files: FileHost, track: Path
) -> None:
    let_go = threading.Event()

    def hang(_handler: BaseHTTPRequestHandler) -> None:
        let_go.wait(10)
        raise DoneError

    url = files.add("/x", Page(before=hang))
    with ThreadPoolExecutor(Limits.fetches) as pool:
        hanging = [pool.submit(asked_for, client, url) for _ in range(Limits.fetches)]
        while len(files.asked) < Limits.fetches:
            time.sleep(0.01)
        vector_in(client.post(EMBED_TEXT, json={"text": "rain"}))
        content = base64.b64encode(track.read_bytes()).decode()
        vector_in(client.post(EMBED_AUDIO, json={"audio_b64": content}))
        assert not any(each.done() for each in hanging)
        let_go.set()
        for each in hanging:
            assert_refused(each.result(), 424, "cannot be read")
