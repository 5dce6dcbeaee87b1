"""The application: routes over a model that somebody else loaded."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import numpy as np
from anyio import CapacityLimiter, WouldBlock
from anyio.to_thread import run_sync
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


def create_embedding_service(
    model: EmbeddingModel, limits: Limits | None = None, *, may_reach: MayReach = is_public
) -> Starlette:
    """`POST /embed_audio`, `POST /embed_text` and `GET /healthz` over `model`.

    `may_reach`: the addresses to which an `audio_url` may lead. Every answer that is not 200 is
    `{"error": "..."}`, one line.
    """
    service = _Service(model, limits or Limits(), may_reach)
    app = Starlette(
        routes=[
            Route("/embed_audio", service.embed_audio, methods=["POST"]),
            Route("/embed_text", service.embed_text, methods=["POST"]),
            Route("/healthz", service.healthz, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys(
            (RefusalError, TrackError, BackendError, HTTPException, Exception), _answer_to
        ),
    )
    # A redirect would lead to whatever host the caller named.
    app.router.redirect_slashes = False
    return app


class _Service:
    """Routes take turns: a place for each request, a thread for those that fetch or compute.

    Those that wait for other hosts hold none of the threads that compute, and texts none of those
    of audio, so that a slow one does not hold up the rest.
    """

    def __init__(self, model: EmbeddingModel, limits: Limits, may_reach: MayReach) -> None:
        self._model = model
        self._limits = limits
        self._remote = RemoteFiles(limits, may_reach)
        self._audio_places = CapacityLimiter(limits.audio_requests)
        self._text_places = CapacityLimiter(limits.text_requests)
        self._fetching = CapacityLimiter(limits.fetches)
        self._computing = CapacityLimiter(limits.workers)
        self._reading = CapacityLimiter(limits.workers)

    async def embed_audio(self, request: Request) -> JSONResponse:
        limits = self._limits
        with _place(self._audio_places):
            body = await read_body(request, limits.audio_body_bytes, limits.body_seconds)
            audio = await run_sync(parse_audio, body, limiter=self._computing)
            body.clear()  # the same again, in base64
            if isinstance(audio, str):
                samples = await run_sync(self._heard_at, audio, limiter=self._fetching)
            else:
                samples = await run_sync(_heard, io.BytesIO(audio), limiter=self._computing)
            return self._answer(await run_sync(self._vector, samples, limiter=self._computing))

    async def embed_text(self, request: Request) -> JSONResponse:
        limits = self._limits
        with _place(self._text_places):
            body = await read_body(request, limits.text_body_bytes, limits.body_seconds)
            text = parse_text(body, limits.text_characters)
            (vector,) = await run_sync(self._model.embed_text, [text], limiter=self._reading)
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


@contextmanager
def _place(places: CapacityLimiter) -> Iterator[None]:
    """One of the requests answered at once: their bodies are in memory. Raises `RefusalError` (503)
    when all places are taken."""
    request = object()
    try:
        places.acquire_on_behalf_of_nowait(request)
    except WouldBlock:
        raise RefusalError(503, "busy, try again", RETRY_AFTER_SECONDS) from None
    try:
        yield
    finally:
        places.release_on_behalf_of(request)


def _heard(audio: BinaryIO) -> Samples:
    """The windows (n, 480000) that the pipeline hears of this file. Raises `TrackError`."""
    return decode_windows(audio, probe(audio)).samples


def _answer_to(_request: Request, error: Exception) -> JSONResponse:
    message, headers = str(error), {}
    match error:
        case RefusalError():
            status = error.status
        case TrackError():
            status = 422
        case BackendError():
            status = 503
        case HTTPException():  # no such route
            status, message, headers = error.status_code, error.detail, dict(error.headers or {})
        case _:  # the server logs it
            status, message = 500, "the service made a mistake; its log says which"
    if isinstance(error, RefusalError | BackendError) and error.retry_after_seconds is not None:
        headers["Retry-After"] = f"{error.retry_after_seconds:.0f}"
    return JSONResponse({"error": excerpt(message)}, status, headers)
