"""Rows of the catalogue for tests, written as an app would write them."""

from resources.catalogue.database import Database

MODEL = "model-a"
GENERATION = "pgvector:test:model-a"


def add_artist(database: Database, handle: str = "artist", did: str | None = None) -> str:
    did = did or f"did:plc:{handle}"
    database.rows(
        "INSERT INTO public.artists (did, handle, display_name)"
        " VALUES (%(did)s, %(handle)s, %(handle)s) ON CONFLICT DO NOTHING",
        {"did": did, "handle": handle},
    )
    return did


def add_track(
    database: Database,
    title: str = "a title",
    *,
    artist: str = "artist",
    file_id: str = "file-1",
    visibility: str = "public",
    track_id: int | None = None,
) -> int:
    rows = database.rows(
        """
        INSERT INTO public.tracks (id, title, artist_did, file_id, file_type, visibility)
        VALUES (coalesce(%(id)s, nextval(pg_get_serial_sequence('public.tracks', 'id'))),
            %(title)s, %(did)s, %(file_id)s, 'mp3', %(visibility)s)
        RETURNING id
        """,
        {
            "id": track_id,
            "title": title,
            "did": add_artist(database, artist),
            "file_id": file_id,
            "visibility": visibility,
        },
    )
    return int(rows[0]["id"])


def update_track(database: Database, track_id: int, **columns: str) -> None:
    for column, value in columns.items():
        database.rows(
            f"UPDATE public.tracks SET {column} = %(value)s WHERE id = %(id)s",
            {"value": value, "id": track_id},
        )
