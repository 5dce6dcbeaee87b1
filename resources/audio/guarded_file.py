"""A file object that FFmpeg may read from without doing harm."""

import io
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from resources.errors import TrackError

_READ_ALLOWANCE: Final = (16, 64 * 1024 * 1024)
"""A file may be read this many times over, plus these bytes: far more than any sound file needs,
and an end for files made to be searched forever."""

MOST_READ_BYTES: Final = 1024 * 1024
"""At once: FFmpeg asks for a whole picture, however large, and takes what it gets."""

MOST_HEADER_BYTES: Final = 64 * 1024 * 1024
"""Of tags and pictures before the sound. FFmpeg keeps them in memory, twice, however large a sparse
file says that they are."""

OPENING_CPU_SECONDS: Final = 10.0
"""Of this thread, so that a slow storage does not count. FFmpeg takes the zeros behind a WAV file's
sound for empty chunks, one for every eight bytes."""


class GuardedFile:
    """The file object that FFmpeg reads from. Counts what is read; keeps the source's errors.

    An exception cannot cross FFmpeg: it would be taken for the end of the file and reported later,
    if at all. So the first one is kept in `error`, and from then on the file is at its end. There
    is no `name`: FFmpeg must judge by content.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        factor, extra = _READ_ALLOWANCE
        self._allowance = factor * self.size + extra
        self._cpu_deadline = math.inf
        self._position = 0
        self._file_position = self.size
        self.error: BaseException | None = None

    @contextmanager
    def being_opened(self) -> Iterator[None]:
        """Inside the block FFmpeg looks for the beginning of the sound: it may read and compute
        less than in all."""
        whole, self._allowance = self._allowance, min(MOST_HEADER_BYTES, self._allowance)
        allowed, self._cpu_deadline = self._allowance, time.thread_time() + OPENING_CPU_SECONDS
        try:
            yield
        finally:
            self._allowance += whole - allowed
            self._cpu_deadline = math.inf

    def read(self, size: int) -> bytes:
        if self.error is not None:
            return b""
        try:
            if self._allowance < 0 or time.thread_time() > self._cpu_deadline:
                raise TrackError("damaged: analysing it takes too long")
            if self._file_position != self._position:
                self._file.seek(self._position)
            data = self._file.read(min(size, MOST_READ_BYTES)) or b""
        except BaseException as error:  # raised again by open_audio
            self.error = error
            return b""
        self._position = self._file_position = self._position + len(data)
        self._allowance -= len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            return -1  # FFmpeg's sign of an error
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position
