"""Reading tracks for answers. The catalogue decides what is shown, whatever is in the index."""

from collections.abc import Sequence
from dataclasses import dataclass

from resources.catalogue.database import ANSWER_SECONDS, Database
from resources.catalogue.tracks.audio_files import AudioFile


@dataclass(frozen=True)
class Track:
    """What listeners see of a public track."""

    id: int
    title: str
    artist_handle: str
    artist_display_name: str
    image_url: str | None


class Tracks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def public(self, ids: Sequence[int]) -> dict[int, Track]:
        """The public tracks among `ids`; the others are left out."""
        with self._database.transaction(within=ANSWER_SECONDS) as connection:
            rows = connection.execute(
                """
                SELECT t.id, t.title, a.handle AS artist_handle,
                    a.display_name AS artist_display_name, t.image_url
                FROM public.tracks t JOIN public.artists a ON a.did = t.artist_did
                WHERE t.id = ANY(%s) AND t.visibility = 'public'
                """,
                [list(ids)],
            ).fetchall()
        return {row["id"]: Track(**row) for row in rows}

    def any_indexed(self, namespace: str, track_id: int | None = None) -> bool:
        """Whether any public track, or this one, is recorded to be in that namespace of an
        index."""
        rows = self._database.rows(
            """
            SELECT EXISTS (
                SELECT FROM moodsearch.track_documents d
                JOIN moodsearch.generations g ON g.id = d.generation
                JOIN public.tracks t ON t.id = d.track_id
                WHERE g.namespace = %(namespace)s AND t.visibility = 'public'
                    AND (%(track)s::bigint IS NULL OR d.track_id = %(track)s)
            ) AS any
            """,
            {"namespace": namespace, "track": track_id},
            within=ANSWER_SECONDS,
        )
        return bool(rows[0]["any"])

    def audio(self, track_id: int) -> AudioFile | None:
        """Where a public track's audio is; None for an unknown or non-public track."""
        rows = self._database.rows(
            "SELECT file_id, file_type, r2_url FROM public.tracks"
            " WHERE id = %(id)s AND visibility = 'public'",
            {"id": track_id},
            within=ANSWER_SECONDS,
        )
        return AudioFile(**rows[0]) if rows else None

    def count_public(self) -> int:
        rows = self._database.rows(
            "SELECT count(*) AS n FROM public.tracks WHERE visibility = 'public'"
        )
        return int(rows[0]["n"])
