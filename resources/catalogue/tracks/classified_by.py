"""Who classified the tracks, and asking for it to be done again by somebody else."""

from collections.abc import Sequence
from typing import Final

from resources.catalogue.database import Database

_CLASSIFIED: Final = """
SELECT t.id, coalesce(g.reclassify, false) AS reclassify,
       CASE WHEN g.file_id = t.file_id THEN g.classifier END AS classifier
FROM public.tracks t
JOIN moodsearch.track_audio a ON a.track_id = t.id
LEFT JOIN moodsearch.track_genres g ON g.track_id = t.id
WHERE t.visibility = 'public' AND t.extra ->> 'genre_predictions_file_id' = t.file_id
    AND a.file_id = t.file_id AND a.state = 'decodable'
    AND (g.failure IS NULL OR g.file_id IS DISTINCT FROM t.file_id)
"""
"""Public tracks with predictions for their present file, which could be classified again."""


class ClassifiedBy:
    """Every method but `ask_again` costs the size of the catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> dict[str | None, int]:
        """Tracks with predictions by the name of the classifier, the most first; None: it was not
        recorded, or the app wrote them."""
        rows = self._database.rows(
            f"SELECT classifier, count(*) AS tracks FROM ({_CLASSIFIED}) AS found"
            " GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return {row["classifier"]: int(row["tracks"]) for row in rows}

    def others_than(self, classifier: str, limit: int | None = None) -> list[int]:
        """Tracks whose predictions are from another classifier, or nobody knows from which; without
        those that are to be classified again already."""
        rows = self._database.rows(
            f"SELECT id FROM ({_CLASSIFIED}) AS found"
            " WHERE classifier IS DISTINCT FROM %(name)s AND NOT reclassify"
            " ORDER BY id LIMIT %(limit)s",
            {"name": classifier, "limit": limit},
        )
        return [row["id"] for row in rows]

    def ask_again(self, track_ids: Sequence[int]) -> None:
        """Make the tracks pending for their genres; what is stored stays until it is replaced."""
        self._database.rows(
            "INSERT INTO moodsearch.track_genres (track_id, reclassify)"
            " SELECT unnest(%(ids)s::bigint[]), true"
            " ON CONFLICT (track_id) DO UPDATE SET reclassify = true, updated_at = now()",
            {"ids": list(track_ids)},
        )
