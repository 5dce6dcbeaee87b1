"""Blocks of track ids: the unit of work, of storage and of Dagster's partitions."""

import re
from dataclasses import dataclass
from typing import Final, Self

BLOCK_SIZE: Final = 1_000
"""Tracks in a block. With 25 k blocks Dagster's partition pages still answer in 2 s cold."""

_NUMBER: Final = r"(0|[1-9]\d{0,18})"
_KEY: Final = re.compile(f"{_NUMBER}-{_NUMBER}", re.ASCII)


@dataclass(frozen=True, order=True)
class Block:
    """The track ids from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def key(self) -> str:
        """The partition key, as people read it: `1000-1999`. Dagster's UI sorts numbers in names by
        their values; code sorts blocks, not keys."""
        return f"{self.first}-{self.last}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Raises `ValueError` for what is no partition key."""
        found = _KEY.fullmatch(key)
        if found is None:
            raise ValueError(f"{key!r} is no block of track ids")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def containing(cls, track_id: int, size: int) -> Self:
        first = track_id // size * size
        return cls(first, first + size - 1)
