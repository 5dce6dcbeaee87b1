"""The app: it uploads, edits and deletes in its own transactions, and remembers what it wrote."""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from tests.simulation.faults import Gate
from tests.simulation.outside import NOT_AUDIO, SimulatedObjects, audio_of

IDS: Final = range(1, 24)
ARTISTS: Final = ("did:plc:a", "did:plc:b", "did:plc:c")
TAGS: Final = ("slow", "ambient", "live")


@dataclass
class Written:
    """A track as the app wrote it last. `file_id`: `<track>.<number of its audio>`."""

    title: str
    did: str
    file_id: str
    visibility: str = "public"
    plays: int = 0
    tags: set[str] = field(default_factory=set)


@dataclass
class Contents:
    """What the app expects its tables to hold."""

    tracks: dict[int, Written] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)


Edit = Callable[["App", psycopg.Cursor[Any], Contents], None]


class App:
    """`files`: the number of every audio file by its id; None for one that is no audio. `absent`:
    files whose upload has not ended yet."""

    def __init__(self, url: str, gate: Gate, rng: random.Random, store: SimulatedObjects) -> None:
        self._now = psycopg.connect(url, row_factory=dict_row)
        self._later = psycopg.connect(url, row_factory=dict_row)
        self._gate = gate
        self.rng = rng
        self._store = store
        self.contents = Contents()
        self._uncommitted: Contents | None = None
        self._edits_later: list[Edit] = []
        self.files: dict[str, int | None] = {}
        self.by_number: dict[int, str] = {}
        self.absent: set[str] = set()
        self._numbers = 0
        with self._now.transaction(), self._now.cursor() as cursor:
            for did in ARTISTS:
                handle = did[-1]
                cursor.execute(
                    "INSERT INTO artists (did, handle, display_name) VALUES (%s, %s, %s)",
                    [did, handle, handle],
                )
                self.contents.handles[did] = handle
            cursor.executemany("INSERT INTO tags (name) VALUES (%s)", [[name] for name in TAGS])

    def close(self) -> None:
        self._now.close()
        self._later.close()

    @property
    def has_open_transaction(self) -> bool:
        return self._uncommitted is not None

    def edit(self) -> None:
        """One edit, committed at once. One that would wait for the open transaction is given up."""
        self._apply(self._now, [self.rng.choices(*_WEIGHTED)[0]])

    def begin_late(self) -> None:
        """Edits whose transaction stays open across steps. The app's other edits wait meanwhile for
        what they touch, and so do ours."""
        edit = self.rng.choice((rename, replace, hide_or_show, insert, delete, rename_artist))
        contents = copy.deepcopy(self.contents)
        try:
            with self._later.cursor() as cursor:
                edit(self, cursor, contents)
        except psycopg.errors.LockNotAvailable:
            self._later.rollback()
            return
        self._gate.note(f"left open: {edit.__name__}")
        self._uncommitted = contents
        self._before_late = copy.deepcopy(self.contents)

    def end_late(self) -> None:
        """Commit or roll back what was left open."""
        if self._uncommitted is None:
            return
        if self.rng.random() < 0.8:
            self._later.commit()
            self._merge(self._before_late, self._uncommitted)
            self._gate.note("committed late")
        else:
            self._later.rollback()
            self._gate.note("rolled back late")
        self._uncommitted = None

    def finish_uploads(self) -> None:
        """Files that were absent arrive."""
        for file_id in sorted(self.absent):
            self._upload(file_id)
        self.absent.clear()

    def _apply(self, connection: psycopg.Connection[Any], edits: list[Edit]) -> None:
        contents = copy.deepcopy(self.contents)
        try:
            with connection.transaction(), connection.cursor() as cursor:
                for edit in edits:
                    edit(self, cursor, contents)
        except psycopg.errors.LockNotAvailable:
            return
        self.contents = contents

    def _merge(self, before: Contents, after: Contents) -> None:
        """What the late transaction changed, on what others changed meanwhile."""
        for did, handle in after.handles.items():
            if before.handles[did] != handle:
                self.contents.handles[did] = handle
        for id_ in set(before.tracks) | set(after.tracks):
            if before.tracks.get(id_) == after.tracks.get(id_):
                continue
            if id_ in after.tracks:
                present = self.contents.tracks.get(id_)
                self.contents.tracks[id_] = after.tracks[id_]
                if present is not None:
                    # Nobody waits for a row to tag it.
                    after.tracks[id_].tags |= present.tags
            else:
                self.contents.tracks.pop(id_, None)

    def new_file(self, track_id: int) -> str:
        """The id of a new audio file, which is there, or no audio, or comes later."""
        self._numbers += 1
        file_id = f"{track_id}.{self._numbers}"
        chance = self.rng.random()
        self.files[file_id] = None if chance < 0.08 else self._numbers
        self.by_number[self._numbers] = file_id
        if chance > 0.93:
            self.absent.add(file_id)
        else:
            self._upload(file_id)
        return file_id

    def old_file(self, track_id: int) -> str | None:
        """One that the track had before."""
        known = [file_id for file_id in self.files if file_id.startswith(f"{track_id}.")]
        return self.rng.choice(known) if known else None

    def _upload(self, file_id: str) -> None:
        number = self.files[file_id]
        content = NOT_AUDIO if number is None else audio_of(number)
        self._store.objects[f"audio/{file_id}.wav"] = content

    def said(self, edit: str) -> None:
        self._gate.note(f"edit: {edit}")


def _some(app: App, contents: Contents) -> int | None:
    return app.rng.choice(sorted(contents.tracks)) if contents.tracks else None


def insert(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    """A new track, or one whose id was deleted before, maybe with the same audio."""
    free = [id_ for id_ in IDS if id_ not in contents.tracks]
    if not free:
        return
    id_ = app.rng.choice(free)
    old = app.old_file(id_) if app.rng.random() < 0.5 else None
    track = Written(f"title {id_}", app.rng.choice(ARTISTS), old or app.new_file(id_))
    track.visibility = "public" if app.rng.random() < 0.85 else "private"
    marked = app.rng.random() < 0.2
    cursor.execute(
        "INSERT INTO tracks (id, title, artist_did, file_id, file_type, visibility, extra)"
        " VALUES (%s, %s, %s, %s, 'wav', %s, %s::jsonb)",
        [
            id_,
            track.title,
            track.did,
            track.file_id,
            track.visibility,
            '{"plays": 0, "auto_tag": true}' if marked else '{"plays": 0}',
        ],
    )
    contents.tracks[id_] = track
    app.said(f"insert {id_} {track.file_id} {track.visibility}")


def delete(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    id_ = _some(app, contents)
    if id_ is not None:
        cursor.execute("DELETE FROM tracks WHERE id = %s", [id_])
        del contents.tracks[id_]
        app.said(f"delete {id_}")


def replace(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    """Other audio: new, or what the track had before."""
    id_ = _some(app, contents)
    if id_ is None:
        return
    old = app.old_file(id_) if app.rng.random() < 0.4 else None
    file_id = old or app.new_file(id_)
    cursor.execute("UPDATE tracks SET file_id = %s WHERE id = %s", [file_id, id_])
    contents.tracks[id_].file_id = file_id
    app.said(f"replace {id_} {file_id}")


def rename(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    """Another title, of a few, so that an old one comes again."""
    id_ = _some(app, contents)
    if id_ is None:
        return
    title = f"title {id_} {app.rng.choice('xyz')}"
    cursor.execute("UPDATE tracks SET title = %s WHERE id = %s", [title, id_])
    contents.tracks[id_].title = title
    app.said(f"rename {id_} {title}")


def rename_artist(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    did = app.rng.choice(ARTISTS)
    handle = f"{did[-1]}{app.rng.randrange(4)}"
    cursor.execute("UPDATE artists SET handle = %s WHERE did = %s", [handle, did])
    contents.handles[did] = handle
    app.said(f"rename artist {did} {handle}")


def move_to_artist(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    id_ = _some(app, contents)
    if id_ is None:
        return
    did = app.rng.choice(ARTISTS)
    cursor.execute("UPDATE tracks SET artist_did = %s WHERE id = %s", [did, id_])
    contents.tracks[id_].did = did
    app.said(f"move {id_} to {did}")


def hide_or_show(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    id_ = _some(app, contents)
    if id_ is None:
        return
    track = contents.tracks[id_]
    track.visibility = "private" if track.visibility == "public" else "public"
    cursor.execute("UPDATE tracks SET visibility = %s WHERE id = %s", [track.visibility, id_])
    app.said(f"make {id_} {track.visibility}")


def play(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    """A count in the app's own part of `extra`."""
    id_ = _some(app, contents)
    if id_ is None:
        return
    contents.tracks[id_].plays += 1
    cursor.execute(
        "UPDATE tracks SET extra = extra || jsonb_build_object('plays', %s::int) WHERE id = %s",
        [contents.tracks[id_].plays, id_],
    )
    app.said(f"play {id_}")


def tag(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    id_ = _some(app, contents)
    if id_ is None:
        return
    name = app.rng.choice(TAGS)
    cursor.execute(
        "INSERT INTO track_tags SELECT %s, id FROM tags WHERE name = %s ON CONFLICT DO NOTHING",
        [id_, name],
    )
    contents.tracks[id_].tags.add(name)
    app.said(f"tag {id_} {name}")


def truncate(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    cursor.execute("TRUNCATE tracks CASCADE")
    contents.tracks.clear()
    app.said("truncate")


def import_many(app: App, cursor: psycopg.Cursor[Any], contents: Contents) -> None:
    for _ in range(app.rng.randint(4, 12)):
        insert(app, cursor, contents)


_WEIGHTED: Final[tuple[list[Edit], list[float]]] = (
    [
        insert,
        import_many,
        delete,
        replace,
        rename,
        rename_artist,
        move_to_artist,
        hide_or_show,
        play,
        tag,
        truncate,
    ],
    [14, 4, 6, 10, 8, 4, 2, 10, 4, 4, 0.7],
)
