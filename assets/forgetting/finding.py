"""What a command or a run means, as a `Subject`: tracks, artists, and what goes with them."""

from collections.abc import Collection
from typing import Final

from assets.forgetting.subject import NONE, Subject
from resources.catalogue.database import Database
from resources.catalogue.tracks.uploads import owns_catalogue
from resources.errors import UserError

LARGEST_ID: Final = 2**63 - 1

_FILE_IDS: Final = """
WITH found AS (
    SELECT file_id::text FROM public.tracks WHERE id = ANY(%(ids)s)
    UNION SELECT file_id FROM moodsearch.track_audio WHERE track_id = ANY(%(ids)s)
    UNION SELECT file_id FROM moodsearch.track_genres WHERE track_id = ANY(%(ids)s)
    UNION SELECT file_id FROM moodsearch.track_embeddings WHERE track_id = ANY(%(ids)s)
    UNION SELECT file_id FROM moodsearch.track_documents WHERE track_id = ANY(%(ids)s)
)
SELECT file_id FROM found
WHERE file_id <> '' AND NOT EXISTS (
    SELECT FROM public.tracks t WHERE t.file_id::text = found.file_id AND t.id <> ALL(%(ids)s)
)
"""

_TITLES: Final = """
SELECT title::text AS title FROM public.tracks g WHERE id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT FROM public.tracks t WHERE t.title = g.title AND t.id <> ALL(%(ids)s)
)
"""

_ARTIST: Final = """
SELECT did::text, handle::text FROM public.artists
WHERE did::text = %(name)s OR handle::text = %(name)s OR display_name::text = %(name)s
"""

# What nothing but these tracks gives a reason to be there.
_LEFT_ALBUMS: Final = """
SELECT DISTINCT l.id FROM public.albums l
WHERE l.artist_did = ANY(%(dids)s) OR (
    l.id IN (SELECT album_id FROM public.tracks WHERE id = ANY(%(ids)s))
    AND NOT EXISTS (
        SELECT FROM public.tracks t WHERE t.album_id = l.id AND t.id <> ALL(%(ids)s)
    )
)
"""
_LEFT_TAGS: Final = """
SELECT g.id::text AS id FROM public.tags g
WHERE (
    g.created_by_did = ANY(%(dids)s)
    OR g.id IN (SELECT tag_id FROM public.track_tags WHERE track_id = ANY(%(ids)s))
) AND NOT EXISTS (
    SELECT FROM public.track_tags k WHERE k.tag_id = g.id AND k.track_id <> ALL(%(ids)s)
)
"""
_LEFT_ARTISTS: Final = """
SELECT did AS id FROM public.artists a
WHERE did = ANY(%(dids)s) OR (
    did IN (SELECT artist_did FROM public.tracks WHERE id = ANY(%(ids)s))
    AND NOT EXISTS (
        SELECT FROM public.tracks t WHERE t.artist_did = a.did AND t.id <> ALL(%(ids)s)
    )
    AND NOT EXISTS (SELECT FROM public.playlists p WHERE p.owner_did = a.did)
    AND NOT EXISTS (
        SELECT FROM public.albums l WHERE l.artist_did = a.did AND l.id <> ALL(%(albums)s)
    )
)
"""
_PLAYLISTS: Final = "SELECT id FROM public.playlists WHERE owner_did = ANY(%(dids)s)"

_PICTURES: Final = """
WITH pictures AS (
    SELECT id::text, split_part(image_url, '/artwork/', 2) AS name, 'tracks' AS kind
    FROM public.tracks WHERE image_url LIKE '%%/artwork/%%'
    UNION ALL
    SELECT id, split_part(image_url, '/artwork/', 2), 'albums'
    FROM public.albums
    -- A cover that an album has from one of the tracks is theirs.
    WHERE image_url LIKE '%%/artwork/%%' AND split_part(image_url, '/artwork/', 1)
        NOT IN (SELECT '/tracks/' || id FROM unnest(%(tracks)s::text[]) AS id)
)
SELECT name FROM pictures WHERE name <> '' GROUP BY name
HAVING bool_and(CASE kind WHEN 'tracks' THEN id = ANY(%(tracks)s) ELSE id = ANY(%(albums)s) END)
"""


def find(database: Database, what: str) -> Subject:
    """The track with this id, or the artist with this handle (`@` before it or not), DID or name.

    Raises `UserError` for a name that several artists have, and for one that none has.
    """
    if what.isascii() and what.isdecimal() and int(what) <= LARGEST_ID:
        return subject_of(database, {int(what)}, NONE)
    name = what.removeprefix("@")
    found = database.rows(_ARTIST, {"name": name})
    if len(found) > 1:
        handles = ", ".join(f"@{row['handle']}" for row in found)
        raise UserError(f"several artists are called {name!r}: say which of {handles}")
    if not found and not name.startswith("did:"):
        raise UserError(f"no artist is called {name!r}; a track is named by its id")
    did = str(found[0]["did"]) if found else name
    rows = database.rows(
        "SELECT id FROM public.tracks WHERE artist_did::text = %(did)s", {"did": did}
    )
    return subject_of(database, {int(row["id"]) for row in rows}, frozenset({did}))


def subject_of(database: Database, ids: Collection[int], dids: frozenset[str]) -> Subject:
    """The tracks and artists, and where the catalogue is ours, its rows that go with them."""
    parameters: dict[str, object] = {"ids": sorted(ids), "dids": sorted(dids)}

    def texts(query: str) -> frozenset[str]:
        with database.transaction() as connection:
            rows = connection.execute(query.encode(), parameters).fetchall()
        return frozenset(str(value) for row in rows for value in row.values())

    subject = Subject(
        track_ids=frozenset(ids),
        file_ids=texts(_FILE_IDS),
        titles=texts(_TITLES),
        dids=dids,
    )
    if not owns_catalogue(database):
        return subject
    tracks = texts("SELECT id FROM public.tracks WHERE id = ANY(%(ids)s)")
    parameters["tracks"] = sorted(tracks)
    albums = texts(_LEFT_ALBUMS)
    parameters["albums"] = sorted(albums)
    artists = texts(_LEFT_ARTISTS)
    return Subject(
        track_ids=subject.track_ids,
        file_ids=subject.file_ids,
        titles=subject.titles,
        pictures=texts(_PICTURES),
        dids=dids | artists,
        rows={
            "tracks": tracks,
            "albums": albums,
            "tags": texts(_LEFT_TAGS),
            "artists": artists,
            "playlists": texts(_PLAYLISTS),
        },
    )


def public_in_app(database: Database, subject: Subject) -> list[int]:
    """The subject's tracks that an app shows; none where the catalogue is ours."""
    if owns_catalogue(database):
        return []
    rows = database.rows(
        "SELECT id FROM public.tracks WHERE id = ANY(%(ids)s) AND visibility = 'public'"
        " ORDER BY id",
        {"ids": sorted(subject.track_ids)},
    )
    return [int(row["id"]) for row in rows]


def gone(database: Database, ids: Collection[int]) -> Subject:
    """Tracks of which everything that is ours goes, whatever is in the catalogue."""
    rows = database.rows(_FILE_IDS, {"ids": sorted(ids)})
    file_ids = frozenset(str(row["file_id"]) for row in rows)
    return Subject(track_ids=frozenset(ids), file_ids=file_ids)
