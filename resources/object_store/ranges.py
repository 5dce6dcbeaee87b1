"""A remote object as a seekable file: only the blocks that are read are fetched."""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BLOCK_BYTES: Final = 256 * 1024
"""About six seconds of a 320 kbit/s MP3: a header, or a part of a 10-second window."""

MAX_BLOCKS_AT_ONCE: Final = 8
"""A sequential reader's requests grow to 2 MiB, since each costs a round trip."""

CACHED_BLOCKS: Final = 2 * MAX_BLOCKS_AT_ONCE
"""4 MiB for each open object."""


class RangeReader(io.RawIOBase):
    """Reads `size` bytes through `fetch(first, last)`, whose bounds are inclusive.

    `fetch` returns exactly the bytes asked for or raises; what it raises reaches whoever reads.
    Not safe to share between threads without the lock of an `io.BufferedReader` around it.
    """

    def __init__(
        self, size: int, fetch: Callable[[int, int], bytes], block_bytes: int = BLOCK_BYTES
    ) -> None:
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._block_bytes = block_bytes
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._blocks_at_once = 1

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError(f"negative seek position {origin + offset}")
        self._position = origin + offset
        return self._position

    # The buffer protocol has no type for a writable buffer before Python 3.12.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read at most up to the end of the current block; 0 at the end of the object."""
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, self._block_bytes)
        piece = memoryview(self._block(number))[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            sequential = number - 1 in self._blocks
            self._blocks_at_once = (
                min(2 * self._blocks_at_once, MAX_BLOCKS_AT_ONCE) if sequential else 1
            )
            self._load(number, self._blocks_at_once)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _load(self, number: int, count: int) -> None:
        first = number * self._block_bytes
        end = min(first + count * self._block_bytes, self._size)
        data = self._fetch(first, end - 1)
        for start in range(0, end - first, self._block_bytes):
            block = (first + start) // self._block_bytes
            self._blocks[block] = data[start : start + self._block_bytes]
            self._blocks.move_to_end(block)
        while len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
