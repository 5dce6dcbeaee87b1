"""What became of attempts at tracks on the list of work: in whose process they were begun, and why
they came to nothing."""

from collections.abc import Mapping, Sequence
from typing import Final

from resources.catalogue.database import Database
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.patience import OFTEN
from resources.catalogue.work.pending import FIRST_DELAY_SECONDS, LOCKED, Job

TRIED_IN_VAIN: Final = """
coalesce(
    w.last_error,
    (
        SELECT reason FROM moodsearch.failed_runs f
        WHERE f.job = w.job AND w.track_id BETWEEN f.first_id AND f.last_id
    ),
    CASE WHEN w.attempts >= 3 THEN 'its runs ended without a word' END
)
"""
"""SQL: why the last attempt at a row `w` of the list came to nothing; NULL where it did not."""


class Attempts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, job: Job, track_ids: Sequence[int]) -> set[int]:
        """Note that a run is about to decode the tracks in its own process. Returns those of them
        of which the same was noted before, by a run that did not come to `end`."""
        before = self._database.rows(
            """
            SELECT track_id FROM moodsearch.work
            WHERE job = %(job)s AND track_id = ANY(%(ids)s) AND begun_at IS NOT NULL
            """,
            {"job": job, "ids": list(track_ids)},
        )
        self._database.rows(
            """
            INSERT INTO moodsearch.work (job, track_id, begun_at, next_attempt_at)
            SELECT %(job)s, id, now(), now() + make_interval(secs => %(delay)s)
            FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
            ON CONFLICT (job, track_id) DO UPDATE SET begun_at = excluded.begun_at
            """,
            {"job": job, "ids": list(track_ids), "delay": FIRST_DELAY_SECONDS},
        )
        return {row["track_id"] for row in before}

    def end(self, job: Job, track_ids: Sequence[int]) -> None:
        """Note that the run is done with the tracks, whatever came of them."""
        self._database.rows(
            f"""
            {LOCKED}
            UPDATE moodsearch.work w SET begun_at = NULL
            FROM locked WHERE w.job = %(job)s AND w.track_id = locked.track_id
            """,
            {"job": job, "ids": list(track_ids)},
        )

    def note_errors(self, job: Job, errors: Mapping[int, str]) -> None:
        """Remember why tracks are still waiting (shown by `moodsearch doctor`)."""
        self._database.rows(
            """
            INSERT INTO moodsearch.work (job, track_id, last_error, attempts, next_attempt_at)
            SELECT %(job)s, id, reason, 1, now() + make_interval(secs => %(delay)s)
            FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS e (id, reason) ORDER BY id
            ON CONFLICT (job, track_id) DO UPDATE SET last_error = excluded.last_error
            """,
            {
                "job": job,
                "ids": list(errors),
                "reasons": [reason.replace("\0", "") for reason in errors.values()],
                "delay": FIRST_DELAY_SECONDS,
            },
        )

    def tried_in_vain(self, job: Job, block: Block) -> dict[int, str]:
        """The block's tracks on the list whose last attempt failed or whose attempts all ended
        without a word, with the reason."""
        rows = self._database.rows(
            f"""
            SELECT track_id, {TRIED_IN_VAIN} AS reason FROM moodsearch.work w
            WHERE job = %(job)s AND track_id BETWEEN %(first)s AND %(last)s
                AND {TRIED_IN_VAIN} IS NOT NULL
            """,
            {"job": job, "first": block.first, "last": block.last},
        )
        return {row["track_id"]: row["reason"] for row in rows}

    def tried_often(self, job: Job, block: Block) -> set[int]:
        """The block's tracks that were tried in vain for about a day."""
        rows = self._database.rows(
            """
            SELECT track_id FROM moodsearch.work
            WHERE job = %(job)s AND track_id BETWEEN %(first)s AND %(last)s
                AND last_error IS NOT NULL AND attempts >= %(often)s
            """,
            {"job": job, "first": block.first, "last": block.last, "often": OFTEN},
        )
        return {row["track_id"] for row in rows}
