"""Answers with a file, or the one part of it that was asked for (RFC 9110, section 14)."""

import re
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,20})-(\d{0,20})[ \t]*", re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(ValueError):
    """The range lies outside of the object."""


@dataclass(frozen=True)
class RangedFile:
    """`version` changes with the bytes. `read(first, count)` gives `count` bytes in pieces, each of
    which is waited for in a thread of `limiter`'s."""

    size: int
    media_type: str
    version: str
    read: Callable[[int, int], Generator[bytes, None, None]]
    limiter: CapacityLimiter

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
        content = _in_threads(self.read(first, last - first + 1), self.limiter)
        return StreamingResponse(content, status, headers, self.media_type)

    def _part(self, wanted: str | None) -> tuple[int, int] | None:
        try:
            return requested_range(wanted, self.size)
        except UnsatisfiableRangeError:
            headers = {"Content-Range": f"bytes */{self.size}"}
            raise HTTPException(416, "the file has no such part", headers) from None


async def _in_threads(
    pieces: Generator[bytes, None, None], limiter: CapacityLimiter
) -> AsyncIterator[bytes]:
    """Not in those that all routes share: a storage that hangs would take every one."""
    with closing(pieces):
        while piece := await to_thread.run_sync(next, pieces, b"", limiter=limiter):
            yield piece


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte, inclusive, of an object of `size` bytes; None for all of it.

    A header that is malformed, or asks for several ranges at once, counts as none: a server may
    ignore it. Raises `UnsatisfiableRangeError`.
    """
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or found.group(1) == found.group(2) == "":
        return None
    if found.group(1) == "":
        first, last = max(0, size - int(found.group(2))), size - 1
    else:
        first = int(found.group(1))
        last = int(found.group(2)) if found.group(2) else size - 1
        if last < first <= size - 1:
            return None
    if first >= size:
        raise UnsatisfiableRangeError
    return first, min(last, size - 1)
