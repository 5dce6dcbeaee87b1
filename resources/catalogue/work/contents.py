"""What the catalogue holds, block by block."""

from dataclasses import dataclass
from datetime import datetime

from resources.catalogue.database import Database
from resources.catalogue.work.blocks import Block


@dataclass(frozen=True)
class MissedChanges:
    """Changes of `public.<table>` in so many transactions; `reason`: of the latest."""

    table: str
    transactions: int
    since: datetime
    reason: str


class Contents:
    """Facts about blocks of tracks, to compare what was computed with."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._block_size = read_block_size(database)

    def known_blocks(self) -> list[Block]:
        """Blocks of which something is stored, by id. Costs the size of the catalogue."""
        rows = self._database.rows(
            "SELECT DISTINCT track_id / %(size)s AS block"
            " FROM moodsearch.known_tracks() AS track_id ORDER BY 1",
            {"size": self._block_size},
        )
        return [Block.containing(row["block"] * self._block_size, self._block_size) for row in rows]

    def exists(self, block: Block) -> set[int]:
        """Ids of the block's tracks in the catalogue, public or not."""
        ids = self._database.column(
            "SELECT id FROM public.tracks WHERE id BETWEEN %(first)s AND %(last)s",
            {"first": block.first, "last": block.last},
        )
        return set(ids)

    def hidden(self, block: Block) -> set[int]:
        """Ids of the block's tracks that are in the catalogue and may not be shown."""
        rows = self._database.rows(
            "SELECT track_id FROM moodsearch.catalogue(%(first)s, %(last)s) WHERE NOT is_shown",
            {"first": block.first, "last": block.last},
        )
        return {row["track_id"] for row in rows}

    def searchable(self, block: Block) -> dict[int, str]:
        """What the index must hold of `block`: public tracks whose audio was looked at and can be
        decoded, with the id of that audio."""
        # Two arrays: a row for each track would take longer to read than to find.
        (found,) = self._database.rows(
            """
            SELECT coalesce(array_agg(t.track_id), '{}') AS track_ids,
                coalesce(array_agg(t.file_id), '{}') AS file_ids
            FROM moodsearch.catalogue(%(first)s, %(last)s) t
            JOIN moodsearch.track_audio a USING (track_id, file_id)
            WHERE t.is_shown AND a.state = 'decodable'
            """,
            {"first": block.first, "last": block.last},
        )
        return dict(zip(found["track_ids"], found["file_ids"], strict=True))

    def sees_changes(self) -> bool:
        """Whether triggers tell of changes; without them only comparing everything finds them."""
        rows = self._database.rows("SELECT moodsearch.sees_changes() AS sees")
        return bool(rows[0]["sees"])

    def missed_changes(self) -> list[MissedChanges]:
        """What triggers failed to tell of since the last comparison of everything."""
        rows = self._database.rows(
            """
            SELECT table_name AS table, count(*) AS transactions, min(missed_at) AS since,
                (array_agg(reason ORDER BY id DESC))[1] AS reason
            FROM moodsearch.changes_missed WHERE consumer = 'work' GROUP BY 1 ORDER BY 1
            """
        )
        return [MissedChanges(**row) for row in rows]


def read_block_size(database: Database) -> int:
    """The block size, fixed when the installation was made."""
    rows = database.rows("SELECT value FROM moodsearch.settings WHERE key = 'block_size'")
    return int(rows[0]["value"])
