"""What the catalogue knows of one track's genres, for recommended tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resources.catalogue.database import ANSWER_SECONDS, Connection, Database
from resources.catalogue.schema.app_tables import column_types
from resources.catalogue.tracks.audio_files import AudioFile
from resources.genres.protocol import GenrePrediction


@dataclass(frozen=True)
class TrackGenres:
    """A public track as far as its genres go.

    `audio`: None for a track without a file. `own_tags`: as the app stores them. `predictions`:
    stored for the present file, best first; None when there are none, or another file's.
    `is_decodable`: the present file was looked at and can be decoded. `is_indexed`: the index holds
    its vector. `cannot_be_classified`: a classifier has refused it.
    """

    track_id: int
    audio: AudioFile | None
    own_tags: Sequence[str]
    predictions: Sequence[GenrePrediction] | None
    is_decodable: bool
    is_indexed: bool
    cannot_be_classified: bool

    def may_be_classified(self, *, needs_embedding: bool) -> bool:
        """By a classifier that hears the embedding, or else the audio itself."""
        has_what_is_heard = self.is_indexed if needs_embedding else self.is_decodable
        return self.audio is not None and has_what_is_heard and not self.cannot_be_classified


class GenresOfTracks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def public(self, track_id: int) -> TrackGenres | None:
        """None for an unknown or non-public track. Raises `BackendError`."""
        with self._database.transaction(within=ANSWER_SECONDS) as connection:
            row = connection.execute(
                """
                SELECT t.file_id::text, file_type::text, r2_url::text,
                    CASE WHEN extra ->> 'genre_predictions_file_id' = t.file_id::text
                        THEN extra -> 'genre_predictions' END AS predictions,
                    EXISTS (
                        SELECT FROM moodsearch.track_audio
                        WHERE track_id = t.id AND file_id = t.file_id::text AND state = 'decodable'
                    ) AS is_decodable,
                    EXISTS (
                        SELECT FROM moodsearch.track_documents
                        WHERE track_id = t.id AND file_id = t.file_id::text
                    ) AS is_indexed,
                    EXISTS (
                        SELECT FROM moodsearch.track_genres
                        WHERE track_id = t.id AND file_id = t.file_id::text AND failure IS NOT NULL
                    ) AS cannot_be_classified
                FROM public.tracks t
                WHERE t.id = %s AND t.visibility = 'public'
                """,
                [track_id],
            ).fetchone()
            if row is None:
                return None
            tags = own_tags(connection, track_id) if has_tags(connection) else []
        has_file = row["file_id"] is not None and row["file_type"] is not None
        audio = AudioFile(row["file_id"], row["file_type"], row["r2_url"]) if has_file else None
        predictions = read_predictions(row["predictions"])
        flags = (row["is_decodable"], row["is_indexed"], row["cannot_be_classified"])
        return TrackGenres(track_id, audio, tags, predictions, *flags)


def comparable_tag(tag: str) -> str:
    """Equal for tags that differ in case and blanks alone."""
    return " ".join(tag.casefold().split())


def has_tags(connection: Connection) -> bool:
    """Whether there are tables of tags such as ours: an app may have none, or others."""
    columns = column_types(connection, ["tags", "track_tags"])
    return {"id", "name"} <= columns["tags"].keys() and (
        {"track_id", "tag_id"} <= columns["track_tags"].keys()
    )


def own_tags(connection: Connection, track_id: int) -> list[str]:
    """The names of the tags that the track has."""
    rows = connection.execute(
        "SELECT g.name FROM public.track_tags k JOIN public.tags g ON g.id = k.tag_id"
        " WHERE k.track_id = %s",
        [track_id],
    )
    return [row["name"] for row in rows if row["name"] is not None]


def read_predictions(stored: Any) -> list[GenrePrediction] | None:
    """What is well-formed of `extra`, which the app writes, too; best first, equals by name."""
    if not isinstance(stored, list):
        return None
    found = []
    for item in stored:
        match item:
            case {"name": str(name), "confidence": int(confidence) | float(confidence)} if (
                0 <= confidence <= 1
            ):
                found.append(GenrePrediction(name, float(confidence)))
    return sorted(found, key=lambda prediction: (-prediction.confidence, prediction.name))
