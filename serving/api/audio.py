"""`GET /tracks/{track_id}/audio`: the sound itself, for a player that seeks."""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from resources.backends import Backends
from resources.catalogue.audio_files import AudioFile
from resources.errors import ObjectNotFoundError
from resources.object_store.protocol import ObjectStore
from resources.settings import Settings
from serving.api.byte_ranges import UnsatisfiableRangeError, requested_range
from serving.api.models import Problem
from serving.api.parameters import TrackId

CHUNK_BYTES: Final = 256 * 1024

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

_RESPONSES: Final = {
    200: {"content": {"audio/*": {}}, "description": "The whole file."},
    206: {"content": {"audio/*": {}}, "description": "The part that was asked for."},
    304: {"description": "The file is the one that `If-None-Match` names."},
    307: {"description": "Where the file is, in an object storage that listeners may ask."},
    404: {"model": Problem, "description": "No public track has this id, or its file is missing."},
    416: {"model": Problem, "description": "The file has no such part."},
    503: {"model": Problem, "description": "The database or the storage does not answer."},
}


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

    @router.head("/tracks/{track_id}/audio", include_in_schema=False)
    @router.get(
        "/tracks/{track_id}/audio",
        summary="Listen to a track",
        response_class=Response,
        responses=_RESPONSES,  # type: ignore[arg-type]
    )
    def audio(
        request: Request,
        track_id: TrackId,
        range_: Annotated[str | None, Header(alias="Range", examples=["bytes=0-65535"])] = None,
        if_range: Annotated[str | None, Header()] = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """A public track's file, or one range of it; with audio in S3, a redirect to it."""
        file = backends.tracks.audio(track_id)
        if file is None:
            raise HTTPException(404, "no public track has this id")
        key = backends.audio_key(file)
        try:
            url = backends.store.url(key)
            if url is not None:
                # A presigned address ends; the next request gets another one.
                return RedirectResponse(url, 307, headers={"Cache-Control": "no-store"})
            size = backends.store.size(key)
        except ObjectNotFoundError:
            raise HTTPException(404, "the track's file is missing") from None
        headers = _headers(file)
        if if_none_match is not None and headers["ETag"] in if_none_match:
            return Response(status_code=304, headers=headers)
        wanted = range_ if if_range in {None, headers["ETag"]} else None
        answer = _answer(backends.store, key, size, wanted, media_type(file.file_type), headers)
        if request.method == "HEAD":
            # The server would read the whole file, to throw it away.
            return Response(status_code=answer.status_code, headers=dict(answer.headers))
        return answer

    return router


def _headers(file: AudioFile) -> dict[str, str]:
    # The file id changes with the bytes. It is the app's, so it may hold what a header may not.
    version = hashlib.sha256(f"{file.file_id}.{file.file_type}".encode()).hexdigest()[:32]
    # Asked again each time: a track may become private.
    return {"ETag": f'"{version}"', "Accept-Ranges": "bytes", "Cache-Control": "no-cache"}


def _answer(
    store: ObjectStore,
    key: str,
    size: int,
    wanted: str | None,
    content_type: str,
    headers: dict[str, str],
) -> Response:
    try:
        part = requested_range(wanted, size)
    except UnsatisfiableRangeError:
        headers = {"Content-Range": f"bytes */{size}"}
        raise HTTPException(416, "the file has no such part", headers) from None
    first, last = part or (0, size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(
        _bytes(store, key, first, last - first + 1),
        status_code=200 if part is None else 206,
        media_type=content_type,
        headers=headers,
    )


def _bytes(store: ObjectStore, key: str, first: int, count: int) -> Iterator[bytes]:
    with store.open(key) as file:
        file.seek(first)
        while count > 0 and (chunk := file.read(min(count, CHUNK_BYTES))):
            count -= len(chunk)
            yield chunk
