"""What is particular to S3: addresses, replaced objects, and answers that are errors."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from resources.errors import BackendError, ConfigurationError, MoodSearchError, ObjectNotFoundError
from resources.object_store.ranges import BLOCK_BYTES
from resources.object_store.s3 import S3Store, region_of

SECRET = "the-secret-access-key"
KEY = "audio/Jóga & 'friends' #1 🎧.mp3"


def test_a_public_bucket_has_public_urls_for_any_key(s3_endpoint: str, s3_bucket: str) -> None:
    for base in ("https://audio.example", "https://audio.example/"):
        store = S3Store(s3_endpoint, s3_bucket, "id", SECRET, base)
        assert store.url(KEY) == (
            "https://audio.example/audio/J%C3%B3ga%20%26%20%27friends%27%20%231%20%F0%9F%8E%A7.mp3"
        )


def test_without_a_public_bucket_urls_are_signed(s3_store: S3Store) -> None:
    s3_store.put(KEY, b"sound")
    url = s3_store.url(KEY)
    assert url is not None
    assert "X-Amz-Expires=3600" in url
    assert SECRET not in url
    response = httpx.get(url)
    assert response.content == b"sound"
    assert response.headers["content-type"] == "audio/mpeg"


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(s3_store: S3Store) -> None:
    s3_store.put("key", b"1" * 3 * BLOCK_BYTES)
    with s3_store.open("key") as file:
        assert file.read(10) == b"1" * 10
        s3_store.put("key", b"2" * 3 * BLOCK_BYTES)
        file.seek(2 * BLOCK_BYTES)
        with pytest.raises(BackendError, match="replaced"):
            file.read(10)


def test_an_object_that_is_deleted_while_it_is_read_is_not_found(s3_store: S3Store) -> None:
    s3_store.put("key", b"1" * 3 * BLOCK_BYTES)
    with s3_store.open("key") as file:
        file.read(10)
        s3_store.delete("key")
        file.seek(2 * BLOCK_BYTES)
        with pytest.raises(ObjectNotFoundError):
            file.read(10)


def test_folder_markers_of_consoles_are_not_objects(
    s3_store: S3Store, s3_bucket: str, s3_client: Any
) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="folder/", Body=b"")
    s3_store.put("folder/track", b"")
    assert list(s3_store.keys("")) == ["folder/track"]


def every_call(store: S3Store) -> list[Callable[[], object]]:
    return [
        lambda: store.put("key", b""),
        lambda: store.get("key"),
        lambda: store.open("key").__enter__(),
        lambda: store.exists("key"),
        lambda: store.size("key"),
        lambda: store.delete("key"),
        lambda: list(store.keys("")),
        store.check,
    ]


@pytest.mark.parametrize("bucket", ["no-such-bucket", "Not A Bucket's Name"])
def test_a_missing_bucket_is_named_by_every_call(s3_endpoint: str, bucket: str) -> None:
    for call in every_call(S3Store(s3_endpoint, bucket, "id", SECRET)):
        with pytest.raises(ConfigurationError, match="R2_BUCKET"):
            call()


class Faults(ThreadingHTTPServer):
    """Answers every request with one status and S3 error code."""

    daemon_threads = True
    status = 500
    code = "InternalError"
    requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FaultHandler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def store(self, max_attempts: int = 1) -> S3Store:
        return S3Store(
            f"http://127.0.0.1:{self.server_port}",
            "bucket",
            "an-id",
            SECRET,
            max_attempts=max_attempts,
            read_timeout_seconds=0.3,
        )


class FaultHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Faults

    def do_GET(self) -> None:
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        message = f"<Error><Code>{self.server.code}</Code><Message>no</Message></Error>"
        body = b"" if self.command == "HEAD" else message.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        if self.server.status == 503:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def faults() -> Iterator[Faults]:
    server = Faults()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "code", "error", "mentions"),
    [
        (403, "InvalidAccessKeyId", ConfigurationError, "AWS_ACCESS_KEY_ID"),
        (401, "Unauthorized", ConfigurationError, "AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", ConfigurationError, "AWS_SECRET_ACCESS_KEY"),
        (403, "AccessDenied", ConfigurationError, "R2_BUCKET"),
        (400, "AuthorizationHeaderMalformed", ConfigurationError, "R2_ENDPOINT_URL"),
        (500, "InternalError", BackendError, "InternalError"),
        (503, "SlowDown", BackendError, "SlowDown"),
        (429, "TooManyRequests", BackendError, "TooManyRequests"),
    ],
)
def test_an_error_answer_says_whose_it_is(
    faults: Faults, status: int, code: str, error: type[MoodSearchError], mentions: str
) -> None:
    faults.status, faults.code = status, code
    for call in (lambda: faults.store().get("key"), lambda: faults.store().put("key", b"")):
        with pytest.raises(error, match=mentions) as raised:
            call()
        assert SECRET not in str(raised.value)
        assert "\n" not in str(raised.value)
    if status == 503:
        assert isinstance(raised.value, BackendError)
        assert raised.value.retry_after_seconds == 7


def test_a_throttled_request_is_tried_again(faults: Faults) -> None:
    faults.status, faults.code = 429, "TooManyRequests"
    with pytest.raises(BackendError):
        faults.store(max_attempts=2).get("key")
    assert faults.requests == 2


def test_a_store_that_is_not_there_is_a_backend_error_for_every_call() -> None:
    store = S3Store("http://127.0.0.1:9", "bucket", "an-id", SECRET, max_attempts=1)
    for call in every_call(store):
        with pytest.raises(BackendError, match=r"127\.0\.0\.1"):
            call()


def test_an_endpoint_that_is_no_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match="R2_ENDPOINT_URL"):
        S3Store("r2.example", "bucket", "an-id", SECRET)


def test_nothing_secret_is_shown(s3_store: S3Store) -> None:
    assert SECRET not in repr(s3_store)
    assert "an-access-key-id" not in repr(s3_store)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("0123.r2.cloudflarestorage.com", "auto"),
        ("s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ("s3.us-west-004.backblazeb2.com", "us-west-004"),
        ("s3.amazonaws.com", "auto"),
        ("127.0.0.1", "auto"),
    ],
)
def test_the_region_is_read_from_the_host(host: str, region: str) -> None:
    assert region_of(host) == region
