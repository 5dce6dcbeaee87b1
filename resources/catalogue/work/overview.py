"""Counts over the catalogue and what is stored for it, for people: nothing is decided by them."""

from dataclasses import dataclass
from datetime import datetime

from resources.catalogue.database import Database
from resources.catalogue.work.attempts import TRIED_IN_VAIN


@dataclass(frozen=True)
class StuckTrack:
    """A track whose work keeps failing. `title` is None for a track that is deleted."""

    track_id: int
    title: str | None
    job: str
    attempts: int
    last_error: str


class Overview:
    """Every method costs the size of the catalogue or of what it counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def server_version(self) -> str:
        return str(self._database.rows("SHOW server_version")[0]["server_version"])

    def listed(self) -> dict[str, int]:
        """Tracks on the list of work, by job: `index` and `genres`."""
        rows = self._database.rows("SELECT job, count(*) AS tracks FROM moodsearch.work GROUP BY 1")
        return {str(row["job"]): int(row["tracks"]) for row in rows}

    def count_indexed(self, generation: str) -> int:
        """Tracks that are recorded to be in `generation` (its id) of the index."""
        rows = self._database.rows(
            """
            SELECT count(*) AS n
            FROM moodsearch.track_documents WHERE generation = %(generation)s
            """,
            {"generation": generation},
        )
        return int(rows[0]["n"])

    def count_failed(self) -> int:
        """Tracks of the catalogue whose audio cannot be used."""
        rows = self._database.rows(
            """
            SELECT count(*) AS n
            FROM moodsearch.track_audio a JOIN public.tracks t ON t.id = a.track_id
            WHERE a.state = 'failed'
            """
        )
        return int(rows[0]["n"])

    def genre_failures(self, limit: int) -> dict[int, str]:
        """Tracks whose audio could not be classified, with the reason."""
        rows = self._database.rows(
            """
            SELECT track_id, failure FROM moodsearch.track_genres
            WHERE failure IS NOT NULL ORDER BY track_id LIMIT %(limit)s
            """,
            {"limit": limit},
        )
        return {row["track_id"]: row["failure"] for row in rows}

    def may_write_genres(self, *, within: float | None = None) -> bool:
        """Whether the database's user may write `tracks.extra`. `within`: see `Database.rows`."""
        rows = self._database.rows(
            "SELECT has_column_privilege('public.tracks', 'extra', 'UPDATE') AS may", within=within
        )
        return bool(rows[0]["may"])

    def oldest_change(self) -> datetime | None:
        """When the change was made that has been waiting longest to reach the index."""
        rows = self._database.rows(
            """
            SELECT least(
                (SELECT min(changed_at) FROM moodsearch.work WHERE job = 'index' AND NOT is_build),
                (SELECT min(changed_at) FROM moodsearch.outbox WHERE consumer = 'work')
            ) AS oldest
            """
        )
        oldest: datetime | None = rows[0]["oldest"]
        return oldest

    def stuck(self, limit: int) -> list[StuckTrack]:
        """Tracks whose last attempt failed or whose attempts all ended without a word, most
        attempts first. They will be tried again."""
        rows = self._database.rows(
            f"""
            SELECT w.track_id, t.title, w.job, w.attempts, {TRIED_IN_VAIN} AS last_error
            FROM moodsearch.work w LEFT JOIN public.tracks t ON t.id = w.track_id
            WHERE {TRIED_IN_VAIN} IS NOT NULL
            ORDER BY w.attempts DESC, w.track_id, w.job LIMIT %(limit)s
            """,
            {"limit": limit},
        )
        return [StuckTrack(**row) for row in rows]

    def has_table(self, schema: str, table: str) -> bool:
        rows = self._database.rows(
            "SELECT EXISTS (SELECT 1 FROM pg_tables"
            " WHERE schemaname = %(schema)s AND tablename = %(table)s) AS found",
            {"schema": schema, "table": table},
        )
        return bool(rows[0]["found"])
