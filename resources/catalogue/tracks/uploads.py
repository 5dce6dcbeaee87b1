"""Importing audio files as uploads: bytes into the object store, rows into the catalogue."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from resources.audio.artwork import Picture, find_picture, picture_key
from resources.audio.probe import probe
from resources.audio.source import refuse_too_large
from resources.audio.tags import AudioTags, audio_format, read_tags
from resources.catalogue.database import Connection, Database
from resources.catalogue.exclusions import Exclusions
from resources.catalogue.tracks.audio_files import AudioFile
from resources.errors import ExcludedError, TrackError, UserError
from resources.object_store.protocol import ObjectStore

UNKNOWN_ARTIST: Final = "Unknown artist"


@dataclass(frozen=True)
class Upload:
    """What became of a file. `is_new` is False when the catalogue already had these bytes;
    `has_cover` says whether the track has a picture now."""

    track_id: int
    title: str
    artist: str
    is_new: bool
    has_cover: bool = False


class Uploads:
    """Writes to a catalogue of our own.

    Raises `UserError` when the catalogue's tables are an app's: uploads go through the app there.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        if not owns_catalogue(database):
            raise UserError(
                "this database is an app's own: upload through the app, and mood search will "
                "index what it finds there (moodsearch backfill)"
            )

    def add(self, path: Path) -> Upload:
        """Import one audio file, with the cover inside or beside it. A track that is already there
        without a cover gets it now.

        Raises `ExcludedError` when it was forgotten, `TrackError` when it cannot be read as audio,
        and `UserError` or `BackendError` when it cannot be stored.
        """
        file_id = file_id_of(path)
        if Exclusions(self._database).has(file_id):
            raise ExcludedError("was forgotten; moodsearch forget --lift FILE lets it in again")
        file_type = audio_format(path)
        probe(path)
        tags = read_tags(path)
        with self._database.transaction() as connection:
            known = _find(connection, file_id)
        if known is None:
            self._store.put_file(AudioFile(file_id, file_type).key(), path)
        picture = None if known is not None and known.has_cover else self._stored_picture(path)
        if known is not None and picture is None:
            return known
        with self._database.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [file_id])
            found = _find(connection, file_id)
            if found is None:
                found = _insert(connection, path, file_id, file_type, tags)
            if picture is not None and not found.has_cover:
                _set_cover(connection, found.track_id, picture)
                return replace(found, has_cover=True)
            return found

    def _stored_picture(self, path: Path) -> Picture | None:
        picture = find_picture(path)
        if picture is not None:
            self._store.put(picture_key(picture.name), picture.data)
        return picture


def owns_catalogue(database: Database) -> bool:
    """Whether the catalogue's tables are ours rather than an app's."""
    rows = database.rows("SELECT value FROM moodsearch.settings WHERE key = 'owns_catalogue'")
    return bool(rows and rows[0]["value"])


def _find(connection: Connection, file_id: str) -> Upload | None:
    row = connection.execute(
        """
        SELECT t.id, t.title, a.display_name, t.image_url IS NOT NULL AS has_cover
        FROM public.tracks t JOIN public.artists a ON a.did = t.artist_did
        WHERE t.file_id = %s ORDER BY t.id LIMIT 1
        """,
        [file_id],
    ).fetchone()
    if row is None:
        return None
    return Upload(
        row["id"], row["title"], row["display_name"], is_new=False, has_cover=row["has_cover"]
    )


def _insert(
    connection: Connection, path: Path, file_id: str, file_type: str, tags: AudioTags
) -> Upload:
    title = tags.title or _title_from_name(path)
    artist = tags.artist or UNKNOWN_ARTIST
    did = _upsert_artist(connection, artist)
    album_id = None if tags.album is None else _upsert_album(connection, did, tags.album)
    (row,) = connection.execute(
        "INSERT INTO public.tracks (title, artist_did, album_id, file_id, file_type)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        [title, did, album_id, file_id, file_type],
    )
    return Upload(row["id"], title, artist, is_new=True)


def _set_cover(connection: Connection, track_id: int, picture: Picture) -> None:
    """Its album gets it too, unless that has one from another track. Keyword search shows another
    track's when that one is public no more."""
    values = {"id": track_id, "url": artwork_path(track_id, picture.name)}
    connection.execute("UPDATE public.tracks SET image_url = %(url)s WHERE id = %(id)s", values)
    connection.execute(
        "UPDATE public.albums SET image_url = %(url)s WHERE image_url IS NULL"
        " AND id = (SELECT album_id FROM public.tracks WHERE id = %(id)s)",
        values,
    )


def artwork_path(track_id: int, name: str) -> str:
    """Where the API has a picture, for `image_url`: below the API's own address, which only its
    callers know."""
    return f"/tracks/{track_id}/artwork/{name}"


def _upsert_artist(connection: Connection, name: str) -> str:
    """Artists are told apart by name, whatever its case and accents' encoding."""
    identity = unicodedata.normalize("NFKC", name).casefold()
    digest = hashlib.sha256(identity.encode()).hexdigest()
    did = f"did:local:{digest[:16]}"
    for handle in _handles(name, digest):
        known = connection.execute("SELECT 1 FROM public.artists WHERE did = %s", [did]).fetchone()
        if known is not None:
            return did
        # Waits for whoever inserts the same artist or handle just now. Only then do we know whether
        # it is taken; until we have one, nobody waits for us, so nobody waits for ever.
        inserted = connection.execute(
            "INSERT INTO public.artists (did, handle, display_name) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING did",
            [did, handle, name],
        ).fetchone()
        if inserted is not None:
            return did
    raise UserError(f"every handle for the artist {name!r} is taken")


def _handles(name: str, digest: str) -> Iterator[str]:
    """Handles for an artist, the most readable first."""
    readable = slug(name)
    if readable:
        yield readable
    for length in range(6 if readable else 16, len(digest) + 1):
        yield "-".join(part for part in (readable, digest[:length]) if part)


def _upsert_album(connection: Connection, artist_did: str, title: str) -> str:
    album_slug = slug(title) or hashlib.sha256(title.encode()).hexdigest()[:16]
    (row,) = connection.execute(
        "INSERT INTO public.albums (artist_did, slug, title) VALUES (%s, %s, %s)"
        " ON CONFLICT (artist_did, slug) DO UPDATE SET slug = excluded.slug RETURNING id",
        [artist_did, album_slug, title],
    )
    return str(row["id"])


def slug(text: str) -> str:
    """Lower-case words of ASCII letters and digits, joined by hyphens; may be empty."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:60]


def _title_from_name(path: Path) -> str:
    readable = path.stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    printable = "".join(c if c.isprintable() else " " for c in readable)
    return " ".join(printable.replace("_", " ").split()) or "Untitled"


def file_id_of(path: Path) -> str:
    """SHA-256 of the file's bytes in hex: the same bytes twice are one track."""
    try:
        with path.open("rb") as file:
            refuse_too_large(os.fstat(file.fileno()).st_size)
            digest = hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise TrackError(f"cannot be read: {error.strerror}") from None
    return digest.hexdigest()
