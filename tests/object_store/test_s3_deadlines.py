"""Stores that hang, drip or talk nonsense: every call ends in time, with an error of ours."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resources.errors import BackendError
from resources.object_store.s3 import PART_BYTES, S3Store
from tests.fakes.loopback import Answer, Host
from tests.fakes.wire import Behaviour, WireHost, dripping, silent

PATIENCE_SECONDS = 0.4

HEAD = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 100000000\r\n\r\n'
FAULTS: dict[str, Behaviour] = {
    "silence": silent,
    "a drip of headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip of a body": dripping(HEAD, b"s"),
    "nothing but a drip": dripping(b"", b"s"),
}
CALLS: dict[str, Callable[[S3Store], object]] = {
    "get": lambda store: store.get("key"),
    "put": lambda store: store.put("key", b"sound"),
    "size": lambda store: store.size("key"),
    "delete": lambda store: store.delete("key"),
    "keys": lambda store: list(store.keys("")),
    "check": lambda store: store.check(),
}


def store_at(url: str, **options: float) -> S3Store:
    options = {"patience_seconds": PATIENCE_SECONDS, **options}
    return S3Store(url, "bucket", "an-id", "the-secret-access-key", **options)  # type: ignore[arg-type]


def assert_ends_in_time(call: Callable[[], object]) -> None:
    started = time.monotonic()
    with pytest.raises(BackendError):
        call()
    # Botocore rests a second or two between its attempts.
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_hangs_or_drips_is_given_up(fault: str) -> None:
    with WireHost(FAULTS[fault]) as host:
        assert_ends_in_time(lambda: store_at(host.url, max_attempts=1).get("key"))


@pytest.mark.parametrize("call", CALLS)
def test_every_call_has_a_deadline(call: str) -> None:
    drip = dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
    with WireHost(drip) as host:
        assert_ends_in_time(lambda: CALLS[call](store_at(host.url, max_attempts=1)))


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["silence", "a drip of headers", "nothing but a drip"])
@pytest.mark.parametrize("call", CALLS)
def test_attempts_that_are_repeated_share_the_deadline(call: str, fault: str) -> None:
    with WireHost(FAULTS[fault]) as host:
        assert_ends_in_time(lambda: CALLS[call](store_at(host.url)))


@pytest.fixture
def deaf_host() -> Iterator[str]:
    """The address of a host that accepts connections and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("parts", [0.5, 2.5])
def test_an_upload_that_is_not_taken_is_given_up(
    deaf_host: str, tmp_path: Path, parts: float
) -> None:
    """Also in the threads that upload the parts of a big file."""
    path = tmp_path / "sound"
    path.write_bytes(bytes(int(parts * PART_BYTES)))
    assert_ends_in_time(lambda: store_at(deaf_host, max_attempts=1).put_file("key", path))


def test_a_slow_object_is_read_for_as_long_as_it_comes_fast_enough() -> None:
    """In pieces with silences in between, and for many times the patience."""

    def slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 160000\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            connection.sendall(b"s" * 20_000)

    with WireHost(slowly) as host:
        assert len(store_at(host.url, patience_seconds=0.25).get("key")) == 160_000


NO_STORES: dict[str, Answer] = {
    "an empty list": Answer(200, []),
    "null": Answer(200, None),
    "an empty object": Answer(200, {}),
    "a web page": Answer(200, b"<html><body>log in</body></html>"),
    "other XML": Answer(200, b"<ListBucketResult><Contents/></ListBucketResult>"),
    "half of an answer": Answer(200, b"<ListBucketResult><Contents><Key>k"),
    "an absurd date": Answer(200, b"", {"Last-Modified": "Mon, 99 Foo 99999 99:99:99 GMT"}),
    "an error without a code": Answer(400, b"<Error/>"),
    "an error that is a list": Answer(500, []),
}


@pytest.mark.parametrize("answer", NO_STORES)
def test_an_answer_of_another_shape_is_a_backend_error(answer: str) -> None:
    """Such as that of a proxy that asks for a log-in. No error of ours, and no empty bucket."""
    with Host() as host:
        host.on("GET /bucket?list-type=2&prefix=&encoding-type=url", NO_STORES[answer])
        for method in ("GET", "HEAD", "PUT"):
            host.on(f"{method} /bucket/key", NO_STORES[answer])
        store = store_at(host.url, max_attempts=1)
        for call in ("put", "size", "keys"):
            with pytest.raises(BackendError):
                CALLS[call](store)
        assert len(host.requests) >= 3
