"""What was done for each track: the rows of `moodsearch.track_*`.

Each method names the audio (and the model) that it speaks of, so that a change of the catalogue in
the meantime leaves the track pending.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from resources.catalogue.connection import WHOLE_CATALOGUE_SECONDS
from resources.catalogue.database import Connection, Database
from resources.catalogue.work.blocks import Block
from resources.genres.protocol import GenrePrediction

Computed = Literal["audio", "embedding", "index", "genres"]

_OF_THESE: Final = """
WHERE track_id BETWEEN %(first)s AND %(last)s
    AND (%(ids)s::bigint[] IS NULL OR track_id = ANY(%(ids)s))
"""

_INDEX_AGAIN: Final = f"""
UPDATE moodsearch.track_documents SET attributes = ''
{_OF_THESE} AND generation = %(generation)s RETURNING track_id
"""
"""No digest is empty, so the document differs; that the index holds the track is still so."""

_FORGET: Final[dict[Computed, tuple[str, ...]]] = {
    "audio": (f"DELETE FROM moodsearch.track_audio {_OF_THESE} RETURNING track_id",),
    "embedding": (
        f"""
        DELETE FROM moodsearch.track_embeddings
        {_OF_THESE} AND model = %(model)s RETURNING track_id
        """,
        _INDEX_AGAIN,
    ),
    "index": (_INDEX_AGAIN,),
    "genres": (
        """
        INSERT INTO moodsearch.track_genres (track_id, reclassify)
        SELECT id, true FROM public.tracks
        WHERE id BETWEEN %(first)s AND %(last)s
            AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
        ON CONFLICT (track_id) DO UPDATE SET reclassify = true, updated_at = now()
        RETURNING track_id
        """,
    ),
}


@dataclass(frozen=True)
class AudioRecord:
    """What was found in a track's audio. `failure`: why it cannot be used, None when it can.
    `tried_with`: where that may be no fault of the audio's, what will have changed when it is to be
    tried again (`Backends.tried_with`)."""

    track_id: int
    file_id: str
    duration_seconds: float | None
    failure: str | None
    tried_with: str | None = None


@dataclass(frozen=True)
class IndexRecord:
    """What the index holds for a track. `attributes`: digest of the document's attributes."""

    track_id: int
    file_id: str
    attributes: str


@dataclass(frozen=True)
class FailedTrack:
    """A track whose audio cannot be used, and why."""

    track_id: int
    title: str
    reason: str


class TrackRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def audio(self, records: Sequence[AudioRecord]) -> None:
        """Remember what was found in the tracks' audio."""
        self._many(
            """
            INSERT INTO moodsearch.track_audio
                (track_id, file_id, state, failure, tried_with, duration_seconds)
            VALUES (%(track_id)s, %(file_id)s,
                CASE WHEN %(failure)s::text IS NULL THEN 'decodable' ELSE 'failed' END,
                %(failure)s, %(tried_with)s, %(duration_seconds)s)
            ON CONFLICT (track_id) DO UPDATE SET
                file_id = excluded.file_id, state = excluded.state,
                failure = excluded.failure, tried_with = excluded.tried_with,
                duration_seconds = excluded.duration_seconds, checked_at = now()
            """,
            [asdict(record) for record in records],
        )

    def embedded(self, model: str, tracks: Iterable[tuple[int, str]]) -> None:
        """Remember that (track id, file id) pairs have stored embeddings of `model`."""
        self._many(
            """
            INSERT INTO moodsearch.track_embeddings (track_id, model, file_id)
            VALUES (%(track_id)s, %(model)s, %(file_id)s)
            ON CONFLICT (track_id, model) DO UPDATE SET
                file_id = excluded.file_id, embedded_at = now()
            """,
            [{"track_id": id_, "model": model, "file_id": file_id} for id_, file_id in tracks],
        )

    def embedding_lost(self, model: str, track_ids: Sequence[int]) -> None:
        """Remember that these tracks' stored embeddings of `model` are gone."""
        self._database.rows(
            "DELETE FROM moodsearch.track_embeddings"
            " WHERE model = %(model)s AND track_id = ANY(%(ids)s)",
            {"model": model, "ids": list(track_ids)},
        )

    def hidden(self, track_ids: Collection[int]) -> None:
        """Remember that from now on nothing but these tracks' embeddings is kept of them."""
        self._database.rows(
            "UPDATE moodsearch.track_embeddings SET hidden_since = now()"
            " WHERE track_id = ANY(%(ids)s)",
            {"ids": list(track_ids)},
        )

    def hidden_for(self, days: int) -> list[int]:
        """Tracks that have been hidden for so long, and of which there are embeddings."""
        rows = self._database.rows(
            """
            SELECT DISTINCT e.track_id FROM moodsearch.track_embeddings e
            WHERE e.hidden_since <= now() - make_interval(days => %(days)s) AND NOT EXISTS (
                SELECT FROM moodsearch.catalogue(e.track_id, e.track_id) WHERE is_shown
            )
            ORDER BY e.track_id
            """,
            {"days": days},
        )
        return [int(row["track_id"]) for row in rows]

    def about_to_write(self, generation: str, track_ids: Sequence[int]) -> None:
        """To be called before documents of `generation` (its id) are replaced or deleted: from now
        until `indexed` or `removed` nothing counts as what the index holds. A track whose old title
        or audio comes back meanwhile would otherwise pass for done."""
        self._database.rows(
            "UPDATE moodsearch.track_documents SET attributes = ''"
            " WHERE generation = %(generation)s AND track_id = ANY(%(ids)s)",
            {"generation": generation, "ids": list(track_ids)},
        )

    def indexed(self, generation: str, records: Sequence[IndexRecord]) -> None:
        """Remember what `generation` (its id) of the index holds."""
        self._many(
            """
            INSERT INTO moodsearch.track_documents (track_id, generation, file_id, attributes)
            VALUES (%(track_id)s, %(generation)s, %(file_id)s, %(attributes)s)
            ON CONFLICT (track_id, generation) DO UPDATE SET
                file_id = excluded.file_id, attributes = excluded.attributes, indexed_at = now()
            """,
            [asdict(record) | {"generation": generation} for record in records],
        )

    def removed(self, generation: str, track_ids: Sequence[int]) -> None:
        """Remember that `generation` (its id) of the index holds these tracks no more."""
        self._database.rows(
            "DELETE FROM moodsearch.track_documents"
            " WHERE generation = %(generation)s AND track_id = ANY(%(ids)s)",
            {"generation": generation, "ids": list(track_ids)},
        )

    def genres(
        self,
        track_id: int,
        file_id: str,
        predictions: Sequence[GenrePrediction],
        classifier: str | None = None,
        *,
        within: float | None = None,
    ) -> None:
        """Store predictions in the track's `extra`, unless its audio changed meanwhile, and who
        made them in its state. `within`: see `Database.transaction`."""
        stored = [{"name": p.name, "confidence": round(p.confidence, 6)} for p in predictions]
        extra = {"genre_predictions": stored, "genre_predictions_file_id": file_id}
        with self._database.transaction(within) as connection:
            connection.execute(
                "UPDATE public.tracks"
                " SET extra = CASE jsonb_typeof(extra) WHEN 'object' THEN extra ELSE '{}' END"
                " || %s::jsonb WHERE id = %s AND file_id = %s",
                [json.dumps(extra), track_id, file_id],
            )
            self._note_genres(connection, track_id, file_id, None, classifier)

    def genres_failed(
        self,
        track_id: int,
        file_id: str,
        reason: str,
        classifier: str | None = None,
        *,
        tried_with: str | None = None,
        within: float | None = None,
    ) -> None:
        """Remember why this audio has no predictions, so that it is not tried again and again.
        `tried_with`: see `AudioRecord`. `within`: see `Database.transaction`."""
        with self._database.transaction(within) as connection:
            self._note_genres(connection, track_id, file_id, reason, classifier, tried_with)

    def indexed_ids(self, generation: str, block: Block) -> set[int]:
        """Which tracks of `block` that generation is recorded to hold."""
        ids = self._database.column(
            """
            SELECT track_id FROM moodsearch.track_documents
            WHERE generation = %(id)s AND track_id BETWEEN %(first)s AND %(last)s
            """,
            {"id": generation, "first": block.first, "last": block.last},
        )
        return set(ids)

    def embedded_audio(
        self, model: str, generation: str, block: Block
    ) -> list[tuple[int, str, bool]]:
        """Track id and file id of the stored embeddings of `model`, and whether that generation
        holds a document of the same audio."""
        rows = self._database.rows(
            """
            SELECT e.track_id, e.file_id, d.track_id IS NOT NULL AS is_indexed
            FROM moodsearch.track_embeddings e
            LEFT JOIN moodsearch.track_documents d ON d.track_id = e.track_id
                AND d.file_id = e.file_id AND d.generation = %(generation)s
            WHERE e.model = %(model)s AND e.track_id BETWEEN %(first)s AND %(last)s
            ORDER BY e.track_id
            """,
            {"model": model, "generation": generation, "first": block.first, "last": block.last},
        )
        return [(row["track_id"], row["file_id"], row["is_indexed"]) for row in rows]

    def stored_genres(self, block: Block) -> list[dict[str, Any]]:
        """Predictions that `genres` stored in `extra`, with track_id, file_id, classifier, and
        names and confidences, best first."""
        return self._database.rows(
            """
            SELECT t.id AS track_id, t.file_id::text AS file_id,
                coalesce(g.classifier, '') AS classifier,
                array_agg(p.value ->> 'name' ORDER BY p.place) AS names,
                array_agg((p.value ->> 'confidence')::float8 ORDER BY p.place) AS confidences
            FROM public.tracks t
            JOIN moodsearch.track_genres g ON g.track_id = t.id AND g.file_id = t.file_id::text
            CROSS JOIN LATERAL jsonb_array_elements(
                CASE jsonb_typeof(t.extra -> 'genre_predictions')
                    WHEN 'array' THEN t.extra -> 'genre_predictions' ELSE '[]' END
            ) WITH ORDINALITY AS p (value, place)
            WHERE t.id BETWEEN %(first)s AND %(last)s AND g.failure IS NULL
                AND t.extra ->> 'genre_predictions_file_id' = t.file_id::text
            GROUP BY t.id, t.file_id, g.classifier
            ORDER BY t.id
            """,
            {"first": block.first, "last": block.last},
        )

    def genres_lost(self, block: Block, but: Sequence[int]) -> list[int]:
        """Remember that the block's predictions are gone, `but` those of these tracks. Returns of
        which tracks."""
        rows = self._database.rows(
            """
            UPDATE moodsearch.track_genres
            SET file_id = NULL, classifier = NULL, updated_at = now()
            WHERE track_id BETWEEN %(first)s AND %(last)s AND file_id IS NOT NULL
                AND failure IS NULL AND track_id <> ALL(%(but)s::bigint[])
            RETURNING track_id
            """,
            {"first": block.first, "last": block.last, "but": list(but)},
        )
        return [row["track_id"] for row in rows]

    def failed(self, limit: int) -> list[FailedTrack]:
        """Tracks of the catalogue whose audio cannot be used."""
        rows = self._database.rows(
            """
            SELECT a.track_id, t.title, a.failure AS reason
            FROM moodsearch.track_audio a JOIN public.tracks t ON t.id = a.track_id
            WHERE a.state = 'failed' ORDER BY a.track_id LIMIT %(limit)s
            """,
            {"limit": limit},
        )
        return [FailedTrack(**row) for row in rows]

    def forget_failures(self, but_tried_with: str | None = None) -> int:
        """Make failed tracks pending again, and look at them at once; returns how many there were.

        With `but_tried_with` only those that were tried with something else, and not those whose
        audio is at fault.
        """
        rows = self._database.rows(
            """
            WITH audio AS (
                DELETE FROM moodsearch.track_audio
                WHERE state = 'failed' AND (%(but)s::text IS NULL OR tried_with <> %(but)s)
                RETURNING track_id
            ), genres AS (
                UPDATE moodsearch.track_genres
                SET file_id = NULL, failure = NULL, tried_with = NULL, classifier = NULL,
                    updated_at = now()
                WHERE failure IS NOT NULL AND (%(but)s::text IS NULL OR tried_with <> %(but)s)
                RETURNING track_id
            ), found AS (
                SELECT 'index' AS job, track_id FROM audio
                UNION ALL SELECT 'genres', track_id FROM genres
            ), listed AS (
                INSERT INTO moodsearch.work (job, track_id)
                SELECT job, track_id FROM found ORDER BY job, track_id
                ON CONFLICT (job, track_id) DO UPDATE SET attempts = 0, next_attempt_at = now()
            )
            SELECT DISTINCT track_id FROM found
            """,
            {"but": but_tried_with},
            within=WHOLE_CATALOGUE_SECONDS,
        )
        return len(rows)

    def forget(
        self,
        what: Computed,
        block: Block,
        track_ids: Collection[int] | None = None,
        *,
        model: str,
        generation: str,
    ) -> list[int]:
        """Make the block's tracks, or these of them, pending for `what` as if it was never done for
        `model` (a fingerprint) and `generation` (its id). Returns which. What is stored and indexed
        stays until it is replaced."""
        parameters = {
            "first": block.first,
            "last": block.last,
            "ids": None if track_ids is None else list(track_ids),
            "model": model,
            "generation": generation,
        }
        with self._database.transaction() as connection:
            found = [connection.execute(each, parameters).fetchall() for each in _FORGET[what]]
        return sorted({row["track_id"] for rows in found for row in rows})

    def _many(self, statement: str, parameters: Sequence[dict[str, object]]) -> None:
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.executemany(statement, parameters)

    @staticmethod
    def _note_genres(
        connection: Connection,
        track_id: int,
        file_id: str,
        failure: str | None,
        classifier: str | None,
        tried_with: str | None = None,
    ) -> None:
        # The API may classify a track before anything else is known of it.
        connection.execute(
            """
            INSERT INTO moodsearch.track_genres
                (track_id, file_id, failure, tried_with, classifier)
            SELECT id, %s, %s, %s, %s FROM public.tracks WHERE id = %s
            ON CONFLICT (track_id) DO UPDATE SET
                file_id = excluded.file_id, failure = excluded.failure,
                tried_with = excluded.tried_with, classifier = excluded.classifier,
                reclassify = false, updated_at = now()
            """,
            [file_id, failure, tried_with, classifier, track_id],
        )
