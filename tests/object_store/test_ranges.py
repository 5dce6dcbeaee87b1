"""Reading a remote object in blocks: what is fetched, and how often."""

import io

from resources.object_store.ranges import CACHED_BLOCKS, MAX_BLOCKS_AT_ONCE, RangeReader

BLOCK = 10


class Remote:
    """An object of `size` bytes that remembers which ranges were asked for."""

    def __init__(self, size: int) -> None:
        self.data = bytes(number % 251 for number in range(size))
        self.ranges: list[tuple[int, int]] = []

    def fetch(self, first: int, last: int) -> bytes:
        self.ranges.append((first, last))
        return self.data[first : last + 1]

    def open(self) -> RangeReader:
        return RangeReader(len(self.data), self.fetch, BLOCK)


def test_only_the_blocks_that_are_read_are_fetched() -> None:
    remote = Remote(1000)
    reader = remote.open()
    reader.seek(503)
    assert reader.read(4) == remote.data[503:507]
    assert remote.ranges == [(500, 509)]


def test_a_block_that_was_read_is_not_fetched_again() -> None:
    remote = Remote(1000)
    reader = remote.open()
    for _ in range(3):
        for position in (0, 500, 990):
            reader.seek(position)
            reader.read(5)
    assert remote.ranges == [(0, 9), (500, 509), (990, 999)]


def test_reading_on_takes_ever_fewer_requests_up_to_a_limit() -> None:
    remote = Remote(1000)
    with io.BufferedReader(remote.open(), 4) as file:
        assert file.read() == remote.data
    lengths = [(last - first + 1) // BLOCK for first, last in remote.ranges]
    assert lengths[:4] == [1, 2, 4, 8]
    assert max(lengths) == MAX_BLOCKS_AT_ONCE
    assert sum(lengths) == 100


def test_memory_is_bounded_by_the_cache() -> None:
    remote = Remote(1000)
    reader = remote.open()
    reader.read(1)
    for position in range(BLOCK, BLOCK * (CACHED_BLOCKS + 10), BLOCK):
        reader.seek(position)
        reader.read(1)
    fetched = len(remote.ranges)
    reader.seek(0)
    assert reader.read(1) == remote.data[:1]
    assert len(remote.ranges) == fetched + 1


def test_beyond_the_end_there_is_nothing_and_nothing_is_fetched() -> None:
    remote = Remote(25)
    reader = remote.open()
    reader.seek(25)
    assert reader.read(5) == b""
    reader.seek(1000)
    assert reader.read(5) == b""
    assert remote.ranges == []
