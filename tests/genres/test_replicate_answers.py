"""Replicate, or something in its place, that drips or talks nonsense."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.errors import BackendError
from resources.genres.protocol import GenreRequest
from resources.genres.replicate import ReplicateClassifier
from resources.object_store.folder import FolderStore
from resources.web.http import Backoff
from tests.fakes.loopback import Answer, Host
from tests.fakes.replicate import SCORES, TOKEN, prediction, uploaded_file
from tests.fakes.wire import Behaviour, WireHost, answering, dripping, silent

CREATE = "POST /v1/predictions"
GET = "GET /v1/predictions/p1"
UPLOAD = "POST /v1/files"
REQUEST = GenreRequest(1, "audio/1.mp3")
SHAPES = [
    "[" * 100_000,
    "[]",
    "null",
    "{}",
    "7",
    '"text"',
    '[{"id": "p1"}]',
    '{"id": null, "status": {}}',
    "{",
]


@pytest.fixture
def api() -> Iterator[Host]:
    with Host() as host:
        yield host


def classifier(url: str, folder: Path, timeout_seconds: float = 3) -> ReplicateClassifier:
    """Of audio that has no URL."""
    store = FolderStore(folder)
    store.put(REQUEST.audio_key, b"sound")
    return ReplicateClassifier(
        TOKEN,
        store,
        top_n=3,
        timeout_seconds=timeout_seconds,
        base_url=url,
        poll_seconds=0.01,
        backoff=Backoff(first_seconds=0.02, longest_seconds=0.1),
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", [201, 404, 500])
def test_an_upload_that_is_answered_in_another_shape_is_a_backend_error(
    api: Host, tmp_path: Path, shape: str, status: int
) -> None:
    api.on(UPLOAD, Answer(status, shape.encode()))
    with pytest.raises(BackendError):
        classifier(api.url, tmp_path, timeout_seconds=0.5).classify(REQUEST)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_prediction_of_another_shape_is_a_backend_error(
    api: Host, tmp_path: Path, shape: str
) -> None:
    api.on(UPLOAD, Answer(201, uploaded_file("https://files.example/f1")))
    api.on(CREATE, Answer(201, shape.encode()))
    with pytest.raises(BackendError, match="not what its client expects"):
        classifier(api.url, tmp_path).classify(REQUEST)
    assert len(api.sent(CREATE)) == 1
    assert len(api.sent("DELETE /v1/files/f1")) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_a_poll_that_is_answered_in_another_shape_is_a_backend_error(
    api: Host, tmp_path: Path, shape: str
) -> None:
    api.on(UPLOAD, Answer(201, uploaded_file("https://files.example/f1")))
    api.on(CREATE, Answer(201, prediction("processing")))
    api.on(GET, Answer(200, shape.encode()))
    with pytest.raises(BackendError, match="not what its client expects"):
        classifier(api.url, tmp_path).classify(REQUEST)


@pytest.mark.parametrize("urls", [{}, {"self": "https://files.example"}, None, [], 7])
def test_an_upload_without_an_address_is_a_backend_error(
    api: Host, tmp_path: Path, urls: object
) -> None:
    api.on(UPLOAD, Answer(201, {**uploaded_file(""), "urls": urls}))
    with pytest.raises(BackendError, match="Replicate"):
        classifier(api.url, tmp_path).classify(REQUEST)


DRIPS: dict[str, Behaviour] = {
    "silence": silent,
    "a drip of headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip of a body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b" "),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_service_that_hangs_or_drips_is_given_up_in_time(drip: str, tmp_path: Path) -> None:
    started = time.monotonic()
    with WireHost(DRIPS[drip]) as host, pytest.raises(BackendError):
        classifier(host.url, tmp_path, timeout_seconds=0.5).classify(REQUEST)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("drip", DRIPS)
def test_an_output_that_hangs_or_drips_is_given_up_in_time(
    api: Host, drip: str, tmp_path: Path
) -> None:
    started = time.monotonic()
    with WireHost(DRIPS[drip]) as output:
        api.on(UPLOAD, Answer(201, uploaded_file("https://files.example/f1")))
        api.on(CREATE, Answer(201, prediction("succeeded", output=output.url)))
        with pytest.raises(BackendError):
            classifier(api.url, tmp_path, timeout_seconds=0.5).classify(REQUEST)
    assert time.monotonic() - started < 2
    assert len(api.sent("DELETE /v1/files/f1")) == 1


def test_what_is_not_needed_any_more_is_removed_when_the_time_is_up(
    api: Host, tmp_path: Path
) -> None:
    """The audio, and the prediction, which is paid for by the second."""
    api.on(UPLOAD, Answer(201, uploaded_file("https://files.example/f1")))
    api.on(CREATE, Answer(201, prediction("processing")))
    api.on(GET, Answer(200, prediction("processing")))
    with pytest.raises(BackendError, match="did not finish"):
        classifier(api.url, tmp_path, timeout_seconds=0.2).classify(REQUEST)
    assert len(api.sent(f"{CREATE}/p1/cancel")) == 1
    assert len(api.sent("DELETE /v1/files/f1")) == 1


def test_an_output_that_comes_slowly_is_read(api: Host, tmp_path: Path) -> None:
    with WireHost(answering(SCORES)) as output:
        api.on(UPLOAD, Answer(201, uploaded_file("https://files.example/f1"), delay_seconds=0.3))
        done = prediction("succeeded", output=output.url)
        api.on(CREATE, Answer(201, done, delay_seconds=0.3))
        assert classifier(api.url, tmp_path).classify(REQUEST)[0].name == "ambient"
