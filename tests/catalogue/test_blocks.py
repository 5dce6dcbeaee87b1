"""Blocks of track ids and their partition keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.catalogue.work.blocks import BLOCK_SIZE, Block

IDS = st.integers(min_value=0, max_value=2**62)


@given(IDS)
def test_a_track_is_in_its_block_and_the_key_says_which(track_id: int) -> None:
    block = Block.containing(track_id, BLOCK_SIZE)
    assert block.first <= track_id <= block.last
    assert block.last - block.first + 1 == BLOCK_SIZE
    assert Block.from_key(block.key) == block


def test_keys_read_like_the_ids_they_stand_for() -> None:
    keys = [Block.containing(track_id, BLOCK_SIZE).key for track_id in (7, 1_234, 123_456)]
    assert keys == ["0-999", "1000-1999", "123000-123999"]


@given(IDS, IDS)
def test_blocks_sort_as_ids_do(one: int, other: int) -> None:
    first, second = sorted((one, other))
    blocks = [Block.containing(track_id, BLOCK_SIZE) for track_id in (second, first)]
    assert [block.first for block in sorted(blocks)] == [
        track_id // BLOCK_SIZE * BLOCK_SIZE for track_id in (first, second)
    ]


@pytest.mark.parametrize(
    "key", ["", "all", "1000", "1000-x", "a-b", "-1-5", "01-05", "1-2\n", "٣-٤"]
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no block"):
        Block.from_key(key)
