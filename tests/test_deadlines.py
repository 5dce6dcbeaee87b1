"""Deadlines that move with what is transferred, and connections that keep to them."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import httpx2
import pytest

from resources.web.connections import with_deadlines
from resources.web.deadline import Deadline, OverdueError, TransferDeadline, bounded, note_progress
from tests.fakes.wire import Behaviour, WireHost, answering, dripping, silent

Client = Any
CLIENTS: dict[str, Callable[[], Client]] = {"httpx": httpx.Client, "httpx2": httpx2.Client}


def test_nothing_is_bounded_outside() -> None:
    assert bounded(None, "a host") is None
    assert bounded(7, "a host") == 7
    note_progress(10)


def test_the_earliest_of_all_deadlines_around_counts() -> None:
    with Deadline(10).bounds(), Deadline(0.5).bounds(), Deadline(20).bounds():
        seconds = bounded(None, "a host")
        assert seconds is not None
        assert 0.3 < seconds <= 0.5
        assert bounded(0.1, "a host") == 0.1
    assert bounded(None, "a host") is None


def test_what_is_overdue_is_told_by_the_name_of_who_is_late() -> None:
    with Deadline(0).bounds(), pytest.raises(OverdueError, match=r"a\.host did not answer in time"):
        bounded(None, "a.host")


@pytest.mark.parametrize(
    ("transferred", "remaining"),
    [
        (0, 0.9),  # A hang uses it up.
        (50, 0.95),
        (100, 1.0),  # As fast as it must be: nothing is lost.
        (10**9, 1.0),  # A fast beginning earns no longer hang.
    ],
)
def test_a_transfer_earns_time_up_to_the_patience(transferred: int, remaining: float) -> None:
    deadline = TransferDeadline(patience_seconds=1.0, least_bytes_per_second=1_000)
    time.sleep(0.1)
    deadline.note_progress(transferred)
    assert deadline.remaining_seconds == pytest.approx(remaining, abs=0.05)


def test_a_point_in_time_does_not_move_with_a_transfer() -> None:
    deadline = Deadline(0.2)
    deadline.note_progress(10**9)
    assert deadline.remaining_seconds <= 0.2


FAULTS: dict[str, Behaviour] = {
    "silence": silent,
    "a drip of headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip of a body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", b"."),
    "a drip of chunks": dripping(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("deadline", [Deadline, TransferDeadline])
def test_a_request_ends_by_its_deadline(client: str, fault: str, deadline: type[Deadline]) -> None:
    with WireHost(FAULTS[fault]) as host, with_deadlines(CLIENTS[client]()) as http:
        started = time.monotonic()
        with deadline(0.3).bounds(), pytest.raises(OverdueError):
            http.get(host.url, timeout=None)
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("client", CLIENTS)
def test_a_transfer_that_is_fast_enough_may_take_many_times_the_patience(client: str) -> None:
    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        for _ in range(6):
            time.sleep(0.1)
            connection.sendall(b"." * 10_000)

    with (
        WireHost(slowly) as host,
        with_deadlines(CLIENTS[client]()) as http,
        TransferDeadline(0.25).bounds(),
    ):
        assert len(http.get(host.url, timeout=None).content) == 60_000


@pytest.mark.parametrize("client", CLIENTS)
def test_an_upload_that_is_not_read_ends_by_its_deadline(client: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        with_deadlines(CLIENTS[client]()) as http,
    ):
        started = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with TransferDeadline(0.3).bounds(), pytest.raises(OverdueError):
            http.post(url, content=bytes(32 << 20), timeout=None)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("client", CLIENTS)
def test_a_connection_outlives_the_deadlines_of_its_requests(client: str) -> None:
    with WireHost(answering("fine")) as host, with_deadlines(CLIENTS[client]()) as http:
        with Deadline(0.2).bounds():
            http.get(host.url)
        time.sleep(0.25)
        assert http.get(host.url).json() == "fine"
        assert host.connections == 1


def test_each_thread_has_its_own_deadline() -> None:
    together = threading.Barrier(2)

    def ask(http: httpx.Client, url: str, seconds: float) -> bool:
        with Deadline(seconds).bounds():
            together.wait()
            try:
                return http.get(url).status_code == 200
            except OverdueError:
                return False

    def late(connection: socket.socket) -> None:
        time.sleep(0.4)
        answering("fine")(connection)

    with (
        WireHost(late) as host,
        with_deadlines(httpx.Client()) as http,
        ThreadPoolExecutor(2) as threads,
    ):
        assert list(threads.map(lambda s: ask(http, host.url, s), [0.1, 5])) == [False, True]
