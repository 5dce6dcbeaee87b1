"""Runs that failed as a whole, and why: for people. The work itself stays on its list."""

from dataclasses import dataclass
from datetime import datetime

from resources.catalogue.database import Database
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import Job


@dataclass(frozen=True)
class FailedRun:
    """The last run of a job on a block, which failed. `times`: in a row, attempts included."""

    job: str
    block: Block
    reason: str
    times: int
    failed_at: datetime


class FailedRuns:
    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, job: Job, block: Block, reason: str) -> None:
        """Remember that a run on the block failed."""
        self._database.rows(
            """
            INSERT INTO moodsearch.failed_runs AS f (job, first_id, last_id, reason)
            VALUES (%(job)s, %(first)s, %(last)s, %(reason)s)
            ON CONFLICT (job, first_id) DO UPDATE
            SET reason = excluded.reason, times = f.times + 1, failed_at = now()
            """,
            {
                "job": job,
                "first": block.first,
                "last": block.last,
                "reason": reason.replace("\0", ""),
            },
        )

    def forget(self, job: Job, block: Block) -> None:
        """A run on the block came to its end."""
        self._database.rows(
            "DELETE FROM moodsearch.failed_runs WHERE job = %(job)s AND first_id = %(first)s",
            {"job": job, "first": block.first},
        )

    def all(self) -> list[FailedRun]:
        """The latest first. Those of blocks of which nothing is left to do are told for a day."""
        rows = self._database.rows(
            """
            SELECT * FROM moodsearch.failed_runs f
            WHERE failed_at > now() - interval '1 day' OR EXISTS (
                SELECT FROM moodsearch.work w
                WHERE w.job = f.job AND w.track_id BETWEEN f.first_id AND f.last_id
            )
            ORDER BY failed_at DESC
            """
        )
        return [
            FailedRun(
                row["job"],
                Block(row["first_id"], row["last_id"]),
                row["reason"],
                row["times"],
                row["failed_at"],
            )
            for row in rows
        ]
