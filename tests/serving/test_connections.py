"""What a client may cost a server before and while it is answered, over real connections.

Both services run on the same configuration (`limited_config`), so each limit is shown on an
application of a few lines; that the services use it is shown on the programs themselves.
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx
import psutil
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from serving.web.connections import ConnectionLimits
from tests.embedding_service.running import raw, running
from tests.serving.command import MODULE, ROOT

SHORT: Final = ConnectionLimits(
    header_seconds=0.5, body_seconds=1.0, idle_seconds=2, stalled_seconds=0.5, connections=4
)
HEAD: Final = b"POST / HTTP/1.1\r\nHost: here\r\n"
PIECE: Final = bytes(256 * 1024)


async def _whole_body(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _no_body(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _endless(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield PIECE
            await anyio.sleep(0)  # A pause in which it may be cancelled.

    return StreamingResponse(pieces())


@pytest.fixture
def url() -> Iterator[str]:
    app = Starlette(
        routes=[
            Route("/", _whole_body, methods=["POST"]),
            Route("/", _no_body, methods=["GET"]),
            Route("/unread", _no_body, methods=["POST"]),
            Route("/endless", _endless),
        ]
    )
    with running(app, SHORT) as url:
        yield url


def all_that_comes(connection: socket.socket) -> bytes:
    """Until the server closes the connection; resets count as closing."""
    received = bytearray()
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return bytes(received)


def seconds_until_closed(connection: socket.socket, drip: bytes = b"") -> float:
    """While `drip` is sent five times a second."""
    started = time.monotonic()
    connection.settimeout(0.2)
    while time.monotonic() - started < 8:
        try:
            if drip:
                connection.sendall(drip)
            if not connection.recv(65_536):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        pytest.fail("the connection was left open")
    return time.monotonic() - started


def bytes_taken(connection: socket.socket) -> int:
    """Of 48 MB of headers, how many could be sent before the connection was closed."""
    sent = 0
    try:
        for number in range(1_000):
            connection.sendall(b"X-%d: " % number + b"a" * 48_000 + b"\r\n")
            sent += 48_000
            time.sleep(0.001)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 40_000,
        HEAD + b"X: " + b"a" * 40_000,
        HEAD + b"".join(b"X-%d: 0123456789\r\n" % number for number in range(3_000)),
    ],
    ids=["an address", "one header", "many headers"],
)
@pytest.mark.parametrize("is_complete", [True, False])
def test_more_than_32_kb_of_headers_are_refused(url: str, head: bytes, is_complete: bool) -> None:
    """Whether they come at once or without end."""
    end = b" HTTP/1.1\r\nHost: here" if head.startswith(b"GET") else b""
    with closing(raw(url, head + (end + b"\r\n\r\n" if is_complete else b""))) as connection:
        status = all_that_comes(connection).split(b" ", 2)[1]
    assert status in {b"400", b"431"}


def test_headers_just_below_the_limit_are_read(url: str) -> None:
    answer = httpx.get(url, headers={"X": "a" * 31_000}, trust_env=False)
    assert answer.status_code == 200


def test_endless_headers_are_cut_off_before_they_take_memory(url: str) -> None:
    with closing(raw(url, HEAD)) as connection:
        assert bytes_taken(connection) < 8_000_000  # What fits into the buffers of the kernel.


@pytest.mark.parametrize("begin", [b"", b"G", HEAD], ids=["nothing", "a letter", "half"])
def test_headers_that_are_not_there_in_time_are_not_waited_for(url: str, begin: bytes) -> None:
    with closing(raw(url, begin)) as connection:
        assert 0.4 <= seconds_until_closed(connection) < 2


def test_headers_that_drip_are_not_waited_for(url: str) -> None:
    with closing(raw(url, HEAD)) as connection:
        assert seconds_until_closed(connection, drip=b"X: 1\r\n") < 2


def test_headers_of_a_later_request_have_no_more_time(url: str) -> None:
    with closing(raw(url, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")) as connection:
        assert connection.recv(1_000).endswith(b"ok")
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert seconds_until_closed(connection, drip=b"X: 1\r\n") < 2


def test_a_connection_may_stay_idle_between_requests(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/").status_code == 200
        time.sleep(1.2)  # Longer than headers may take.
        assert client.get("/").status_code == 200


def test_a_body_that_drips_is_not_waited_for(url: str) -> None:
    with closing(raw(url, HEAD + b"Content-Length: 1000\r\n\r\n")) as connection:
        assert 0.9 <= seconds_until_closed(connection, drip=b"a") < 3


def test_a_body_that_no_route_reads_does_not_hold_the_connection(url: str) -> None:
    head = HEAD.replace(b"/ ", b"/unread ", 1) + b"Transfer-Encoding: chunked\r\n\r\n"
    with closing(raw(url, head)) as connection:
        assert seconds_until_closed(connection, drip=b"3\r\nabc\r\n") < 2


def test_a_reader_that_stops_is_cut_off(url: str) -> None:
    with closing(raw(url, b"GET /endless HTTP/1.1\r\nHost: here\r\n\r\n")) as connection:
        time.sleep(1.5)
        started = time.monotonic()
        all_that_comes(connection)  # The rest of the kernel's buffers, and then no more.
        assert time.monotonic() - started < 5


def test_a_reader_that_goes_on_is_not_cut_off(url: str) -> None:
    with closing(raw(url, b"GET /endless HTTP/1.1\r\nHost: here\r\n\r\n")) as connection:
        deadline = time.monotonic() + 2  # Four times as long as one may stall.
        while time.monotonic() < deadline:
            assert connection.recv(1 << 20)


def test_connections_are_capped_and_told_when_to_come_back(url: str) -> None:
    held = [raw(url, HEAD) for _ in range(SHORT.connections)]
    time.sleep(0.1)
    with closing(raw(url, b"")) as refused:
        answer = all_that_comes(refused)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 2\r\n" in answer
    for connection in held:
        connection.close()
    time.sleep(0.2)
    assert httpx.get(url, trust_env=False).status_code == 200


@contextmanager
def program(*command: str) -> Iterator[tuple[int, str]]:
    """Its process id and its URL."""
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield process.pid, found[0]
                return
        pytest.fail("it did not start")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["api", "embedding service"])
def test_both_services_read_no_endless_headers(
    name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    commands = {
        "api": (*MODULE, "serve", "--port", "0"),
        "embedding service": (sys.executable, "-m", "serving.embedding_service", "--port", "0"),
    }
    with program(*commands[name]) as (process_id, url):
        before = psutil.Process(process_id).memory_info().rss
        with closing(raw(url, HEAD)) as connection:
            assert bytes_taken(connection) < 8_000_000
        assert psutil.Process(process_id).memory_info().rss - before < 20_000_000
        host = urlsplit(url).netloc.encode()
        with closing(raw(url, b"POST /search/warm HTTP/1.1\r\nHost: " + host)) as connection:
            connection.settimeout(20)
            started = time.monotonic()
            all_that_comes(connection)
            assert 9 < time.monotonic() - started < 12
