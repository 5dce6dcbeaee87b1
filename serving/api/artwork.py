"""`GET /tracks/{track_id}/artwork/{name}`: the cover of a track that `moodsearch add` imported."""

from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Path, Request, Response

from resources.audio.artwork import MOST_BYTES, PICTURE_TYPES, picture_key
from resources.backends import Backends
from resources.catalogue.tracks.uploads import artwork_path
from resources.errors import ObjectNotFoundError
from serving.api.models import Problem
from serving.api.parameters import TrackId

CONCURRENT_READS: Final = 16
"""Covers, of up to 5 MB, that are read at the same moment, in threads of their own: a storage that
hangs holds up no other route."""

Name = Annotated[
    str,
    Path(
        pattern=rf"^[0-9a-f]{{32}}\.({'|'.join(PICTURE_TYPES)})$",
        examples=["0123456789abcdef0123456789abcdef.jpg"],
    ),
]

_PICTURES: Final[dict[str, dict[str, str]]] = {kind: {} for kind in PICTURE_TYPES.values()}


def artwork_routes(backends: Backends) -> APIRouter:
    router = APIRouter(tags=["tracks"])
    limiter = CapacityLimiter(CONCURRENT_READS)

    @router.get(
        "/tracks/{track_id}/artwork/{name}",
        summary="See a track's cover",
        response_class=Response,
        responses={
            200: {"content": _PICTURES, "description": "The picture."},
            304: {"description": "The picture is the one that `If-None-Match` names."},
            404: {"model": Problem, "description": "No public track has this cover."},
            503: {"model": Problem, "description": "The database or the storage does not answer."},
        },
    )
    async def artwork(request: Request, track_id: TrackId, name: Name) -> Response:
        """What `image_url` names where the catalogue is this program's own."""
        return await to_thread.run_sync(_answer, backends, request, track_id, name, limiter=limiter)

    return router


def _answer(backends: Backends, request: Request, track_id: int, name: str) -> Response:
    """Raises `HTTPException` 404."""
    track = backends.tracks.public([track_id]).get(track_id)
    if track is None or track.image_url != artwork_path(track_id, name):
        raise HTTPException(404, "no public track has this cover")
    # Asked again each time: a track may become private.
    headers = {"ETag": f'"{name}"', "Cache-Control": "no-cache"}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(_picture(backends, name), 200, headers, PICTURE_TYPES[name.split(".")[1]])


def _picture(backends: Backends, name: str) -> bytes:
    """At most 5 MB. Raises `HTTPException` 404."""
    try:
        with backends.store.open(picture_key(name)) as file:
            return file.read(MOST_BYTES)
    except ObjectNotFoundError:
        raise HTTPException(404, "the track's cover is missing") from None
