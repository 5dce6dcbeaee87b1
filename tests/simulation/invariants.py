"""What holds after every step, and what holds at rest."""

import io
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import psycopg

from resources.catalogue.work.blocks import Block
from serving.search.nearest import nearest_public
from tests.simulation.app import App
from tests.simulation.backends import CHUNK_TRACKS, SimulatedBackends
from tests.simulation.outside import Embedded, SimulatedModel, genres_of, vector_of

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

_AROUND: Final = """
SELECT name, edition, NULL AS model, false AS is_live FROM moodsearch.stored_tables
UNION ALL SELECT namespace, NULL, model, is_live FROM moodsearch.generations
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
SELECT job, p.track_id
FROM moodsearch.pending(%(model)s, %(generation)s, 0, 1000, %(need_embedding)s) p,
    LATERAL (
        SELECT 'index' AS job WHERE step IS NOT NULL
        UNION ALL SELECT 'genres' WHERE needs_genres
    ) jobs
WHERE NOT EXISTS (
        -- A track that is to be looked at is asked whether it has its genres, too.
        SELECT FROM listed l WHERE l.track_id = p.track_id AND l.job IN (jobs.job, 'index')
    )
    AND NOT EXISTS (SELECT FROM moodsearch.outbox WHERE consumer = 'work' AND key IS NULL)
    AND NOT EXISTS (SELECT FROM moodsearch.changes_missed WHERE consumer = 'work')
"""


@dataclass
class Invariants:
    """`backends`: of the model that is configured, without an actor: its calls pass the gate.

    `unstored`: by actor, what it embedded and has not stored yet. `locks_lost`: actors that another
    may have overtaken.
    """

    connection: psycopg.Connection[Row]
    app: App
    models: list[SimulatedModel]
    backends: SimulatedBackends

    def __post_init__(self) -> None:
        self._parsed: dict[str, tuple[bytes, dict[tuple[int, str], Any]]] = {}
        self._editions: dict[str, int] = {}
        self._is_live = True
        self._namespace: str | None = None
        self.unstored: dict[str, set[tuple[str, int]]] = {}
        self.locks_lost: set[str] = set()

    def configure(self, backends: SimulatedBackends) -> None:
        """Of another model from now on."""
        self.backends = backends

    def is_live(self) -> bool:
        """Whether the configured model's index answers, or none does yet. Another's has to be built
        by a backfill first, which looks at everything."""
        self._look_around()
        return self._is_live

    def _look_around(self) -> None:
        """Which tables are in use, whose index answers, and where the configured model's is."""
        rows = self.connection.execute(_AROUND).fetchall()
        self._editions = {row["name"]: row["edition"] for row in rows if row["edition"]}
        fingerprint = self.backends.track_model.fingerprint
        live = [row["model"] for row in rows if row["is_live"]]
        self._is_live = not live or live == [fingerprint]
        mine = [row["name"] for row in rows if row["model"] == fingerprint]
        self._namespace = mine[0] if mine else None

    def _target(self) -> dict[str, Any]:
        model = self.backends.track_model
        return {
            "model": model.fingerprint,
            "generation": self.backends.generations.id_of(model),
            "need_embedding": self.backends.classifier.needs_embedding,
        }

    def tracks(self) -> list[Row]:
        return self.connection.execute(_TRACKS, self._target()).fetchall()

    def check_step(self) -> None:
        """After a step that may have changed something."""
        self._look_around()
        tracks = self.tracks()
        self._check_apps_own(tracks)
        self._check_recorded(tracks)
        self._check_embedded()
        self._check_nothing_is_forgotten()

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

    def _check_recorded(self, tracks: list[Row]) -> None:
        """What counts as done is done: nothing is recorded that is not there."""
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
                vector = self._stored("embeddings", id_).get((id_, file_id))
                expect(vector is not None, f"track {id_} counts as embedded, and is not stored")
                self._expect_vector(vector, number, f"the stored vector of track {id_}")
            is_usable = row["state"] == "decodable" and row["audio"] == file_id
            if row["is_shown"] and is_usable and row["step"] is None:
                self._expect_document(row, number)
            self._check_genres(row, number)

    def _expect_document(self, row: Row, number: int | None) -> None:
        document = self.documents().get(row["id"])
        what = f"the index's document of track {row['id']}"
        expect(document is not None, f"{what} is missing, and counts as there")
        assert document is not None
        self._expect_vector(document.vector, number, what)
        expect(
            (document.title, document.artist_handle, document.artist_did)
            == (row["title"], row["handle"], row["artist_did"]),
            f"{what} is {document.title} of {document.artist_handle}, which is {row}",
        )

    def _check_genres(self, row: Row, number: int | None) -> None:
        if row["extra"].get("genre_predictions_file_id") != row["file_id"]:
            return
        expect(number is not None, f"track {row['id']} has genres without audio")
        assert number is not None
        names = [each["name"] for each in row["extra"]["genre_predictions"]]
        heard = [
            [p.name for p in genres_of(vector_of(number, model))]
            for model in [*(m.name for m in self.models), "the classifier"]
        ]
        expect(names in heard, f"track {row['id']} has another file's genres: {names}")

    def _expect_vector(self, vector: Any, number: int | None, what: str) -> None:
        assert number is not None
        expected = vector_of(number, self.backends.audio_model.model.id)
        expect(float(vector @ expected) > 1 - 1e-4, f"{what} is another's")

    def _check_embedded(self) -> None:
        """Nothing is embedded that is stored, and no more than a chunk is not stored yet."""
        for model in self.models:
            for each in model.heard:
                self._check_heard(model, each)
            model.heard.clear()
        for ended in self.unstored.keys() & self.backends.outside.gate.schedule.ended:
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
        if each.actor not in self.locks_lost:
            is_stored = self._is_stored(model.name, each.number)
            expect(not is_stored, f"file {each.number} was embedded again, though it is stored")
        self.unstored.setdefault(each.actor, set()).add((model.name, each.number))

    def _is_stored(self, model: str, number: int) -> bool:
        file_id = self.app.by_number[number]
        track_id = int(file_id.split(".")[0])
        return (track_id, file_id) in self._stored("embeddings", track_id, model)

    def _check_nothing_is_forgotten(self) -> None:
        """Whatever is to be done is on the list, or will be once the outbox is read."""
        if not self._is_live:
            return
        rows = self.connection.execute(_FORGOTTEN, self._target()).fetchall()
        expect(not rows, f"to be done and on no list: {rows}")

    def check_answers(self) -> None:
        """Nothing hidden is answered, and what is answered is what the catalogue says."""
        if not self.app.contents.tracks or not self.is_live() or self._namespace is None:
            return
        asked = self.app.rng.choice(sorted(self.app.contents.tracks.values(), key=str))
        number = self.app.files[asked.file_id] or 0
        vector = vector_of(number, self.backends.audio_model.model.id)
        found = nearest_public(self.backends.vectors, self.backends.tracks, vector, 30)
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

    def check_rest(self, *, exactly: bool) -> None:
        """The index equals the catalogue. `exactly`: it holds nothing else, either."""
        self.check_step()
        tracks = self.tracks()
        expected = set()
        for row in tracks:
            number = self.app.files[row["file_id"]]
            expect(row["step"] is None, f"track {row['id']} is left to {row['step']}")
            if not row["is_shown"]:
                continue
            state = "failed" if number is None else "decodable"
            expect(row["state"] == state, f"track {row['id']} is {row['state']}, not {state}")
            if number is None:
                continue
            expected.add(row["id"])
            self._expect_document(row, number)
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
        expect(self.is_live(), "another model's index answers")
        held = set(self.documents())
        if not expected and not held:
            return
        real = set(self.backends.vectors.ids(0, 1000))
        expect(held == real, f"the namespace holds {real}, not {held}")
        expect(not exactly or held == expected, f"the index holds {held}, not {expected}")

    def documents(self) -> dict[int, Any]:
        """What the configured model's index holds."""
        return self.backends.outside.documents.get(self._namespace or "", {})

    def _stored(
        self, table: str, track_id: int, model: str | None = None
    ) -> dict[tuple[int, str], Any]:
        """The rows of a block's table, by track and file id, of the edition that is in use."""
        described = [m.model for m in self.models if model is None or m.name == model]
        fingerprint = (
            self.backends.track_model.fingerprint
            if model is None
            else described[0].for_tracks().fingerprint
        )
        block = self._block(track_id)
        name = f"moodsearch/{table}/{fingerprint[:16]}/{block.key}"
        edition = self._editions.get(name, 1)
        key = f"{name}{f'.{edition}' if edition > 1 else ''}.parquet"
        content = self.backends.outside.store.objects.get(key)
        if content is None:
            return {}
        if key not in self._parsed or self._parsed[key][0] is not content:
            read = pl.read_parquet(io.BytesIO(content))
            keys = zip(read["track_id"], read["file_id"], strict=True)
            parsed = dict(zip(keys, read["vector"].to_numpy(), strict=True))
            self._parsed[key] = (content, parsed)
        return self._parsed[key][1]

    def _block(self, track_id: int) -> Block:
        return Block.containing(track_id, self.backends.work.block_size)
