"""Albums, tags and playlists for tests, written as an app would write them, and found."""

import time
from collections.abc import Collection

from resources.catalogue.database import Database
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.names.search import Found, KeywordSearch
from tests.catalogue.rows import add_artist


class FollowedSearch(KeywordSearch):
    """Searches when the changes so far were followed, which the API does every second."""

    def __init__(self, database: Database, url: str) -> None:
        super().__init__(database)
        self._index = KeywordIndex(database, url)

    def search(self, query: str, types: Collection[str], limit: int) -> list[Found]:
        self._index.follow()
        return super().search(query, types, limit)


def until_followed(database: Database) -> None:
    """Wait until an API that runs has followed the changes so far."""
    deadline = time.monotonic() + 20
    while database.rows("SELECT id FROM moodsearch.outbox WHERE consumer = 'names' LIMIT 1"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def add_album(database: Database, title: str, *, artist: str = "artist", track: int | None) -> str:
    """An album with the track `track`, or an empty one."""
    rows = database.rows(
        "INSERT INTO public.albums (artist_did, slug, title)"
        " VALUES (%(did)s, md5(%(title)s), %(title)s) RETURNING id",
        {"did": add_artist(database, artist), "title": title},
    )
    album = str(rows[0]["id"])
    database.rows(
        "UPDATE public.tracks SET album_id = %(album)s WHERE id = %(track)s",
        {"album": album, "track": track},
    )
    return album


def add_tag(database: Database, name: str, *, track: int | None) -> int:
    """A tag of the track `track`, or of none."""
    rows = database.rows(
        "INSERT INTO public.tags (name) VALUES (%(name)s) RETURNING id", {"name": name}
    )
    tag = int(rows[0]["id"])
    if track is not None:
        database.rows(
            "INSERT INTO public.track_tags VALUES (%(track)s, %(tag)s)",
            {"track": track, "tag": tag},
        )
    return tag


def add_playlist(
    database: Database,
    name: str,
    *,
    shown: bool = True,
    owner: str = "artist",
    tracks: int = 1,
) -> str:
    rows = database.rows(
        "INSERT INTO public.playlists (owner_did, name, show_on_profile, track_count)"
        " VALUES (%(did)s, %(name)s, %(shown)s, %(tracks)s) RETURNING id",
        {"did": add_artist(database, owner), "name": name, "shown": shown, "tracks": tracks},
    )
    return str(rows[0]["id"])
