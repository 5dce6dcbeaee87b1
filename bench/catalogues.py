"""Fills catalogues with tracks that are indexed already: real rows, tables and vectors, without
listening to a file for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.tables import VECTOR, BlockTable, Embeddings, GenrePredictions, TrackAudio
from assets.windows import WindowParts
from bench.figures import timed
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.records import AudioRecord, IndexRecord
from resources.embedding.protocol import EMBEDDING_DIMENSION
from resources.vectors.protocol import VectorDocument

CENTRES: Final = 200
SPREAD: Final = 0.5
"""Length of a vector's offset from its centre: two of one cluster have a cosine of about 0.8."""
WINDOW_STARTS: Final = [25.0, 85.0, 145.0]
WINDOWS: Final = pl.List(VECTOR)
TRACKS_PER_ARTIST: Final = 10


@dataclass(frozen=True, eq=False)
class Mixture:
    """Clusters of unit vectors, as music lies in an embedding's space. `centres`: (n, 512)."""

    centres: NDArray[np.float32]

    @classmethod
    def seeded(cls, seed: int) -> "Mixture":
        generator = np.random.default_rng(seed)
        return cls(unit(generator.standard_normal((CENTRES, EMBEDDING_DIMENSION))))

    @classmethod
    def around(cls, texts: NDArray[np.float32], cosine: float, seed: int) -> "Mixture":
        """Centres at `cosine` from the embeddings of descriptions (n, 512), each in a random
        direction: sounds lie near the texts that describe them, never among them."""
        away = unit(np.random.default_rng(seed).standard_normal(texts.shape))
        away = unit(away - np.sum(away * texts, axis=1, keepdims=True) * texts)
        return cls(unit(cosine * texts + np.sqrt(1 - cosine**2) * away))

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
        """(count, 512) float32, rows of length 1."""
        offsets = unit(generator.standard_normal((count, EMBEDDING_DIMENSION)))
        return unit(
            self.centres[generator.integers(len(self.centres), size=count)] + SPREAD * offsets
        )


def unit(vectors: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1."""
    scaled = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(scaled, np.float32)


def add_rows(backends: Backends, ids: Sequence[int]) -> None:
    """Public tracks in the catalogue, as an app would write them."""
    artists = sorted({number // TRACKS_PER_ARTIST for number in ids})
    with backends.database.transaction() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.artists (did, handle, display_name)"
            " SELECT 'did:bench:' || n, 'artist-' || n || '.example', 'Artist ' || n"
            " FROM unnest(%s::bigint[]) AS n ON CONFLICT DO NOTHING",
            [artists],
        )
        columns = "(id, title, artist_did, file_id, file_type)"
        with cursor.copy(f"COPY public.tracks {columns} FROM STDIN") as copy:
            for number in ids:
                artist = f"did:bench:{number // TRACKS_PER_ARTIST}"
                copy.write_row((number, f"Track {number}", artist, file_id(number), "mp3"))
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('public.tracks', 'id'), max(id))"
            " FROM public.tracks"
        )


def file_id(number: int) -> str:
    """As long as the SHA-256 that a real one is."""
    return f"{number:064x}"


def fill(
    backends: Backends, ids: range, vectors: NDArray[np.float32], *, with_tables: bool = True
) -> float:
    """Tracks as a backfill leaves them: rows, state, tables (if wanted), index and genres.

    `vectors`: (len(ids), 512) float32, rows of length 1. Returns the seconds that writing the
    index took.
    """
    add_rows(backends, ids)
    index_seconds = 0.0
    for block, own in _by_block(backends, ids):
        part = vectors[own.start - ids.start : own.stop - ids.start]
        if with_tables:
            _write_tables(backends, block, own, part)
        index_seconds += _record(backends, block, own, part)
    _leave_nothing_pending(backends)
    return index_seconds


def _by_block(backends: Backends, ids: range) -> Iterator[tuple[Block, range]]:
    start = ids.start
    while start < ids.stop:
        block = backends.work.block_of(start)
        stop = min(block.last + 1, ids.stop)
        yield block, range(start, stop)
        start = stop


def _write_tables(
    backends: Backends, block: Block, ids: range, vectors: NDArray[np.float32]
) -> None:
    keys = pl.DataFrame({"track_id": list(ids), "file_id": [file_id(number) for number in ids]})
    audio = keys.with_columns(
        duration_seconds=pl.lit(180.0),
        sample_rate=pl.lit(44_100, pl.Int32),
        channels=pl.lit(2, pl.Int32),
        codec=pl.lit("mp3"),
        failure=pl.lit(None, pl.String),
    )
    BlockTable(backends, TrackAudio, block).merge(audio.to_dicts())
    with_ids = [
        {"track_id": number, "file_id": file_id(number), "vector": vector}
        for number, vector in zip(ids, vectors, strict=True)
    ]
    model = backends.track_model.fingerprint
    BlockTable(backends, Embeddings, block, model).merge(with_ids)
    windows = keys.with_columns(
        windows=pl.Series([[vector] * len(WINDOW_STARTS) for vector in vectors], dtype=WINDOWS),
        starts_seconds=pl.lit(WINDOW_STARTS),
    )
    WindowParts(backends.store, block, backends.track_model.fingerprint).append(windows)
    genres = keys.with_columns(
        classifier=pl.lit(backends.classifier.name),
        names=pl.lit(["ambient", "techno", "dub"]),
        confidences=pl.lit([0.5, 0.3, 0.1]),
    )
    BlockTable(backends, GenrePredictions, block).merge(genres.to_dicts())


def _record(backends: Backends, block: Block, ids: range, vectors: NDArray[np.float32]) -> float:
    """Seconds that writing the index took."""
    backends.records.audio([AudioRecord(n, file_id(n), 180.0, None) for n in ids])
    backends.records.embedded(backends.track_model.fingerprint, [(n, file_id(n)) for n in ids])
    waiting = [track for track in backends.work.pending(block) if track.step == "index"]
    documents = [
        VectorDocument(
            id=track.track_id,
            vector=vectors[track.track_id - ids.start],
            title=str(track.title),
            artist_handle=str(track.artist_handle),
            artist_did=str(track.artist_did),
        )
        for track in waiting
    ]
    index_seconds = timed(lambda: backends.vectors.upsert(documents))
    backends.records.indexed(
        backends.generation.id,
        [IndexRecord(t.track_id, t.audio.file_id, str(t.attributes)) for t in waiting],
    )
    # In one statement each: a transaction for every track would take longer than all the rest.
    bounds = {"first": ids.start, "last": ids.stop - 1}
    backends.database.rows(
        """
        UPDATE public.tracks SET extra = jsonb_build_object(
            'genre_predictions_file_id', file_id,
            'genre_predictions', '[{"name": "ambient", "confidence": 0.5}]'::jsonb)
        WHERE id BETWEEN %(first)s AND %(last)s
        """,
        bounds,
    )
    backends.database.rows(
        "INSERT INTO moodsearch.track_genres (track_id, file_id)"
        " SELECT track_id, file_id FROM moodsearch.track_audio"
        " WHERE track_id BETWEEN %(first)s AND %(last)s",
        bounds,
    )
    return index_seconds


def _leave_nothing_pending(backends: Backends) -> None:
    while backends.work.absorb_changes():
        pass
    for job in ("index", "genres"):
        backends.work.due_blocks(job, limit=1)
    if backends.work.pending_everywhere(limit=1):
        raise RuntimeError("the filled catalogue has pending tracks")
    with backends.database.own_connection() as connection:
        # What autovacuum would do within minutes, so that it does not do it while we measure.
        connection.execute("VACUUM ANALYZE")
