"""What is to be forgotten, and what every kind of stored thing offers for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final, Protocol

from resources.catalogue.work.blocks import Block

Keys = Mapping[str, frozenset[str]]
"""Keys of rows, as text, by table of the schema public."""

NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Subject:
    """Tracks, and what else goes with them.

    `file_ids`: of their audio, as far as no other track has it. `titles`: that no other track has.
    `pictures`: names of covers that nothing else shows. `rows`: of a catalogue of our own, that go;
    none of an app's. `dids`: of artists that go as a whole.
    """

    track_ids: frozenset[int]
    file_ids: frozenset[str] = NONE
    titles: frozenset[str] = NONE
    pictures: frozenset[str] = NONE
    dids: frozenset[str] = NONE
    rows: Keys = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, list[str]]:
        """Keys whose names and changes go, by table of the schema public."""
        keys = {table: set(found) for table, found in self.rows.items()}
        keys["tracks"] = {str(track_id) for track_id in self.track_ids}
        keys["artists"] = keys.get("artists", set()) | self.dids
        return {table: sorted(found) for table, found in keys.items()}

    def by_block(self, size: int) -> Iterator[tuple[Block, "Subject"]]:
        """The tracks alone, block by block: what is taken back while their block is held."""
        ids = sorted(self.track_ids)
        for block, group in groupby(ids, key=lambda id_: Block.containing(id_, size)):
            tracks = frozenset(group)
            going = self.rows.get("tracks", NONE)
            rows = {"tracks": going & {str(track_id) for track_id in tracks}}
            yield block, replace(self, track_ids=tracks, dids=NONE, rows=rows)


class Kept(Protocol):
    """One kind of stored thing.

    `name`: for a receipt. `stays_while_hidden`: whether it may stay for a while of a track that is
    hidden and not deleted.
    """

    @property
    def name(self) -> str: ...

    @property
    def stays_while_hidden(self) -> bool: ...

    def holds(self, place: str) -> bool:
        """Whether this kind is in charge of `place`: the key of an object, or a table with its
        schema."""

    def remove(self, subject: Subject) -> int:
        """Take back what there is of the subject, and return how many rows or objects that were.

        While the tracks' block is held. To be repeated after a failure. Raises what the place's own
        client does.
        """
