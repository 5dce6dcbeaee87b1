"""A small catalogue that can be searched by name and by mood, and heard."""

import math
import struct
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

from resources.backends import Backends
from resources.catalogue.database import Database
from resources.vectors.protocol import VectorDocument
from tests.catalogue.rows import add_track, update_track

MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2

TRACKS = {
    "Silver Rain": ("ana.example", "calm solo piano in the rain"),
    "Silver Engine": ("bo.example", "fast dark techno"),
    "Warehouse": ("bo.example", "dark techno with a hard kick drum"),
    "Lullaby": ("ana.example", "gentle lullaby on a piano"),
    "Dust": ("cy.example", "dark ambient drone"),
    MARKUP: ("evil.example", "noise"),
    LONG: ("long.example", "choir"),
}
"""By title: the artist's handle, and what the track sounds like."""


def fill(backends: Backends) -> None:
    """Everything that begins with "Silver", and some that does not."""
    backends.store.put("audio/tone.wav", sound())
    ids = {}
    for title, (artist, _) in TRACKS.items():
        ids[title] = add_track(backends.database, title, artist=artist, file_id="tone")
        update_track(backends.database, ids[title], file_type="wav")
    vectors = backends.text_model.embed_text([mood for _, mood in TRACKS.values()])
    backends.vectors.upsert(
        [
            VectorDocument(ids[title], vector, title, artist, f"did:plc:{artist}")
            for (title, (artist, _)), vector in zip(TRACKS.items(), vectors, strict=True)
        ]
    )
    # Nobody is found by name who has no public track.
    add_track(backends.database, "Opus One", artist="silverman.example")
    _name_things(backends.database, ids["Lullaby"])


@contextmanager
def changed(backends: Backends, title: str, **columns: str) -> Iterator[None]:
    """A track that is otherwise for a while."""
    (track,) = backends.database.rows(
        "SELECT * FROM tracks WHERE title = %(title)s", {"title": title}
    )
    update_track(backends.database, track["id"], **columns)
    try:
        yield
    finally:
        before: Mapping[str, str] = {column: track[column] for column in columns}
        update_track(backends.database, track["id"], **before)


def sound(seconds: float = 3) -> bytes:
    """A WAV file: a quiet tone."""
    rate = 8_000
    samples = [int(2_000 * math.sin(0.3 * n)) for n in range(int(rate * seconds))]
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def _name_things(database: Database, track_id: int) -> None:
    """An album, a tag and a playlist whose names begin with "Silver"."""
    rows = database.rows("SELECT artist_did FROM tracks WHERE id = %(id)s", {"id": track_id})
    artist = rows[0]["artist_did"]
    database.rows(
        "INSERT INTO albums (id, artist_did, slug, title)"
        " VALUES ('a1', %(artist)s, 'silver-album', 'Silver Album')",
        {"artist": artist},
    )
    database.rows("UPDATE tracks SET album_id = 'a1' WHERE id = %(id)s", {"id": track_id})
    database.rows("INSERT INTO tags (id, name) VALUES (1, 'Silverwave')")
    database.rows("INSERT INTO track_tags VALUES (%(id)s, 1)", {"id": track_id})
    database.rows(
        "INSERT INTO playlists (owner_did, name, track_count, show_on_profile)"
        " VALUES (%(artist)s, 'Silver Mornings', 12, true)",
        {"artist": artist},
    )
