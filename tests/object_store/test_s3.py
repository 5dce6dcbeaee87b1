"""What is particular to S3: addresses, replaced objects, and answers that are errors."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from resources.errors import BackendError, ConfigurationError, MoodSearchError, ObjectNotFoundError
from resources.object_store.ranges import BLOCK_BYTES
from resources.object_store.s3 import S3Store, region_of
from tests.fakes.loopback import Answer, Host

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


def store_at(host: Host, max_attempts: int = 1) -> S3Store:
    return S3Store(host.url, "bucket", "an-id", SECRET, max_attempts=max_attempts)


@pytest.fixture
def faulty() -> Iterator[Host]:
    with Host() as host:
        yield host


def s3_error(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return Answer(status, body, {"Content-Type": "application/xml", "Retry-After": "7"})


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
    faulty: Host, status: int, code: str, error: type[MoodSearchError], mentions: str
) -> None:
    for method in ("GET", "PUT"):
        faulty.on(f"{method} /bucket/key", s3_error(status, code))
    store = store_at(faulty)
    for call in (lambda: store.get("key"), lambda: store.put("key", b"")):
        with pytest.raises(error, match=mentions) as raised:
            call()
        assert SECRET not in str(raised.value)
        assert "\n" not in str(raised.value)
        if isinstance(raised.value, BackendError):
            assert raised.value.retry_after_seconds == 7


def test_a_throttled_request_is_tried_again(faulty: Host) -> None:
    faulty.on("GET /bucket/key", s3_error(429, "TooManyRequests"), Answer(200, b"sound"))
    assert store_at(faulty, max_attempts=2).get("key") == b"sound"


def test_an_answer_that_breaks_off_is_asked_for_again(faulty: Host) -> None:
    broken = Answer(200, b"sou", {"Content-Length": "5", "Connection": "close"})
    faulty.on("GET /bucket/key", broken, broken, Answer(200, b"sound"))
    assert store_at(faulty).get("key") == b"sound"
    faulty.on("GET /bucket/key", broken)
    with pytest.raises(BackendError, match="did not answer"):
        store_at(faulty).get("key")


def test_a_server_that_ignores_ranges_is_refused(faulty: Host) -> None:
    whole = Answer(200, b"s" * 3 * BLOCK_BYTES, {"ETag": '"1"'})
    faulty.on("HEAD /bucket/key", whole)
    faulty.on("GET /bucket/key", whole)
    with store_at(faulty).open("key") as file, pytest.raises(BackendError, match="range"):
        file.read(10)


@pytest.mark.parametrize("taken", [Answer(200, b""), Answer(200, b"<html>")])
@pytest.mark.parametrize(
    "found",
    [
        Answer(200, b"<html>"),
        Answer(200, b"<html>", {"ETag": '"of another object"', "Content-Length": "6"}),
        s3_error(404, "NoSuchKey"),
    ],
    ids=["no object store", "another object", "nothing"],
)
def test_an_upload_that_is_answered_by_something_else_is_no_success(
    faulty: Host, taken: Answer, found: Answer, tmp_path: Path
) -> None:
    """A proxy that asks for a log-in, say, and answers everything with 200."""
    faulty.on("PUT /bucket/key", taken)
    faulty.on("HEAD /bucket/key", found)
    faulty.on("GET /bucket/key", found)
    path = tmp_path / "sound"
    path.write_bytes(b"a sound")
    store = store_at(faulty)
    with pytest.raises(BackendError, match=r"does not|answered 500"):
        store.put("key", b"a sound")
    with pytest.raises(BackendError, match=r"does not|answered 500"):
        store.put_file("key", path)


def test_an_upload_to_a_store_whose_etags_are_no_digests_is_confirmed_by_its_size(
    faulty: Host,
) -> None:
    faulty.on("PUT /bucket/key", Answer(200, b"", {"ETag": '"opaque"'}))
    faulty.on("HEAD /bucket/key", Answer(200, b"a sound", {"ETag": '"opaque"'}))
    store_at(faulty).put("key", b"a sound")
    assert [request.method for request in faulty.requests] == ["PUT", "HEAD"]


def test_an_object_without_an_etag_is_no_object(faulty: Host) -> None:
    faulty.on("HEAD /bucket/key", Answer(200, b"<html>"))
    store = store_at(faulty)
    with pytest.raises(BackendError, match="does not answer as an object store"):
        store.size("key")
    with pytest.raises(BackendError, match="does not answer as an object store"), store.open("key"):
        pass


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


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_key_with_a_line_break_is_named_and_not_shown(s3_endpoint: str, variable: str) -> None:
    keys = ["an-id", SECRET]
    keys[variable == "AWS_SECRET_ACCESS_KEY"] += "\n"
    with pytest.raises(ConfigurationError, match=variable) as raised:
        S3Store(s3_endpoint, "bucket", *keys)
    assert SECRET not in str(raised.value)
