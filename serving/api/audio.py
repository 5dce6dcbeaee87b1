"""`GET /tracks/{track_id}/audio`: the sound itself, for a player that seeks."""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from resources.backends import Backends
from resources.catalogue.tracks.audio_files import AudioFile
from resources.errors import ObjectNotFoundError
from resources.object_store.protocol import ObjectStore
from resources.settings import Settings
from serving.api.models import Problem
from serving.api.parameters import TrackId
from serving.api.ranged import RangedFile

CHUNK_BYTES: Final = 256 * 1024

CONCURRENT_READS: Final = 16
"""Listeners who wait for the storage at the same moment. They have threads of their own: a storage
that hangs holds up no other route."""

_MEDIA_TYPES: Final = {
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp2": "audio/mpeg",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "webm": "audio/webm",
}
"""By file type. Nothing else is called anything that a browser would open by itself."""

AUDIO_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"audio/*": {}}, "description": "The whole file."},
    206: {"content": {"audio/*": {}}, "description": "The part that was asked for."},
    304: {"description": "The file is the one that `If-None-Match` names."},
    307: {"description": "Where the file is, in an object storage that listeners may ask."},
    404: {"model": Problem, "description": "No public track has this id, or its file is missing."},
    416: {"model": Problem, "description": "The file has no such part."},
    503: {"model": Problem, "description": "The database or the storage does not answer."},
}


async def range_headers(
    _range: Annotated[str | None, Header(alias="Range", examples=["bytes=0-65535"])] = None,
    _if_range: Annotated[str | None, Header(alias="If-Range")] = None,
    _if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> None:
    """For the API's document; `RangedFile` reads them."""


def audio_origins(settings: Settings) -> tuple[str, ...]:
    """Other hosts that the audio is redirected to, as origins."""
    if not settings.uses_r2:
        return ()
    url = urlsplit(settings.r2_public_bucket_url or settings.r2_endpoint_url or "")
    return (f"{url.scheme}://{url.netloc.rpartition('@')[2]}",)


def media_type(file_type: str) -> str:
    return _MEDIA_TYPES.get(file_type.lower().lstrip("."), "application/octet-stream")


def audio_routes(backends: Backends) -> APIRouter:
    router = APIRouter(tags=["tracks"])
    limiter = CapacityLimiter(CONCURRENT_READS)

    @router.head("/tracks/{track_id}/audio", include_in_schema=False)
    @router.get(
        "/tracks/{track_id}/audio",
        summary="Listen to a track",
        response_class=Response,
        responses=AUDIO_RESPONSES,
        dependencies=[Depends(range_headers)],
    )
    async def audio(request: Request, track_id: TrackId) -> Response:
        """A public track's file, or one range of it; with audio in S3, a redirect to it."""
        found = await to_thread.run_sync(_find, backends, track_id, limiter, limiter=limiter)
        if isinstance(found, RangedFile):
            return found.answer(request)
        # A presigned address ends; the next request gets another one.
        return RedirectResponse(found, 307, headers={"Cache-Control": "no-store"})

    return router


@contextmanager
def public_audio(backends: Backends, track_id: int) -> Iterator[tuple[AudioFile, str]]:
    """A public track's file and its key, to be looked at inside. Raises `HTTPException` 404 where
    there is no such track, or no such file."""
    file = backends.tracks.audio(track_id)
    if file is None:
        raise HTTPException(404, "no public track has this id")
    try:
        yield file, backends.audio_key(file)
    except ObjectNotFoundError:
        raise HTTPException(404, "the track's file is missing") from None


def _find(backends: Backends, track_id: int, limiter: CapacityLimiter) -> RangedFile | str:
    """The file, or the address where the listener gets it. Raises `HTTPException` 404."""
    with public_audio(backends, track_id) as (file, key):
        url = backends.store.url(key)
        if url is not None:
            return url
        size = backends.store.size(key)
    read = partial(_bytes, backends.store, key)
    return RangedFile(size, media_type(file.file_type), version_of(file), read, limiter)


def version_of(file: AudioFile) -> str:
    """Changes with the bytes. The file id is the app's, so it may hold what a header may not."""
    return hashlib.sha256(f"{file.file_id}.{file.file_type}".encode()).hexdigest()[:32]


def _bytes(store: ObjectStore, key: str, first: int, count: int) -> Generator[bytes, None, None]:
    with store.open(key) as file:
        file.seek(first)
        while count > 0 and (chunk := file.read(min(count, CHUNK_BYTES))):
            count -= len(chunk)
            yield chunk
