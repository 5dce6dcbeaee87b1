"""What every object store offers."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from errno import EIO
from pathlib import Path
from typing import BinaryIO, Protocol

from resources.errors import UserError


class ObjectStore(Protocol):
    """Whole objects under `/`-separated keys. Safe to use from threads.

    Every method raises `BackendError` when the store does not answer and `UserError` when it cannot
    be used as configured (no such bucket, access denied, disk full).
    """

    @property
    def is_remote(self) -> bool:
        """Whether reading mostly waits for a network, so that more readers than cores pay off."""

    def put(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, replacing what was there, atomically: a reader sees the old
        bytes or the new ones, never a part."""

    def put_file(self, key: str, path: Path) -> None:
        """Like `put`, from a file, without reading it into memory."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises `ObjectNotFoundError`."""

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A seekable binary file over the object, which fetches only the ranges that are read (in
        blocks), for decoders that seek. Raises `ObjectNotFoundError`."""

    def exists(self, key: str) -> bool: ...

    def size(self, key: str) -> int:
        """Bytes. Raises `ObjectNotFoundError`."""

    def delete(self, key: str) -> None:
        """No error when there is none."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that start with `prefix`, ascending."""

    def url(self, key: str) -> str | None:
        """A URL under which others may fetch the object: public base URL or a presigned one; None
        for a folder."""

    def check(self) -> None:
        """Cheap call that raises when the store is unreachable or cannot be written to."""


def open_source(path: Path) -> BinaryIO:
    """Open a local file for reading; `UserError` when that is not possible."""
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(f"Could not read {path}: {os.strerror(error.errno or EIO)}") from error
