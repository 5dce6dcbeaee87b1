"""What holds after every step, and what holds at rest."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl
import psycopg

from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.generations import Generation
from resources.errors import BackendError
from resources.vectors.protocol import VectorDocument
from serving.search.nearest import FoundTrack, nearest_public
from tests.simulation.api import Api
from tests.simulation.app import App, Written
from tests.simulation.backends import CHUNK_TRACKS, Outside
from tests.simulation.outside import (
    Embedded,
    SimulatedModel,
    genres_of,
    vector_of,
    vector_of_text,
)

Row = dict[str, Any]


class ViolationError(AssertionError):
    """An invariant does not hold."""


def expect(holds: bool, message: str) -> None:
    if not holds:
        raise ViolationError(message)


_TRACKS: Final = """
SELECT t.id, t.title, t.file_id, t.artist_did, a.handle, t.visibility, t.extra,
    t.visibility = 'public' AS is_shown,
    p.step, coalesce(p.needs_genres, false) AS needs_genres,
    au.file_id AS audio, au.state, au.tried_with, e.file_id AS embedded, d.file_id AS indexed,
    g.file_id AS classified, g.failure AS genres_failure,
    ARRAY(SELECT name FROM track_tags tt JOIN tags ON tags.id = tt.tag_id WHERE track_id = t.id)
        AS tags
FROM tracks t JOIN artists a ON a.did = t.artist_did
LEFT JOIN moodsearch.pending(%(model)s, %(generation)s, 0, 1000, %(need_embedding)s) p
    ON p.track_id = t.id
LEFT JOIN moodsearch.track_audio au ON au.track_id = t.id
LEFT JOIN moodsearch.track_genres g ON g.track_id = t.id
LEFT JOIN moodsearch.track_embeddings e ON e.track_id = t.id AND e.model = %(model)s
LEFT JOIN moodsearch.track_documents d ON d.track_id = t.id AND d.generation = %(generation)s
ORDER BY t.id
"""

_EDITIONS: Final = "SELECT name, edition FROM moodsearch.stored_tables"

_GENERATIONS: Final = """
SELECT id, namespace, model, model_id, clap_model, clap_precision, is_live, is_building, replaced_at
FROM moodsearch.generations ORDER BY is_live DESC, created_at, id
"""

_FORGOTTEN: Final = """
WITH listed AS (
    SELECT job, track_id FROM moodsearch.work
    UNION ALL
    SELECT 'index', key::bigint FROM moodsearch.outbox
    WHERE consumer = 'work' AND kind IN ('tracks', 'track_tags') AND key IS NOT NULL
    UNION ALL
    SELECT 'index', t.id FROM moodsearch.outbox JOIN tracks t ON t.artist_did = key
    WHERE consumer = 'work' AND kind = 'artists'
)
SELECT job, p.track_id, p.step
FROM moodsearch.pending(%(model)s, %(generation)s, 0, 1000, %(need_embedding)s) p,
    LATERAL (
        -- What was replaced by another index is not kept up, but loses what may not be found.
        SELECT 'index' AS job WHERE step = 'remove' OR step IS NOT NULL AND %(takes_changes)s
        UNION ALL SELECT 'genres' WHERE needs_genres AND %(is_live)s
    ) jobs
WHERE NOT EXISTS (
        -- A track that is to be looked at is asked whether it has its genres, too.
        SELECT FROM listed l WHERE l.track_id = p.track_id AND l.job IN (jobs.job, 'index')
    )
    AND NOT EXISTS (SELECT FROM moodsearch.outbox WHERE consumer = 'work' AND key IS NULL)
    AND NOT EXISTS (SELECT FROM moodsearch.changes_missed WHERE consumer = 'work')
"""

_TO_REMOVE: Final = """
SELECT track_id FROM moodsearch.pending(%(model)s, %(generation)s, 0, 1000) WHERE step = 'remove'
"""

_TOLERANCE: Final = 1e-3
"""Of a similarity, which comes from the database."""


@dataclass
class Invariants:
    """What it asks itself, without an actor, passes the gate.

    `unstored`: by actor, what it embedded and has not stored yet. `locks_lost`: actors that another
    may have overtaken. `switching`: commands that have begun or brought back an index, and did not
    come to list what is to be done for it.
    """

    connection: psycopg.Connection[Row]
    app: App
    models: list[SimulatedModel]
    outside: Outside
    block_size: int
    configured: SimulatedModel
    backends: Backends

    def __post_init__(self) -> None:
        self._parsed: dict[str, tuple[bytes, dict[tuple[int, str], Any]]] = {}
        self._editions: dict[str, int] = {}
        self._rolled_back: dict[tuple[str, str], int] = {}
        self._present: set[str] = set()
        self._left: set[str] = set()
        self.generations: list[Generation] = []
        self.unstored: dict[str, set[tuple[str, int]]] = {}
        self.locks_lost: set[str] = set()
        self.switching: set[str] = set()
        self.configure(self.configured, self.backends)

    def configure(self, model: SimulatedModel, backends: Backends) -> None:
        """Everything is of that model from now on, `backends` too."""
        self.configured = model
        self.backends = backends
        self._api = Api(backends, self.outside.clock)

    def look_around(self) -> None:
        """Which tables are in use, and which indexes there are."""
        editions = self.connection.execute(_EDITIONS).fetchall()
        self._editions = {row["name"]: row["edition"] for row in editions}
        rows = self.connection.execute(_GENERATIONS).fetchall()
        self.generations = [Generation(**row) for row in rows]

    @property
    def _concerned(self) -> list[Generation]:
        """Indexes that there are, or the one that would be made first."""
        fingerprint = _fingerprint(self.configured)
        name = self.configured.name
        first = Generation(
            f"pgvector:simulated:{fingerprint}", "simulated", fingerprint, name, name, "int8", True
        )
        return self.generations or [first]

    def _target(self, generation: Generation) -> dict[str, Any]:
        return {
            "model": generation.model,
            "generation": generation.id,
            "need_embedding": self.outside.classifier.needs_embedding,
            "takes_changes": generation.takes_changes,
            "is_live": generation.is_live,
        }

    def _tracks(self, generation: Generation) -> list[Row]:
        return self.connection.execute(_TRACKS, self._target(generation)).fetchall()

    def check_step(self) -> None:
        """After a step that may have changed something."""
        self.look_around()
        for number, generation in enumerate(self._concerned):
            tracks = self._tracks(generation)
            if number == 0:
                self._check_apps_own(tracks)
                self._check_genres(tracks)
            self._check_recorded(tracks, generation)
            self._check_nothing_is_forgotten(generation)
        self._check_embedded()

    def _check_apps_own(self, tracks: list[Row]) -> None:
        """No update of the app's is lost."""
        written = self.app.contents.tracks
        expect(
            [row["id"] for row in tracks] == sorted(written),
            f"the app wrote {sorted(written)} and finds {[row['id'] for row in tracks]}",
        )
        for row in tracks:
            track = written[row["id"]]
            found = (row["title"], row["artist_did"], row["file_id"], row["visibility"])
            expect(
                found == (track.title, track.did, track.file_id, track.visibility)
                and row["extra"].get("plays") == track.plays
                and row["handle"] == self.app.contents.handles[track.did],
                f"the app wrote {track} and finds {row}",
            )
            expect(track.tags <= set(row["tags"]), f"track {row['id']} lost tags: {row['tags']}")

    def _check_recorded(self, tracks: list[Row], generation: Generation) -> None:
        """What counts as done is done: nothing is recorded that is not there."""
        model = generation.model_id
        for row in tracks:
            id_, file_id = row["id"], row["file_id"]
            number = self.app.files[file_id]
            if row["audio"] == file_id and row["tried_with"] is None:
                expect(
                    (row["state"] == "failed") == (number is None),
                    f"track {id_}: the audio {file_id} counts as {row['state']}",
                )
            if row["embedded"] == file_id:
                expect(number is not None, f"track {id_} counts as embedded without audio")
                vector = self._stored(model, id_).get((id_, file_id))
                expect(vector is not None, f"track {id_} counts as embedded, and is not stored")
                _expect_vector(vector, number, model, f"the stored vector of track {id_}")
            is_usable = row["state"] == "decodable" and row["audio"] == file_id
            if row["is_shown"] and is_usable and row["step"] is None:
                self._expect_document(row, number, generation)

    def _expect_document(self, row: Row, number: int | None, generation: Generation) -> None:
        document = self._documents(generation).get(row["id"])
        what = f"the document of track {row['id']} in {generation.namespace}"
        expect(document is not None, f"{what} is missing, and counts as there")
        assert document is not None
        _expect_vector(document.vector, number, generation.model_id, what)
        expect(
            (document.title, document.artist_handle, document.artist_did)
            == (row["title"], row["handle"], row["artist_did"]),
            f"{what} is {document.title} of {document.artist_handle}, which is {row}",
        )

    def _check_genres(self, tracks: list[Row]) -> None:
        for row in tracks:
            if row["extra"].get("genre_predictions_file_id") != row["file_id"]:
                continue
            number = self.app.files[row["file_id"]]
            expect(number is not None, f"track {row['id']} has genres without audio")
            assert number is not None
            names = [each["name"] for each in row["extra"]["genre_predictions"]]
            heard = [
                [p.name for p in genres_of(vector_of(number, model))]
                for model in [*(m.name for m in self.models), "the classifier"]
            ]
            expect(names in heard, f"track {row['id']} has another file's genres: {names}")

    def _check_embedded(self) -> None:
        """Nothing is embedded that is stored, and no more than a chunk is not stored yet."""
        for model in self.models:
            for each in model.heard:
                self._check_heard(model, each)
            model.heard.clear()
        self._forget_what_left()
        for ended in self.unstored.keys() & self.outside.gate.schedule.ended:
            del self.unstored[ended]
        for actor, numbers in self.unstored.items():
            for name, number in sorted(numbers):
                if self._is_stored(name, number):
                    numbers.discard((name, number))
            expect(
                len(numbers) <= CHUNK_TRACKS,
                f"{actor} embedded {len(numbers)} tracks that it has not stored",
            )

    def _check_heard(self, model: SimulatedModel, each: Embedded) -> None:
        file_id = self.app.by_number[each.number]
        expect(
            (model.name, file_id) not in self._rolled_back,
            f"file {each.number} was embedded again after a rollback",
        )
        if each.actor not in self.locks_lost:
            is_stored = self._is_stored(model.name, each.number)
            expect(not is_stored, f"file {each.number} was embedded again, though it is stored")
        self.unstored.setdefault(each.actor, set()).add((model.name, each.number))

    def _is_stored(self, model: str, number: int) -> bool:
        file_id = self.app.by_number[number]
        track_id = _track_of(file_id)
        return (track_id, file_id) in self._stored(model, track_id)

    def rolled_back(self) -> None:
        """The index that answers now did so before: what is embedded for it is so for good, unless
        its track leaves the catalogue or its table is lost."""
        self.look_around()
        for live in self.generations[:1]:
            for id_, track in self.app.contents.tracks.items():
                if (id_, track.file_id) in self._stored(live.model_id, id_):
                    edition = self._edition(live.model_id, id_)
                    self._rolled_back[live.model_id, track.file_id] = edition
        self._forget_what_left()

    def _forget_what_left(self) -> None:
        """Audio that was not a track's at any time may be embedded again, also later: a run that
        found it gone may be under way."""
        present = {track.file_id for track in self.app.contents.tracks.values()}
        self._left |= self._present - present
        self._present = present
        for (model, file_id), edition in list(self._rolled_back.items()):
            if file_id in self._left or self._edition(model, _track_of(file_id)) != edition:
                del self._rolled_back[model, file_id]

    def _check_nothing_is_forgotten(self, generation: Generation) -> None:
        """Whatever is to be done is on the list, or will be once the outbox is read."""
        if self.switching:
            return
        rows = self.connection.execute(_FORGOTTEN, self._target(generation)).fetchall()
        expect(not rows, f"to be done in {generation.namespace} and on no list: {rows}")

    def check_answers(self) -> None:
        """Nothing hidden is answered by any index, what is answered is what the catalogue says, and
        one model compared the query with what it heard itself."""
        self.look_around()
        if not self.app.contents.tracks or not self.generations:
            return
        if self.app.rng.random() < 0.5:
            self._api.load()
        query = f"query {self.app.rng.randrange(100)}"
        found = _answered(lambda: self._api.answer(query))
        self._check_shown(found)
        expect(
            any(self._is_of(model.name, query, found) for model in self.models),
            f"an answer mixes models: {found}",
        )
        asked = self.app.rng.choice(sorted(self.app.contents.tracks.values(), key=str))
        number = self.app.files[asked.file_id] or 0
        for generation in self.generations:
            vectors = self.backends.open_vectors(generation.namespace, generation.description)
            vector = vector_of(number, generation.model_id)
            self._check_shown(
                _answered(partial(nearest_public, vectors, self.backends.tracks, vector, 30))
            )

    def _check_shown(self, found: list[FoundTrack]) -> None:
        for each in found:
            track = self.app.contents.tracks.get(each.id)
            expect(track is not None, f"track {each.id} is answered, which is deleted")
            assert track is not None
            expect(track.visibility == "public", f"track {each.id} is answered, which is hidden")
            expect(
                (each.title, each.artist_handle)
                == (track.title, self.app.contents.handles[track.did]),
                f"track {each.id} is answered as {each.title} of {each.artist_handle}",
            )

    def _is_of(self, model: str, query: str, found: list[FoundTrack]) -> bool:
        """Whether each similarity is that of the query and some audio that the track has had, both
        by that model."""
        asked = vector_of_text(query, model)
        return all(
            any(
                abs(each.similarity - float(asked @ vector_of(number, model))) < _TOLERANCE
                for file_id, number in self.app.files.items()
                if number is not None and _track_of(file_id) == each.id
            )
            for each in found
        )

    def check_rest(self, *, exactly: bool) -> None:
        """The indexes that are kept up equal the catalogue; another one holds nothing that may not
        be found. `exactly`: they hold nothing else, either."""
        self.check_step()
        for generation in self._concerned:
            if generation.takes_changes:
                self._check_equal(generation, exactly=exactly)
            rows = self.connection.execute(_TO_REMOVE, self._target(generation)).fetchall()
            expect(not rows, f"left to be removed from {generation.namespace}: {rows}")
            shown = {id_ for id_, track in self._public()}
            held = set(self._documents(generation))
            if exactly and generation.takes_changes:
                expect(held <= shown, f"hidden, and in {generation.namespace}: {held - shown}")

    def check_replaced(self) -> None:
        """Without faults also an index that was replaced holds nothing that may not be found."""
        shown = {id_ for id_, _ in self._public()}
        for generation in self.generations:
            held = set(self._documents(generation))
            expect(held <= shown, f"hidden, and in {generation.namespace}: {held - shown}")

    def _public(self) -> list[tuple[int, Written]]:
        tracks = self.app.contents.tracks.items()
        return [(id_, track) for id_, track in tracks if track.visibility == "public"]

    def _check_equal(self, generation: Generation, *, exactly: bool) -> None:
        expected = set()
        for row in self._tracks(generation):
            number = self.app.files[row["file_id"]]
            expect(row["step"] is None, f"track {row['id']} is left to {row['step']}")
            if not row["is_shown"]:
                continue
            state = "failed" if number is None else "decodable"
            expect(row["state"] == state, f"track {row['id']} is {row['state']}, not {state}")
            if number is None:
                continue
            expected.add(row["id"])
            self._expect_document(row, number, generation)
            if not generation.is_live:
                continue
            expect(not row["needs_genres"], f"track {row['id']} is left without genres")
            if row["extra"].get("genre_predictions_file_id") == row["file_id"]:
                expect("auto_tag" not in row["extra"], f"track {row['id']} is still to be tagged")
            else:
                # A row that was deleted and written anew with the audio that it had: what was heard
                # in it counts as stored. Whoever asks for its tags has it classified.
                expect(
                    row["classified"] == row["file_id"],
                    f"track {row['id']} has no genres of its audio: {row['extra']}",
                )
        held = set(self._documents(generation))
        if not expected and not held:
            return
        vectors = self.backends.open_vectors(generation.namespace, generation.description)
        real = set(vectors.ids(0, 1000))
        expect(held == real, f"the namespace holds {real}, not {held}")
        expect(not exactly or held == expected, f"the index holds {held}, not {expected}")

    def _documents(self, generation: Generation) -> dict[int, VectorDocument]:
        """What an index holds."""
        return self.outside.documents.get(generation.namespace, {})

    def _stored(self, model: str, track_id: int) -> dict[tuple[int, str], Any]:
        """The rows of a block's embeddings, by track and file id, of the edition that is in use."""
        name, edition = self._table(model, track_id), self._edition(model, track_id)
        key = f"{name}{f'.{edition}' if edition > 1 else ''}.parquet"
        content = self.outside.store.objects.get(key)
        if content is None:
            return {}
        if key not in self._parsed or self._parsed[key][0] is not content:
            read = pl.read_parquet(io.BytesIO(content))
            keys = zip(read["track_id"], read["file_id"], strict=True)
            parsed = dict(zip(keys, read["vector"].to_numpy(), strict=True))
            self._parsed[key] = (content, parsed)
        return self._parsed[key][1]

    def _table(self, model: str, track_id: int) -> str:
        block = Block.containing(track_id, self.block_size)
        fingerprint = _fingerprint(self.outside.models[model])
        return f"moodsearch/embeddings/{fingerprint[:16]}/{block.key}"

    def _edition(self, model: str, track_id: int) -> int:
        return self._editions.get(self._table(model, track_id), 1)


def _answered(ask: Callable[[], list[FoundTrack]]) -> list[FoundTrack]:
    """Nothing where the search is not available: an index that just lost its last track is taken
    for one that was lost, until the records say so."""
    try:
        return ask()
    except BackendError:
        return []


def _fingerprint(model: SimulatedModel) -> str:
    return model.model.for_tracks().fingerprint


def _track_of(file_id: str) -> int:
    return int(file_id.split(".", maxsplit=1)[0])


def _expect_vector(vector: Any, number: int | None, model: str, what: str) -> None:
    assert number is not None
    expect(float(vector @ vector_of(number, model)) > 1 - 1e-4, f"{what} is another's")
