"""Rows of the catalogue for tests, written as an app would write them."""

from assets.forgetting.rows import all_rows
from assets.forgetting.subject import Subject
from resources.catalogue.database import Database
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.generations import Generations
from resources.catalogue.work.pending import PendingTrack, PendingWork
from resources.catalogue.work.records import AudioRecord, IndexRecord, TrackRecords
from resources.embedding.protocol import EMBEDDING_DIMENSION, ModelDescription
from resources.genres.protocol import GenrePrediction
from resources.settings import ModelSetting

MODEL = "model-a"
GENERATION = "pgvector:test:model-a"
BLOCK = Block(0, 999)


def model(fingerprint: str = MODEL) -> ModelDescription:
    return ModelDescription(f"test/{fingerprint}", "1", EMBEDDING_DIMENSION, fingerprint, "none")


def generations_in(database: Database, store: str = "pgvector") -> Generations:
    return Generations(database, store, "test", ModelSetting("offline", "int8"))


def work_for(
    database: Database,
    fingerprint: str = MODEL,
    *,
    store: str = "pgvector",
    genres_need_embedding: bool = True,
) -> PendingWork:
    return PendingWork(
        database,
        model(fingerprint),
        generations_in(database, store),
        genres_need_embedding=genres_need_embedding,
    )


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


def only(work: PendingWork) -> PendingTrack:
    (track,) = work.pending(BLOCK)
    return track


def probe(records: TrackRecords, track: PendingTrack, failure: str | None = None) -> None:
    records.audio([AudioRecord(track.track_id, track.audio.file_id, 12.5, failure)])


def take_back(records: TrackRecords, track: PendingTrack) -> None:
    """Forget a track that is deleted, and of one that is hidden all but its embedding."""
    for rows in all_rows(records._database, out_of_reach=["turbopuffer:test:model-a"]):
        if track.is_deleted or not rows.stays_while_hidden:
            rows.remove(Subject(track_ids=frozenset([track.track_id])))


def finish(work: PendingWork, records: TrackRecords) -> None:
    """Do everything that is pending, as the assets would."""
    for track in work.pending(BLOCK):
        if track.step == "remove":
            take_back(records, track)
            continue
        if track.step == "probe":
            probe(records, track)
        records.embedded(MODEL, [(track.track_id, track.audio.file_id)])
        records.indexed(
            GENERATION,
            [IndexRecord(track.track_id, track.audio.file_id, str(track.attributes))],
        )
        records.genres(track.track_id, track.audio.file_id, [GenrePrediction("techno", 0.5)])
    assert work.pending(BLOCK) == []
