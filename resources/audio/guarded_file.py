"""A file object that FFmpeg may read from without doing harm."""

import io
from typing import BinaryIO, Final

from resources.errors import TrackError

_READ_ALLOWANCE: Final = (16, 64 * 1024 * 1024)
"""A file may be read this many times over, plus these bytes: far more than any sound file needs,
and an end for files made to be searched forever."""


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
        self._position = 0
        self._file_position = self.size
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        if self.error is not None:
            return b""
        try:
            if self._allowance < 0:
                raise TrackError("damaged: analysing it takes too long")
            if self._file_position != self._position:
                self._file.seek(self._position)
            data = self._file.read(size) or b""
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
