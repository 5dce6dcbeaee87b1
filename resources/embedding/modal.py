"""A CLAP model behind the HTTP service that runs on Modal."""

import base64
import itertools
import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, NoReturn

import httpx
import numpy as np
from numpy.typing import NDArray

from resources.embedding.flac import encode_flac
from resources.embedding.protocol import EMBEDDING_DIMENSION, WINDOW_SAMPLES, ModelDescription
from resources.errors import BackendError, ConfigurationError, TrackError
from resources.http import (
    PASSING_ERRORS,
    PASSING_STATUSES,
    Backoff,
    Deadline,
    one_line,
    printable_secret,
    read_bounded,
    retry_after_seconds,
    streamed,
)

MAX_REDIRECTS: Final = 20
"""Modal answers 303 when a request has taken 150 s, and again for each further 150 s."""

MAX_ANSWER_BYTES: Final = 1 << 20
"""512 numbers in JSON are about 12 KB."""

MAX_NORM_ERROR: Final = 0.05
"""Further from length 1 is not the rounding of a normalised vector but something else."""

_ABOUT_THE_INPUT: Final = frozenset({400, 413, 415, 422})
"""The rest of 4xx, such as a 404 for an app that was stopped, is no fault of the audio's."""

Payload = Callable[[], dict[str, str]]


@dataclass(frozen=True)
class Endpoint:
    """`variable`: the setting that the URL comes from, to be named when it does not work."""

    url: httpx.URL
    variable: str
    refusal: type[TrackError | BackendError]


class ModalEmbedder:
    """One request for each window or text, up to `concurrency` at a time over all callers.

    `timeout_seconds` is for each of them, attempts and redirects included. `description` says which
    model the service runs. `proxy_auth`: key and secret of a Modal proxy auth token, where the
    endpoints require one. Raises `ConfigurationError` for what cannot be a URL or a token.
    """

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
    ) -> None:
        self._audio = _endpoint(embed_audio_url, "MODAL_EMBED_AUDIO_URL", TrackError)
        self._text = (
            _endpoint(embed_text_url, "MODAL_EMBED_TEXT_URL", BackendError)
            if embed_text_url
            else None
        )
        self._timeout_seconds = timeout_seconds
        self._description = description
        self._backoff = backoff or Backoff()
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="modal")
        self._client = httpx.Client(
            headers=_proxy_headers(proxy_auth),
            limits=httpx.Limits(max_connections=concurrency),
        )

    @property
    def model(self) -> ModelDescription:
        return self._description

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """See the protocol. Raises `TrackError`, too: with the reason for which the service refuses
        a window."""
        if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:
            raise ValueError(f"windows must be (n, {WINDOW_SAMPLES}), not {windows.shape}")

        def payload(window: NDArray[np.float32]) -> Payload:
            return lambda: {"audio_b64": base64.b64encode(encode_flac(window)).decode("ascii")}

        return self._embed_all(self._audio, [payload(window) for window in windows])

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the protocol. Raises `ConfigurationError` without a text endpoint."""
        if self._text is None:
            raise ConfigurationError("MODAL_EMBED_TEXT_URL must be set to embed text on Modal")

        def payload(text: str) -> Payload:
            return lambda: {"text": text}

        return self._embed_all(self._text, [payload(text) for text in texts])

    def _embed_all(self, endpoint: Endpoint, payloads: Sequence[Payload]) -> NDArray[np.float32]:
        """(payloads, 512). Payloads are made when their turn comes, so that few are in memory."""
        futures = [self._threads.submit(self._embed, endpoint, payload) for payload in payloads]
        try:
            done = wait(futures, return_when=FIRST_EXCEPTION).done
        finally:
            # One failure decides the call; the rest of it need not wait for its own.
            for future in futures:
                future.cancel()
        for future in done:
            future.result()
        vectors = [future.result() for future in futures]
        return np.array(vectors, dtype=np.float32).reshape(-1, EMBEDDING_DIMENSION)

    def _embed(self, endpoint: Endpoint, payload: Payload) -> NDArray[np.float32]:
        deadline = Deadline(self._timeout_seconds)
        content = json.dumps(payload()).encode()
        for attempt in itertools.count():
            asked_seconds = None
            try:
                status, headers, body = self._exchange(endpoint, content, deadline)
            except PASSING_ERRORS as error:
                reason = type(error).__name__
            except httpx.HTTPError as error:
                raise BackendError(f"{endpoint.variable}: {type(error).__name__}") from error
            else:
                if status == 200:
                    return parse_embedding(body, endpoint.url.host)
                if status not in PASSING_STATUSES:
                    _refuse(endpoint, status, body)
                reason = f"answered {status}"
                asked_seconds = retry_after_seconds(headers)
            if not self._backoff.pause(attempt, deadline, asked_seconds):
                raise BackendError(
                    f"The embedding service {endpoint.url.host} gave no vector in time ({reason})",
                    retry_after_seconds=asked_seconds,
                )
        raise AssertionError("unreachable")

    def _exchange(
        self, endpoint: Endpoint, content: bytes, deadline: Deadline
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body of the answer behind Modal's redirects."""
        request = self._client.build_request(
            "POST", endpoint.url, content=content, headers={"Content-Type": "application/json"}
        )
        for _ in range(MAX_REDIRECTS + 1):
            with streamed(self._client, request, deadline) as response:
                following = response.next_request
                if following is None:
                    body = read_bounded(response, MAX_ANSWER_BYTES, deadline)
                    return response.status_code, response.headers, body
            # The proxy token must not reach anyone else.
            if _origin(following.url) != _origin(endpoint.url):
                raise BackendError(f"{endpoint.variable}: redirects to {following.url.host}")
            request = following
        raise BackendError(f"{endpoint.variable}: more than {MAX_REDIRECTS} redirects")


def parse_embedding(body: bytes, host: str) -> NDArray[np.float32]:
    """The vector (512,) of length 1 in a service's answer; `BackendError` if there is none."""
    try:
        embedding = json.loads(body)["embedding"]
        if not all(isinstance(value, int | float) for value in embedding):
            raise TypeError("not numbers")
        vector = np.array(embedding, dtype=np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise BackendError(f"{host} answered without an embedding") from None
    if vector.shape != (EMBEDDING_DIMENSION,):
        raise BackendError(f"{host} answered {vector.size} dimensions, not {EMBEDDING_DIMENSION}")
    length = float(np.linalg.norm(vector))
    if not math.isfinite(length) or abs(length - 1) > MAX_NORM_ERROR:
        raise BackendError(f"{host} answered a vector of length {length:.3g}, not 1")
    unit: NDArray[np.float32] = (vector / length).astype(np.float32)
    return unit


def _refuse(endpoint: Endpoint, status: int, body: bytes) -> NoReturn:
    reason = one_line(_error_in(body) or "no reason given")
    if status in _ABOUT_THE_INPUT:
        raise endpoint.refusal(f"The embedding service refused the input: {reason}")
    raise BackendError(f"{endpoint.variable}: {endpoint.url.host} answered {status}: {reason}")


def _error_in(body: bytes) -> str:
    """The service's `error`; or the text, since Modal's own refusals are not JSON."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return body.decode(errors="replace")


def _endpoint(url: str, variable: str, refusal: type[TrackError | BackendError]) -> Endpoint:
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


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
