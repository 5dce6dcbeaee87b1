"""The embedding service on Modal, stood in for by a host on loopback that has every fault."""

import base64
import io
import json
import math
import threading
import time
from collections.abc import Iterator

import av
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from resources.audio.windows import WINDOW_SAMPLES
from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.embedding.modal import ModalEmbedder, encode_flac
from resources.embedding.modal_client import MAX_REDIRECTS
from resources.embedding.protocol import EMBEDDING_DIMENSION, FINGERPRINT_HEADER, ModelDescription
from resources.errors import BackendError, ConfigurationError, MoodSearchError, RefusedTrackError
from resources.web.deadline import Deadline
from resources.web.http import Backoff, retry_after_seconds
from tests.fakes.loopback import Answer, Host, Request

AUDIO = "POST /embed_audio"
TEXT = "POST /embed_text"
MODEL = ModelDescription(
    "laion/clap-htsat-unfused", "1", EMBEDDING_DIMENSION, "f" * 64, "Apache-2.0"
)


def embedding(direction: int, length: float = 1) -> dict[str, object]:
    """The service's answer with a vector along one axis."""
    vector = [0.0] * EMBEDDING_DIMENSION
    vector[direction] = length
    return {"embedding": vector, "dimensions": EMBEDDING_DIMENSION}


def windows(count: int) -> NDArray[np.float32]:
    """Windows of constant level: the n-th at n / 1024."""
    levels = np.arange(count, dtype=np.float32) / 1024
    return np.repeat(levels[:, np.newaxis], WINDOW_SAMPLES, axis=1)


def decode(flac: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(flac), "r") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    samples: NDArray[np.float32] = np.concatenate(frames).astype(np.float32) / np.float32(32768)
    return samples


def audio_of(request: Request) -> NDArray[np.float32]:
    return decode(base64.b64decode(json.loads(request.body)["audio_b64"]))


def embedding_of_level(request: Request) -> dict[str, object]:
    return embedding(round(float(audio_of(request).mean()) * 1024))


@pytest.fixture
def service() -> Iterator[Host]:
    with Host() as host:
        host.on(AUDIO, Answer(200, embedding(7)))
        host.on(TEXT, Answer(200, embedding(7)))
        yield host


def embedder(
    service: Host,
    timeout_seconds: float = 10,
    proxy_auth: tuple[str, str] | None = None,
    ledger: Ledger | None = None,
) -> ModalEmbedder:
    return ModalEmbedder(
        f"{service.url}/embed_audio",
        f"{service.url}/embed_text",
        timeout_seconds,
        MODEL,
        proxy_auth=proxy_auth,
        concurrency=4,
        backoff=Backoff(first_seconds=0.02, longest_seconds=0.1),
        ledger=ledger,
    )


def test_each_window_gets_its_own_vector_in_order(service: Host) -> None:
    service.on(AUDIO, Answer(200, embedding_of_level))
    vectors = embedder(service).embed_audio(windows(9))
    assert vectors.shape == (9, EMBEDDING_DIMENSION)
    assert vectors.dtype == np.float32
    assert list(vectors.argmax(axis=1)) == list(range(9))
    assert len(service.sent(AUDIO)) == 9


def test_audio_arrives_as_it_was_to_within_half_a_16_bit_step(service: Host) -> None:
    window = np.random.default_rng(0).uniform(-1.1, 1.1, (1, WINDOW_SAMPLES)).astype(np.float32)
    embedder(service).embed_audio(window)
    (request,) = service.sent(AUDIO)
    arrived = audio_of(request)
    assert arrived.shape == (WINDOW_SAMPLES,)
    expected = np.clip(window[0], -1, 32767 / 32768)
    assert np.abs(arrived - expected).max() <= 0.5 / 32768 + 1e-7


def test_16_bit_audio_arrives_unchanged() -> None:
    samples = (np.arange(-32768, 32768) / 32768).astype(np.float32)
    assert np.array_equal(decode(encode_flac(samples)), samples)


def test_texts_are_sent_as_they_are(service: Host) -> None:
    texts = ["dark ambient techno", "música triste 🎧", 'with "quotes"']
    assert embedder(service).embed_text(texts).shape == (3, EMBEDDING_DIMENSION)
    assert sorted(json.loads(each.body)["text"] for each in service.sent(TEXT)) == sorted(texts)


def test_nothing_to_embed_asks_nobody(service: Host) -> None:
    model = embedder(service)
    assert model.embed_audio(windows(0)).shape == (0, EMBEDDING_DIMENSION)
    assert model.embed_text([]).shape == (0, EMBEDDING_DIMENSION)
    assert service.requests == []


def test_windows_of_another_length_are_our_mistake(service: Host) -> None:
    with pytest.raises(ValueError, match="windows must be"):
        embedder(service).embed_audio(np.zeros((1, 100), np.float32))


def test_a_vector_that_was_rounded_has_length_1_again(service: Host) -> None:
    service.on(TEXT, Answer(200, embedding(3, length=0.97)))
    vectors = embedder(service).embed_text(["rain"])
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-6)


def test_no_more_requests_than_allowed_run_at_once(service: Host) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def slow(_request: Request) -> dict[str, object]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return embedding(0)

    service.on(TEXT, Answer(200, slow))
    embedder(service).embed_text(["rain"] * 16)
    assert most == 4


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(service: Host, status: int) -> None:
    failure = Answer(status, b"try later")
    service.on(TEXT, failure, failure, Answer(200, embedding(7)))
    assert embedder(service).embed_text(["rain"])[0, 7] == 1
    assert len(service.sent(TEXT)) == 3


def test_a_failure_that_stays_is_a_backend_error_before_the_deadline(service: Host) -> None:
    service.on(TEXT, Answer(503, b"", {"Retry-After": "40"}))
    started = time.monotonic()
    with pytest.raises(BackendError, match="503") as raised:
        embedder(service, timeout_seconds=0.5).embed_text(["rain"])
    assert time.monotonic() - started < 2
    assert len(service.sent(TEXT)) > 1
    assert raised.value.retry_after_seconds == 40


def test_modals_redirects_for_long_requests_are_followed(service: Host) -> None:
    for number in range(3):
        location = {"Location": f"/embed_audio?__modal_function_call_id={number}"}
        route = AUDIO if number == 0 else f"GET /embed_audio?__modal_function_call_id={number - 1}"
        service.on(route, Answer(303, b"", location))
    service.on("GET /embed_audio?__modal_function_call_id=2", Answer(200, embedding(5)))
    model = embedder(service, proxy_auth=("wk-key", "ws-secret"))
    assert model.embed_audio(windows(1))[0, 5] == 1
    assert [each.method for each in service.requests] == ["POST", "GET", "GET", "GET"]
    assert all(each.headers["Modal-Secret"] == "ws-secret" for each in service.requests)
    assert all(each.headers["Modal-Key"] == "wk-key" for each in service.requests)


def test_endless_redirects_end(service: Host) -> None:
    service.on(TEXT, Answer(303, b"", {"Location": "/again"}))
    service.on("GET /again", Answer(303, b"", {"Location": "/again"}))
    with pytest.raises(BackendError, match="redirects"):
        embedder(service).embed_text(["rain"])
    assert len(service.requests) == MAX_REDIRECTS + 1


def test_the_proxy_token_is_not_sent_to_another_host(service: Host) -> None:
    with Host() as other:
        service.on(TEXT, Answer(303, b"", {"Location": f"{other.url}/embed_text"}))
        with pytest.raises(BackendError, match="MODAL_EMBED_TEXT_URL"):
            embedder(service, proxy_auth=("wk-key", "ws-secret")).embed_text(["rain"])
        assert other.requests == []


@pytest.mark.parametrize(
    ("body", "mentions"),
    [
        (b"<html>", "without an embedding"),
        (b"[" * 100_000, "without an embedding"),
        ([1, 2], "without an embedding"),
        ({"vector": [0.1]}, "without an embedding"),
        ({"embedding": None}, "without an embedding"),
        ({"embedding": ["0.1"] * 512}, "without an embedding"),
        ({"embedding": [[0.1]] * 512}, "without an embedding"),
        (b'{"embedding": [1' + b"0" * 400 + b"]}", "without an embedding"),
        ({"embedding": [0.1] * 511, "dimensions": 511}, "511 dimensions"),
        ({"embedding": [], "dimensions": 0}, "0 dimensions"),
        (embedding(0, length=math.nan), "length nan"),
        (embedding(0, length=math.inf), "length inf"),
        (embedding(0, length=0), "length 0"),
        (embedding(0, length=1.06), r"length 1\.06"),
        (embedding(0, length=0.94), r"length 0\.94"),
        (b" " * (2 << 20), "more than"),
    ],
)
def test_an_answer_that_is_no_unit_vector_is_refused(
    service: Host, body: object, mentions: str
) -> None:
    service.on(TEXT, Answer(200, body))
    with pytest.raises(BackendError, match=mentions) as raised:
        embedder(service).embed_text(["rain"])
    assert "\n" not in str(raised.value)
    assert len(service.sent(TEXT)) == 1


@pytest.mark.parametrize(
    ("answer", "error", "mentions"),
    [
        (Answer(400, {"error": "not\naudio"}), RefusedTrackError, "not audio"),
        (Answer(422, {"error": "too short"}), RefusedTrackError, "too short"),
        (
            Answer(401, b"modal-http: missing credentials for proxy authorization"),
            BackendError,
            "MODAL_EMBED_AUDIO_URL.*401.*missing credentials",
        ),
        (
            Answer(404, b"modal-http: app for invoked web endpoint is stopped"),
            BackendError,
            "MODAL_EMBED_AUDIO_URL.*404.*stopped",
        ),
    ],
)
def test_a_refused_window_is_the_tracks_problem_and_a_wrong_address_is_not(
    service: Host, answer: Answer, error: type[MoodSearchError], mentions: str
) -> None:
    service.on(AUDIO, answer)
    with pytest.raises(error, match=mentions) as raised:
        embedder(service).embed_audio(windows(1))
    assert "\n" not in str(raised.value)
    assert len(service.sent(AUDIO)) == 1


@pytest.mark.parametrize(("status", "body"), [(200, embedding(7)), (422, {"error": "too short"})])
def test_an_answer_of_another_model_is_not_used_for_anything(
    service: Host, status: int, body: object
) -> None:
    other = {FINGERPRINT_HEADER: "0123456789" * 6 + "abcd"}
    service.on(AUDIO, Answer(status, body, other))
    with pytest.raises(
        ConfigurationError, match=r"MODAL_EMBED_AUDIO_URL.*another model \(01234567\).*CLAP_MODEL"
    ) as raised:
        embedder(service).embed_audio(windows(1))
    assert "\n" not in str(raised.value)
    assert len(service.sent(AUDIO)) == 1


def test_an_answer_of_the_configured_model_says_so(service: Host) -> None:
    service.on(TEXT, Answer(200, embedding(7), {FINGERPRINT_HEADER: MODEL.fingerprint}))
    assert embedder(service).embed_text(["rain"])[0, 7] == 1


def test_a_refused_text_is_a_backend_error(service: Host) -> None:
    service.on(TEXT, Answer(422, {"error": "too long"}))
    with pytest.raises(BackendError, match="too long"):
        embedder(service).embed_text(["rain"])


def test_one_failure_ends_the_call_without_asking_for_the_rest(service: Host) -> None:
    service.on(TEXT, Answer(400, {"error": "no"}), Answer(200, embedding(0), delay_seconds=0.1))
    with pytest.raises(BackendError):
        embedder(service).embed_text(["rain"] * 100)
    assert len(service.sent(TEXT)) < 20


def test_a_service_that_is_too_slow_is_a_backend_error(service: Host) -> None:
    service.on(TEXT, Answer(200, embedding(0), delay_seconds=5))
    started = time.monotonic()
    with pytest.raises(BackendError, match="in time"):
        embedder(service, timeout_seconds=0.3).embed_text(["rain"])
    assert time.monotonic() - started < 2


def test_a_service_that_is_not_there_is_a_backend_error() -> None:
    with Host() as host:
        absent = host
    with pytest.raises(BackendError, match="ConnectError"):
        embedder(absent, timeout_seconds=1).embed_text(["rain"])


def test_audio_on_modal_does_not_need_text_on_modal(service: Host) -> None:
    model = ModalEmbedder(f"{service.url}/embed_audio", None, 10, MODEL)
    assert model.model == MODEL
    assert model.embed_audio(windows(1)).shape == (1, EMBEDDING_DIMENSION)
    with pytest.raises(ConfigurationError, match="MODAL_EMBED_TEXT_URL"):
        model.embed_text(["rain"])
    model.close()


def test_addresses_and_tokens_that_cannot_be_are_named_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="MODAL_EMBED_AUDIO_URL"):
        ModalEmbedder("https://host:port/", None, 10, MODEL)
    with pytest.raises(ConfigurationError, match="Modal-Secret") as raised:
        ModalEmbedder("https://x/", None, 10, MODEL, proxy_auth=("wk-key", "ws-secret\n"))
    assert "ws-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("²", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
        ("Mon, 01 Jan 0001 00:00:00 +1200", 0),
        ("9" * 20, 86_400),
        ("9" * 400, 86_400),
    ],
)
def test_retry_after_is_understood_as_seconds_or_as_a_date(
    value: str, seconds: float | None
) -> None:
    assert (
        retry_after_seconds(httpx.Headers([(b"Retry-After", value.encode("latin-1"))])) == seconds
    )


def test_retry_after_in_milliseconds_comes_first() -> None:
    assert retry_after_seconds({"Retry-After-Ms": "20", "Retry-After": "7"}) == 0.02
    assert retry_after_seconds({"Retry-After-Ms": "9" * 20}) == 86_400


def test_a_pause_is_what_was_asked_for_up_to_the_longest() -> None:
    backoff = Backoff(first_seconds=0.01, longest_seconds=0.05)
    started = time.monotonic()
    assert backoff.pause(0, Deadline(10), asked_seconds=3600)
    assert 0.05 <= time.monotonic() - started < 1
    assert not backoff.pause(0, Deadline(0.04), asked_seconds=3600)


def test_every_request_that_reached_the_service_is_noted(service: Host) -> None:
    ledger = Ledger()
    model = embedder(service, ledger=ledger)
    service.on(AUDIO, Answer(503, {}), Answer(200, embedding(7), delay_seconds=0.05))
    model.embed_audio(windows(3))
    model.embed_text(["rain", "wind"])
    found = ledger.reading()
    assert found[Measure.MODAL_AUDIO_REQUESTS] == len(service.sent(AUDIO)) == 4
    assert found[Measure.MODAL_TEXT_REQUESTS] == 2
    assert found[Measure.MODAL_REQUEST_SECONDS] >= 3 * 0.05
    model.close()


def test_what_it_says_it_charges_for_is_what_embedding_audio_is_noted_by(service: Host) -> None:
    ledger = Ledger()
    model = embedder(service, ledger=ledger)
    model.embed_audio(windows(1))
    assert model.is_remote
    assert set(model.charges_for) == set(ledger.reading())
    model.close()


def test_a_request_that_nobody_waits_for_any_more_is_noted(service: Host) -> None:
    ledger = Ledger()
    service.on(TEXT, Answer(200, embedding(7), delay_seconds=5))
    with pytest.raises(BackendError):
        embedder(service, timeout_seconds=0.3, ledger=ledger).embed_text(["rain"])
    assert ledger.reading()[Measure.MODAL_TEXT_REQUESTS] == 1


def test_a_request_that_never_arrived_is_not_noted() -> None:
    ledger = Ledger()
    nowhere = "http://127.0.0.1:1/"
    with pytest.raises(BackendError):
        ModalEmbedder(nowhere, nowhere, 0.3, MODEL, ledger=ledger).embed_text(["rain"])
    assert ledger.reading() == {}
