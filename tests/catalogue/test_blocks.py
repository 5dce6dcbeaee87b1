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


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_keys_sort_as_ids_do(one: int, other: int) -> None:
    first, second = sorted((one, other))
    blocks = [Block.containing(i, BLOCK_SIZE) for i in (first, second)]
    assert sorted(block.key for block in blocks) == [block.key for block in blocks]


@pytest.mark.parametrize("key", ["", "all", "1-2", "0000000000", "0000000000-x", "a-b"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no block"):
        Block.from_key(key)
