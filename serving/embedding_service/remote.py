"""Somebody's audio file behind a web address, as a file: only what is read is fetched."""

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from typing import BinaryIO, Final, TypeVar, cast

import httpcore
import httpx

from resources.object_store.ranges import BLOCK_BYTES, RangeReader
from resources.web.deadline import Deadline
from serving.embedding_service.addresses import MayReach
from serving.embedding_service.limits import Limits, readable_size
from serving.embedding_service.network import CheckedNetwork
from serving.embedding_service.refusal import RefusalError, SourceError
from serving.embedding_service.web import RemoteResponse, checked, get

ATTEMPTS: Final = 3
"""Of each request, when a host breaks off or fails."""

PAUSE_SECONDS: Final = 0.2

T = TypeVar("T")


class RemoteFiles:
    """Opens audio files on other hosts. Safe to call from several threads."""

    def __init__(self, limits: Limits, may_reach: MayReach) -> None:
        self._limits = limits
        self._may_reach = may_reach
        self._resolvers = ThreadPoolExecutor(limits.fetches, thread_name_prefix="resolve")
        self._ssl_context = httpcore.default_ssl_context()

    @contextmanager
    def open(self, address: str) -> Iterator[BinaryIO]:
        """A seekable file of what is at `address` (http or https).

        Fetched by ranges where the host can, else whole into a temporary file. Raises
        `RefusalError`, also while the file is read: 422 for an address that is not allowed or has
        no file, 413 for too much data, 424 for a host that failed or a file that changed, 504 for a
        slow one.
        """
        url = checked(address)
        deadline = Deadline(self._limits.fetch_seconds)
        network = CheckedNetwork(self._may_reach, self._resolvers)
        with (
            deadline.bounds(),
            httpcore.ConnectionPool(
                self._ssl_context, max_connections=1, network_backend=network
            ) as pool,
            closing(_RemoteFile(pool, url, self._limits, deadline).opened()) as file,
        ):
            yield file


class _RemoteFile:
    """One file while it is read. Its `_version` and `_size` must stay what they were at first."""

    def __init__(
        self, pool: httpcore.ConnectionPool, url: httpx.URL, limits: Limits, deadline: Deadline
    ) -> None:
        self._pool = pool
        self._url = url
        self._limits = limits
        self._deadline = deadline
        self._allowance = limits.fetched_bytes
        self._version: str | None = None
        self._size = 0

    def opened(self) -> BinaryIO:
        return self._persistently(self._open)

    def _open(self) -> BinaryIO:
        with self._get(_range(0, BLOCK_BYTES - 1)) as answer:
            self._url, self._version = answer.url, answer.version
            part = answer.part
            if part is not None and part[:2] == (0, min(BLOCK_BYTES, part[2]) - 1):
                self._size = part[2]
                return self._by_ranges(self._exactly(answer, part[1] + 1))
            if answer.status == 200:
                return self._downloaded(answer)
            if answer.status == 416 and answer.headers.get("Content-Range") == "bytes */0":
                return io.BytesIO()
            if answer.status != 206:
                raise answer.failure()
        # A part that does not say of what, or not the part that was asked for: no ranges then.
        with self._get({}) as answer:
            if answer.status != 200:
                raise answer.failure()
            return self._downloaded(answer)

    def _by_ranges(self, head: bytes) -> BinaryIO:
        def fetch(first: int, last: int) -> bytes:
            if last < len(head):
                return head[first : last + 1]
            return self._persistently(lambda: self._fetch(first, last))

        return cast(BinaryIO, io.BufferedReader(RangeReader(self._size, fetch)))

    def _fetch(self, first: int, last: int) -> bytes:
        headers = _range(first, last)
        if self._version is not None and self._version.startswith('"'):  # a strong ETag
            headers["If-Match"] = self._version
        with self._get(headers) as answer:
            ok = answer.status in (200, 206)
            if answer.status == 412 or (ok and answer.version != self._version):
                raise RefusalError(424, f"the file on {answer.url.host} changed while it was read")
            if not ok:
                raise answer.failure()
            if answer.part != (first, last, self._size):
                raise RefusalError(
                    422, f"{answer.url.host} answered with another range than asked for"
                )
            return self._exactly(answer, last - first + 1)

    def _downloaded(self, answer: RemoteResponse) -> BinaryIO:
        if (answer.announced_bytes or 0) > self._allowance:
            raise self._too_much()
        file = tempfile.TemporaryFile()  # noqa: SIM115 (returned open)
        try:
            for chunk in self._counted(answer):
                file.write(chunk)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return cast(BinaryIO, file)

    def _exactly(self, answer: RemoteResponse, size: int) -> bytes:
        data = bytearray()
        for chunk in self._counted(answer):
            data += chunk
            if len(data) > size:
                break
        if len(data) != size:
            raise RefusalError(422, f"{answer.url.host} sent more or less than it announced")
        return bytes(data)

    def _counted(self, answer: RemoteResponse) -> Iterator[bytes]:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RefusalError(422, f"{answer.url.host} sends the file compressed")
        for chunk in answer.chunks:
            self._allowance -= len(chunk)
            if self._allowance < 0:
                raise self._too_much()
            yield chunk

    def _too_much(self) -> RefusalError:
        limit = readable_size(self._limits.fetched_bytes)
        return RefusalError(413, f"hearing the file takes more than {limit} of it")

    def _get(self, headers: Mapping[str, str]) -> AbstractContextManager[RemoteResponse]:
        return get(self._pool, self._url, headers, self._limits.stall_seconds)

    def _persistently(self, attempt: Callable[[], T]) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return attempt()
            except SourceError:
                if not self._deadline.sleep(PAUSE_SECONDS):
                    raise
        return attempt()


def _range(first: int, last: int) -> dict[str, str]:
    return {"Range": f"bytes={first}-{last}"}
