"""Answers with a file, or the one part of it that was asked for."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from serving.api.byte_ranges import UnsatisfiableRangeError, requested_range


@dataclass(frozen=True)
class RangedFile:
    """`version` changes with the bytes. `read(first, count)` gives `count` bytes in pieces."""

    size: int
    media_type: str
    version: str
    read: Callable[[int, int], Iterator[bytes] | AsyncIterator[bytes]]

    def answer(self, request: Request) -> Response:
        """To a GET or HEAD request with what it says of ranges and versions.

        Raises `HTTPException` 416 when the file has no such part.
        """
        asked: Mapping[str, str] = request.headers
        etag = f'"{self.version}"'
        # Asked again each time: a track may become private.
        headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "no-cache"}
        if etag in asked.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        wanted = asked.get("Range") if asked.get("If-Range", etag) == etag else None
        part = self._part(wanted)
        first, last = part or (0, self.size - 1)
        headers["Content-Length"] = str(last - first + 1)
        if part is not None:
            headers["Content-Range"] = f"bytes {first}-{last}/{self.size}"
        status = 200 if part is None else 206
        if request.method == "HEAD":
            # The server would read the whole file, to throw it away.
            headers["Content-Type"] = self.media_type
            return Response(status_code=status, headers=headers)
        content = self.read(first, last - first + 1)
        return StreamingResponse(content, status, headers, self.media_type)

    def _part(self, wanted: str | None) -> tuple[int, int] | None:
        try:
            return requested_range(wanted, self.size)
        except UnsatisfiableRangeError:
            headers = {"Content-Range": f"bytes */{self.size}"}
            raise HTTPException(416, "the file has no such part", headers) from None
