"""Who classified the tracks, and classifying them again when somebody asks for it."""

import pytest

from resources.catalogue.database import Database
from resources.catalogue.tracks.classified_by import ClassifiedBy
from resources.catalogue.work.pending import PendingWork
from resources.catalogue.work.records import AudioRecord, TrackRecords
from resources.genres.protocol import GenrePrediction
from tests.catalogue.rows import BLOCK, add_track, finish, probe, update_track, work_for

OLD, NEW = "zero-shot (a)", "effnet-discogs 1"
HEARD = [GenrePrediction("techno", 0.5)]


@pytest.fixture
def records(database: Database) -> TrackRecords:
    return TrackRecords(database)


@pytest.fixture
def work(database: Database) -> PendingWork:
    return work_for(database)


@pytest.fixture
def tracks(database: Database, work: PendingWork, records: TrackRecords) -> list[int]:
    """Four tracks that are done: three by the old classifier, one by nobody knows whom."""
    ids = [add_track(database, file_id=f"file-{n}") for n in range(4)]
    finish(work, records)
    for number, track in enumerate(ids[:3]):
        records.genres(track, f"file-{number}", HEARD, OLD)
    return ids


def needing_genres(work: PendingWork) -> list[int]:
    return [track.track_id for track in work.pending(BLOCK) if track.needs_genres]


def test_tracks_are_counted_by_who_classified_them(database: Database, tracks: list[int]) -> None:
    assert ClassifiedBy(database).counts() == {OLD: 3, None: 1}


def test_what_the_app_stored_itself_is_from_nobody_knows_whom(
    database: Database, tracks: list[int]
) -> None:
    extra = '{"genre_predictions": [], "genre_predictions_file_id": "file-0"}'
    database.rows("UPDATE moodsearch.track_genres SET file_id = 'an earlier file'")
    update_track(database, tracks[0], extra=extra)
    assert ClassifiedBy(database).counts() == {None: 4}


def test_another_classifier_makes_nothing_pending_by_itself(
    database: Database, work: PendingWork, tracks: list[int]
) -> None:
    assert ClassifiedBy(database).others_than(NEW) == tracks
    assert ClassifiedBy(database).others_than(OLD) == tracks[3:]
    assert work.pending(BLOCK) == []


def test_asking_makes_them_pending_until_they_are_classified_and_keeps_what_is_stored(
    database: Database, work: PendingWork, records: TrackRecords, tracks: list[int]
) -> None:
    classified = ClassifiedBy(database)
    classified.ask_again(classified.others_than(NEW, limit=2))
    assert needing_genres(work) == tracks[:2]
    (row,) = database.rows("SELECT extra FROM public.tracks WHERE id = 1")
    assert row["extra"]["genre_predictions"]
    assert classified.others_than(NEW) == tracks[2:]
    records.genres(tracks[0], "file-0", HEARD, NEW)
    records.genres_failed(tracks[1], "file-1", "no sound in it", NEW)
    assert needing_genres(work) == []
    assert classified.counts() == {NEW: 1, OLD: 1, None: 1}
    assert classified.others_than(NEW) == tracks[2:]


def test_what_the_new_classifier_refused_can_be_asked_for_again(
    database: Database, records: TrackRecords, tracks: list[int]
) -> None:
    records.genres_failed(tracks[0], "file-0", "no sound in it", NEW)
    records.forget_failures()
    assert tracks[0] in ClassifiedBy(database).others_than(NEW)


def test_hidden_tracks_and_unusable_audio_are_not_asked_for(
    database: Database, records: TrackRecords, tracks: list[int]
) -> None:
    update_track(database, tracks[0], visibility="private")
    update_track(database, tracks[1], file_id="file-new")
    records.audio([AudioRecord(tracks[2], "file-2", None, "no audio stream")])
    assert ClassifiedBy(database).others_than(NEW) == tracks[3:]


def test_a_classifier_of_audio_does_not_wait_for_the_embedding(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    hears_audio = work_for(database, genres_need_embedding=False)
    track = add_track(database)
    assert needing_genres(hears_audio) == []
    probe(records, work.pending(BLOCK)[0])
    assert needing_genres(work) == []
    assert needing_genres(hears_audio) == [track]
    hears_audio.reconcile()
    assert hears_audio.anything_due("genres")
    records.genres(track, "file-1", HEARD, NEW)
    hears_audio.settle("genres", BLOCK)
    assert not hears_audio.anything_due("genres")


def test_unusable_audio_is_sent_to_nobody(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database)
    probe(records, work.pending(BLOCK)[0], failure="no audio stream")
    hears_audio = work_for(database, genres_need_embedding=False)
    assert hears_audio.pending(BLOCK) == []
