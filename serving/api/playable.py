"""`GET /tracks/{track_id}/audio.wav`: the sound for players that do not know the file's format.

Browsers play no AIFF and no WMA, and some no ALAC. Nothing is stored: a part is decoded when it is
asked for, some hundred times as fast as it is heard.
"""

from collections.abc import Generator
from functools import partial
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from resources.audio.source import open_audio
from resources.audio.wav import WavShape, wav_bytes, wav_shape
from resources.backends import Backends
from resources.errors import TrackError
from resources.object_store.protocol import ObjectStore
from serving.api.audio import AUDIO_RESPONSES, public_audio, range_headers, version_of
from serving.api.models import Problem
from serving.api.parameters import TrackId
from serving.api.ranged import RangedFile

CONCURRENT_DECODERS: Final = 2
"""Pieces decoded at the same time: listeners wait for their turn, searches do not."""

CONCURRENT_OPENINGS: Final = 8
"""Files whose beginning is read at the same time, in threads of their own: a storage that hangs
holds up no other route."""

WAV_REQUESTS_FOR_A_SEARCH: Final = 5
"""As many as API_RATE_LIMIT_PER_MINUTE allows, times this: 600 a minute by default, a quarter of
them at once. They cost computing alone, a player sends one for each place that it seeks, and all
who share an address send theirs together."""

PIECE_BYTES: Final = 256 * 1024

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: response | ({"content": {"audio/wav": {}}} if status in {200, 206} else {})
    for status, response in AUDIO_RESPONSES.items()
    if status != 307
} | {415: {"model": Problem, "description": "The track's file is no audio that can be decoded."}}


def playable_routes(backends: Backends) -> APIRouter:
    router = APIRouter(tags=["tracks"])
    openings = CapacityLimiter(CONCURRENT_OPENINGS)
    decoders = CapacityLimiter(CONCURRENT_DECODERS)

    @router.head("/tracks/{track_id}/audio.wav", include_in_schema=False)
    @router.get(
        "/tracks/{track_id}/audio.wav",
        summary="Listen to a track as WAV",
        response_class=Response,
        responses=_RESPONSES,
        dependencies=[Depends(range_headers)],
    )
    async def playable(request: Request, track_id: TrackId) -> Response:
        """A public track's sound as 16-bit PCM with at most two channels, or one range of it."""
        file = await to_thread.run_sync(_wav_file, backends, track_id, decoders, limiter=openings)
        return file.answer(request)

    return router


def _wav_file(backends: Backends, track_id: int, decoders: CapacityLimiter) -> RangedFile:
    """Raises `HTTPException` 404 and 415."""
    try:
        with (
            public_audio(backends, track_id) as (file, key),
            backends.store.open(key) as source,
            open_audio(source) as audio,
        ):
            shape = wav_shape(audio)
    except TrackError as error:
        raise HTTPException(415, f"the track's file cannot be heard: {error}") from None
    read = partial(_pieces, backends.store, key, shape)
    return RangedFile(shape.size, "audio/wav", f"{version_of(file)}.wav", read, decoders)


def _pieces(
    store: ObjectStore, key: str, shape: WavShape, first: int, count: int
) -> Generator[bytes, None, None]:
    """At least `PIECE_BYTES` each but the last: a decoder's frame is a fiftieth of a second."""
    piece = bytearray()
    with store.open(key) as source, open_audio(source) as audio:
        for part in wav_bytes(audio, shape, first, count):
            piece += part
            if len(piece) >= PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        if piece:
            yield bytes(piece)
