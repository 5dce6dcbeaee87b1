"""Rows of the catalogue's tables: all of the subject's in one of our own, and of an app's nothing
but the keys that we wrote."""

from dataclasses import dataclass
from typing import Final, LiteralString

from assets.forgetting.subject import NONE, Subject
from resources.catalogue.database import Connection, Database
from resources.catalogue.tracks.uploads import owns_catalogue
from resources.catalogue.work.overview import Overview

PREDICTED_BY_US: Final = """
t.extra ? 'genre_predictions_file_id' AND EXISTS (
    SELECT FROM moodsearch.track_genres g
    WHERE g.track_id = t.id AND g.file_id IS NOT NULL AND g.failure IS NULL
)
"""
"""An app may write its own predictions under the same keys: those are not recorded here."""

_LET_GO: Final[tuple[LiteralString, ...]] = (
    # What stays, of others, refers to none of what goes.
    "UPDATE public.tracks SET album_id = NULL WHERE album_id = ANY(%(albums)s)"
    " AND id::text <> ALL(%(tracks)s)",
    "UPDATE public.tags SET created_by_did = NULL WHERE created_by_did = ANY(%(artists)s)"
    " AND id::text <> ALL(%(tags)s)",
    """
    UPDATE public.albums l SET image_url = (
        SELECT t.image_url FROM public.tracks t
        WHERE t.album_id = l.id AND t.image_url IS NOT NULL AND t.id::text <> ALL(%(tracks)s)
        ORDER BY t.id LIMIT 1
    )
    WHERE split_part(image_url, '/artwork/', 1)
        IN (SELECT '/tracks/' || id FROM unnest(%(tracks)s::text[]) AS id)
    """,
)

_TABLES: Final = {
    "track_tags": "track_id::text = ANY(%(tracks)s) OR tag_id::text = ANY(%(tags)s)",
    "tracks": "id::text = ANY(%(tracks)s)",
    "playlists": "id = ANY(%(playlists)s)",
    "albums": "id = ANY(%(albums)s)",
    "tags": "id::text = ANY(%(tags)s)",
    "artists": "did = ANY(%(artists)s)",
}
"""In the order in which they may be deleted."""


@dataclass(frozen=True)
class CatalogueRows:
    """Rows of a catalogue of our own. A playlist goes with its owner; it holds no entries here."""

    database: Database
    name: str = "catalogue"
    stays_while_hidden: bool = True

    def holds(self, place: str) -> bool:
        return place.removeprefix("public.") in _TABLES

    def remove(self, subject: Subject) -> int:
        if not any(subject.rows.values()) or not owns_catalogue(self.database):
            return 0
        parameters = {table: sorted(subject.rows.get(table, NONE)) for table in _TABLES}
        with self.database.transaction() as connection:
            for statement in _LET_GO:
                connection.execute(statement, parameters)
            return sum(_delete(connection, table, parameters) for table in _TABLES)


@dataclass(frozen=True)
class PredictionsInExtra:
    """Genres that we predicted, in `extra` of rows that stay."""

    database: Database
    name: str = "tracks.extra"
    stays_while_hidden: bool = False

    def holds(self, place: str) -> bool:
        return place == "public.tracks.extra"

    def remove(self, subject: Subject) -> int:
        if not Overview(self.database).may_write_genres():
            return 0
        with self.database.transaction() as connection:
            return connection.execute(
                f"""
                UPDATE public.tracks t
                SET extra = t.extra - 'genre_predictions' - 'genre_predictions_file_id'
                WHERE t.id = ANY(%(ids)s) AND {PREDICTED_BY_US}
                """,
                {"ids": sorted(subject.track_ids)},
            ).rowcount


def _delete(connection: Connection, table: str, parameters: dict[str, list[str]]) -> int:
    statement = f"DELETE FROM public.{table} WHERE {_TABLES[table]}"
    return connection.execute(statement.encode(), parameters).rowcount
