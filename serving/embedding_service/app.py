"""The application: routes over a model that somebody else loaded."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, TypeVar

import numpy as np
from anyio import CapacityLimiter, to_thread
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.embedding.protocol import (
    EMBEDDING_DIMENSION,
    FINGERPRINT_HEADER,
    EmbeddingModel,
    Vector,
)
from resources.errors import BackendError, TrackError
from resources.web.http import excerpt
from serving.embedding_service.addresses import MayReach, is_public
from serving.embedding_service.limits import Limits
from serving.embedding_service.payload import parse_audio, parse_text, read_body
from serving.embedding_service.refusal import RefusalError
from serving.embedding_service.remote import RemoteFiles

RETRY_AFTER_SECONDS: Final = 1
"""What is asked of those who come when all places are taken."""

Samples = NDArray[np.float32]
T = TypeVar("T")


def create_embedding_service(
    model: EmbeddingModel, limits: Limits | None = None, *, may_reach: MayReach = is_public
) -> Starlette:
    """`POST /embed_audio`, `POST /embed_text` and `GET /healthz` over `model`.

    `may_reach`: the addresses to which an `audio_url` may lead. Every answer that is not 200 is
    `{"error": "..."}`, one line.
    """
    service = _Service(model, limits or Limits(), may_reach)
    return Starlette(
        routes=[
            Route("/embed_audio", service.embed_audio, methods=["POST"]),
            Route("/embed_text", service.embed_text, methods=["POST"]),
            Route("/healthz", service.healthz, methods=["GET"]),
        ],
        exception_handlers={
            RefusalError: _refused,
            TrackError: _unusable_audio,
            BackendError: _model_does_not_answer,
            HTTPException: _no_such_route,
            Exception: _our_mistake,
        },
    )


class _Service:
    """Routes take turns: a place for each request, a thread for those that fetch or compute.

    Those that wait for other hosts hold none of the threads that compute, and texts none of those
    of audio, so that a slow one does not hold up the rest.
    """

    def __init__(self, model: EmbeddingModel, limits: Limits, may_reach: MayReach) -> None:
        self._model = model
        self._limits = limits
        self._remote = RemoteFiles(limits, may_reach)
        self._audio_places = _Places(limits.audio_requests)
        self._text_places = _Places(limits.text_requests)
        self._fetching = CapacityLimiter(limits.fetches)
        self._computing = CapacityLimiter(limits.workers)
        self._reading = CapacityLimiter(limits.workers)

    async def embed_audio(self, request: Request) -> JSONResponse:
        limits = self._limits
        with self._audio_places.taken():
            body = await read_body(request, limits.audio_body_bytes, limits.body_seconds)
            audio = await _thread(self._computing, lambda: parse_audio(body))
            body.clear()  # the same again, in base64
            if isinstance(audio, str):
                samples = await _thread(self._fetching, lambda: self._heard_at(audio))
            else:
                samples = await _thread(self._computing, lambda: _heard(io.BytesIO(audio)))
            return self._answer(await _thread(self._computing, lambda: self._vector(samples)))

    async def embed_text(self, request: Request) -> JSONResponse:
        limits = self._limits
        with self._text_places.taken():
            body = await read_body(request, limits.text_body_bytes, limits.body_seconds)
            text = parse_text(body, limits.text_characters)
            (vector,) = await _thread(self._reading, lambda: self._model.embed_text([text]))
            return self._answer(vector)

    async def healthz(self, _request: Request) -> JSONResponse:
        """Which model's vectors to expect here; asks it nothing."""
        model = self._model.model
        return JSONResponse({"status": "ok", "model": model.id, "fingerprint": model.fingerprint})

    def _heard_at(self, address: str) -> Samples:
        with self._remote.open(address) as audio:
            return _heard(audio)

    def _vector(self, samples: Samples) -> Vector:
        return pool(self._model.embed_audio(samples))

    def _answer(self, vector: Vector) -> JSONResponse:
        return JSONResponse(
            {"embedding": vector.tolist(), "dimensions": EMBEDDING_DIMENSION},
            # Clients that expect another model's vectors refuse this one.
            headers={FINGERPRINT_HEADER: self._model.model.fingerprint},
        )


class _Places:
    """So many requests are answered at once: their bodies are in memory."""

    def __init__(self, count: int) -> None:
        self._free = count

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises `RefusalError` (503) when there is none. For one event loop."""
        if not self._free:
            raise RefusalError(503, "busy, try again", retry_after_seconds=RETRY_AFTER_SECONDS)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


def _heard(audio: BinaryIO) -> Samples:
    """The windows (n, 480000) that the pipeline hears of this file. Raises `TrackError`."""
    return decode_windows(audio, probe(audio)).samples


async def _thread(limiter: CapacityLimiter, call: Callable[[], T]) -> T:
    return await to_thread.run_sync(call, limiter=limiter)


def _error(status: int, message: str, retry_after_seconds: float | None = None) -> JSONResponse:
    headers = {} if retry_after_seconds is None else {"Retry-After": f"{retry_after_seconds:.0f}"}
    return JSONResponse({"error": excerpt(message)}, status, headers)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusalError)
    return _error(error.status, str(error), error.retry_after_seconds)


def _unusable_audio(_request: Request, error: Exception) -> JSONResponse:
    return _error(422, str(error))


def _model_does_not_answer(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BackendError)
    return _error(503, str(error), error.retry_after_seconds)


def _no_such_route(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = _error(error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _our_mistake(_request: Request, _mistake: Exception) -> JSONResponse:
    """The server logs the error itself."""
    return _error(500, "the service made a mistake; its log says which")
