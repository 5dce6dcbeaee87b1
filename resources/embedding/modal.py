"""A CLAP model behind the HTTP service that runs on Modal."""

import base64
import io
import json
import math
from collections.abc import Sequence
from functools import partial
from typing import Final, NoReturn

import av
import httpx
import numpy as np
from numpy.typing import NDArray

from resources.audio.windows import SAMPLE_RATE, WINDOW_SAMPLES
from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.embedding.modal_client import Answer, Endpoint, MakeContent, open_modal_client
from resources.embedding.protocol import (
    EMBEDDING_DIMENSION,
    FINGERPRINT_HEADER,
    ModelDescription,
    Vector,
)
from resources.errors import BackendError, ConfigurationError, RefusedTrackError
from resources.web.deadline import Deadline
from resources.web.event_loop import EventLoopThread
from resources.web.http import ABOUT_THE_INPUT, Backoff, excerpt, printable_secret

MAX_NORM_ERROR: Final = 0.05
"""Further from length 1 is not the rounding of a normalised vector but something else."""

FULL_SCALE: Final = 32768
"""What decoders divide 16-bit samples by."""


class ModalEmbedder:
    """One request for each window or text, up to `concurrency` at a time over all callers.

    `timeout_seconds` is for each call: waiting for earlier ones, attempts and redirects included.
    `description` says which model the service runs. `proxy_auth`: key and secret of a Modal proxy
    auth token, where the endpoints require one. Requests are noted in `ledger`. Raises
    `ConfigurationError` for what cannot be a URL or a token.
    """

    is_remote = True
    charges_for = (Measure.MODAL_AUDIO_REQUESTS, Measure.MODAL_REQUEST_SECONDS)

    def __init__(
        self,
        embed_audio_url: str,
        embed_text_url: str | None,
        timeout_seconds: float,
        description: ModelDescription,
        *,
        proxy_auth: tuple[str, str] | None = None,
        concurrency: int = 8,
        backoff: Backoff | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._audio = _endpoint(embed_audio_url, "MODAL_EMBED_AUDIO_URL", RefusedTrackError)
        self._text = None
        if embed_text_url is not None:
            self._text = _endpoint(embed_text_url, "MODAL_EMBED_TEXT_URL", BackendError)
        self._timeout_seconds = timeout_seconds
        self.model = description
        self._ledger = ledger or Ledger()
        self._client = EventLoopThread(
            "The embedding service's client",
            partial(
                open_modal_client,
                _proxy_headers(proxy_auth),
                concurrency,
                backoff or Backoff(),
                self._note_request,
            ),
        )

    def close(self) -> None:
        """Idempotent. Calls that are not done end with `BackendError`, as do later ones."""
        self._client.close()

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """See the protocol. Raises `RefusedTrackError`, too: with the reason for which the service
        refuses a window; and `ConfigurationError` when the service runs another model."""
        if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:
            raise ValueError(f"windows must be (n, {WINDOW_SAMPLES}), not {windows.shape}")
        return self._embed(self._audio, [partial(_audio_content, window) for window in windows])

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the protocol. Raises `ConfigurationError` without a text endpoint, and when the
        service runs another model."""
        if self._text is None:
            raise ConfigurationError("MODAL_EMBED_TEXT_URL must be set to embed text on Modal")
        return self._embed(self._text, [partial(_text_content, text) for text in texts])

    def _note_request(self, endpoint: Endpoint, began: float, ended: float) -> None:
        is_audio = endpoint is self._audio
        measure = Measure.MODAL_AUDIO_REQUESTS if is_audio else Measure.MODAL_TEXT_REQUESTS
        self._ledger.add_modal_request(measure, began, ended)

    def _embed(self, endpoint: Endpoint, contents: Sequence[MakeContent]) -> NDArray[np.float32]:
        """(contents, 512)."""
        if not contents:
            return np.empty((0, EMBEDDING_DIMENSION), np.float32)
        deadline = Deadline(self._timeout_seconds)

        def read(answer: Answer) -> Vector:
            return vector_in(answer, endpoint, self.model)

        return np.stack(
            self._client.run(lambda client: client.post_all(endpoint, contents, read, deadline))
        )


def encode_flac(samples: NDArray[np.float32]) -> bytes:
    """A file: lossless for 16-bit audio, and smaller than WAV. `samples`: (n,) mono, 48 kHz, in
    [-1, 1]; clipped and rounded to 16 bits."""
    integers = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    frame = av.AudioFrame.from_ndarray(
        integers.astype(np.int16)[np.newaxis], format="s16", layout="mono"
    )
    frame.sample_rate = SAMPLE_RATE
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _audio_content(window: NDArray[np.float32]) -> bytes:
    return json.dumps({"audio_b64": base64.b64encode(encode_flac(window)).decode("ascii")}).encode()


def _text_content(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


def vector_in(answer: Answer, endpoint: Endpoint, model: ModelDescription) -> Vector:
    """The vector (512,) of length 1 in the service's answer.

    Raises `ConfigurationError` for another model's answer, the endpoint's refusal for an input that
    the service does not take, and `BackendError` for everything else that is no vector.
    """
    response, body = answer
    fingerprint = response.headers.get(FINGERPRINT_HEADER)
    if fingerprint is not None and fingerprint.strip() != model.fingerprint:
        raise ConfigurationError(
            f"{endpoint.variable}: {endpoint.url.host} runs another model"
            f" ({excerpt(fingerprint)[:8]}) than CLAP_MODEL and CLAP_PRECISION say here"
            f" ({model.id}, {model.fingerprint[:8]}); deploy the service again or change these"
        )
    if response.status_code != 200:
        _refuse(endpoint, response.status_code, body)
    host = endpoint.url.host
    try:
        embedding = json.loads(body)["embedding"]
        if not {int, float}.issuperset(map(type, embedding)):
            raise TypeError("not numbers")
        vector = np.array(embedding, dtype=np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise BackendError(f"{host} answered without an embedding") from None
    if vector.shape != (EMBEDDING_DIMENSION,):
        raise BackendError(f"{host} answered {vector.size} dimensions, not {EMBEDDING_DIMENSION}")
    length = float(np.linalg.norm(vector))
    if not math.isfinite(length) or abs(length - 1) > MAX_NORM_ERROR:
        raise BackendError(f"{host} answered a vector of length {length:.3g}, not 1")
    unit: Vector = (vector / length).astype(np.float32)
    return unit


def _refuse(endpoint: Endpoint, status: int, body: bytes) -> NoReturn:
    reason = excerpt(_error_in(body) or "no reason given")
    if status in ABOUT_THE_INPUT:
        raise endpoint.refusal(f"The embedding service refused the input: {reason}")
    raise BackendError(f"{endpoint.variable}: {endpoint.url.host} answered {status}: {reason}")


def _error_in(body: bytes) -> str:
    """The service's `error`; or the text, since Modal's own refusals are not JSON."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return body.decode(errors="replace")


def _endpoint(url: str, variable: str, refusal: type[RefusedTrackError | BackendError]) -> Endpoint:
    try:
        return Endpoint(httpx.URL(url), variable, refusal)
    except httpx.InvalidURL:
        raise ConfigurationError(f"{variable} is not a usable web address") from None


def _proxy_headers(proxy_auth: tuple[str, str] | None) -> dict[str, str]:
    if proxy_auth is None:
        return {}
    names = ("Modal-Key", "Modal-Secret")
    return {
        name: printable_secret(name, value) for name, value in zip(names, proxy_auth, strict=True)
    }
