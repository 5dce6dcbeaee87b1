"""What was done for each track: the rows of `moodsearch.track_state`.

Each method names the audio (and the model) that it speaks of, so that a change of the catalogue in
the meantime leaves the track pending.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from resources.catalogue.database import Connection, Database
from resources.catalogue.work.blocks import Block
from resources.genres.protocol import GenrePrediction

Computed = Literal["audio", "embedding", "index", "genres"]

_FORGET: Final[dict[Computed, str]] = {
    "audio": "file_id = NULL, audio_state = NULL, failure = NULL",
    # The index is to hold the new vector; that it holds the track is still so.
    "embedding": "embedded_file_id = NULL, embedded_model = NULL,"
    " indexed_file_id = NULL, indexed_attributes = NULL",
    "index": "indexed_file_id = NULL, indexed_attributes = NULL",
    "genres": "reclassify = true",
}


@dataclass(frozen=True)
class AudioRecord:
    """What was found in a track's audio. `failure`: why it cannot be used, None when it can."""

    track_id: int
    file_id: str
    duration_seconds: float | None
    failure: str | None


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
            INSERT INTO moodsearch.track_state
                (track_id, file_id, audio_state, failure, duration_seconds)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (track_id) DO UPDATE SET
                file_id = excluded.file_id, audio_state = excluded.audio_state,
                failure = excluded.failure, duration_seconds = excluded.duration_seconds,
                updated_at = now()
            """,
            [
                (
                    record.track_id,
                    record.file_id,
                    "decodable" if record.failure is None else "failed",
                    record.failure,
                    record.duration_seconds,
                )
                for record in records
            ],
        )

    def embedded(self, model: str, tracks: Iterable[tuple[int, str]]) -> None:
        """Remember that (track id, file id) pairs have stored embeddings of `model`."""
        self._many(
            """
            UPDATE moodsearch.track_state
            SET embedded_file_id = %s, embedded_model = %s, updated_at = now() WHERE track_id = %s
            """,
            [(file_id, model, track_id) for track_id, file_id in tracks],
        )

    def indexed(self, generation: str, records: Sequence[IndexRecord]) -> None:
        """Remember what `generation` (its id) of the index holds."""
        self._many(
            """
            UPDATE moodsearch.track_state
            SET indexed_in = %s, indexed_file_id = %s, indexed_attributes = %s,
                updated_at = now()
            WHERE track_id = %s
            """,
            [
                (generation, record.file_id, record.attributes, record.track_id)
                for record in records
            ],
        )

    def removed(self, track_ids: Sequence[int]) -> None:
        """Remember that the vector store holds these tracks no more; deleted ones are forgotten."""
        parameters = {"ids": list(track_ids)}
        with self._database.transaction() as connection:
            connection.execute(
                """
                UPDATE moodsearch.track_state
                SET indexed_in = NULL, indexed_file_id = NULL, indexed_attributes = NULL,
                    updated_at = now()
                WHERE track_id = ANY(%(ids)s)
                """,
                parameters,
            )
            connection.execute(
                """
                DELETE FROM moodsearch.track_state s
                WHERE track_id = ANY(%(ids)s)
                    AND NOT EXISTS (SELECT 1 FROM public.tracks t WHERE t.id = s.track_id)
                """,
                parameters,
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
        within: float | None = None,
    ) -> None:
        """Remember why this audio has no predictions, so that it is not tried again and again.
        `within`: see `Database.transaction`."""
        with self._database.transaction(within) as connection:
            self._note_genres(connection, track_id, file_id, reason, classifier)

    def indexed_ids(self, generation: str, block: Block) -> set[int]:
        """Which tracks of `block` that generation is recorded to hold."""
        rows = self._database.rows(
            """
            SELECT track_id FROM moodsearch.track_state
            WHERE indexed_in = %(id)s AND track_id BETWEEN %(first)s AND %(last)s
            """,
            {"id": generation, "first": block.first, "last": block.last},
        )
        return {row["track_id"] for row in rows}

    def failed(self, limit: int) -> list[FailedTrack]:
        """Tracks of the catalogue whose audio cannot be used."""
        rows = self._database.rows(
            """
            SELECT s.track_id, t.title, s.failure AS reason
            FROM moodsearch.track_state s JOIN public.tracks t ON t.id = s.track_id
            WHERE s.failure IS NOT NULL ORDER BY s.track_id LIMIT %(limit)s
            """,
            {"limit": limit},
        )
        return [FailedTrack(**row) for row in rows]

    def forget_failures(self) -> int:
        """Make every failed track pending again; returns how many there were."""
        rows = self._database.rows(
            """
            UPDATE moodsearch.track_state
            SET file_id = CASE WHEN failure IS NULL THEN file_id END,
                audio_state = CASE WHEN failure IS NULL THEN audio_state END,
                failure = NULL,
                genres_file_id = CASE WHEN genres_failure IS NULL THEN genres_file_id END,
                genres_classifier = CASE WHEN genres_failure IS NULL THEN genres_classifier END,
                genres_failure = NULL,
                updated_at = now()
            WHERE failure IS NOT NULL OR genres_failure IS NOT NULL
            RETURNING track_id
            """
        )
        return len(rows)

    def forget(
        self, what: Computed, block: Block, track_ids: Collection[int] | None = None
    ) -> list[int]:
        """Make the block's tracks, or these of them, pending for `what` as if it was never done.
        Returns which. What is stored and indexed stays until it is replaced."""
        rows = self._database.rows(
            f"""
            UPDATE moodsearch.track_state SET {_FORGET[what]}, updated_at = now()
            WHERE track_id BETWEEN %(first)s AND %(last)s
                AND (%(ids)s::bigint[] IS NULL OR track_id = ANY(%(ids)s))
            RETURNING track_id
            """,
            {
                "first": block.first,
                "last": block.last,
                "ids": None if track_ids is None else list(track_ids),
            },
        )
        return [row["track_id"] for row in rows]

    def embedding_lost(self, track_ids: Sequence[int]) -> None:
        """Remember that these tracks' stored embeddings are gone."""
        self._database.rows(
            """
            UPDATE moodsearch.track_state
            SET embedded_file_id = NULL, embedded_model = NULL, updated_at = now()
            WHERE track_id = ANY(%(ids)s)
            """,
            {"ids": list(track_ids)},
        )

    def _many(self, statement: str, parameters: Sequence[tuple[object, ...]]) -> None:
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.executemany(statement, parameters)

    @staticmethod
    def _note_genres(
        connection: Connection,
        track_id: int,
        file_id: str,
        failure: str | None,
        classifier: str | None,
    ) -> None:
        # The API may classify a track before anything else is known of it.
        connection.execute(
            """
            INSERT INTO moodsearch.track_state
                (track_id, genres_file_id, genres_failure, genres_classifier)
            SELECT id, %s, %s, %s FROM public.tracks WHERE id = %s
            ON CONFLICT (track_id) DO UPDATE SET
                genres_file_id = excluded.genres_file_id,
                genres_failure = excluded.genres_failure,
                genres_classifier = excluded.genres_classifier,
                reclassify = false, updated_at = now()
            """,
            [file_id, failure, classifier, track_id],
        )
