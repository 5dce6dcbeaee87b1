"""What is pending for a track, after each thing that can happen to it."""

import pytest

from resources.catalogue.database import Database
from resources.catalogue.work.attempts import Attempts
from resources.catalogue.work.pending import PendingWork
from resources.catalogue.work.records import AudioRecord, IndexRecord, TrackRecords
from resources.genres.protocol import GenrePrediction
from tests.catalogue.rows import (
    BLOCK,
    GENERATION,
    MODEL,
    add_track,
    finish,
    only,
    probe,
    update_track,
    work_for,
)


def test_a_new_track_goes_through_every_step_in_order(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    track = only(work)
    assert (track.track_id, track.step, track.needs_genres) == (track_id, "probe", False)
    probe(records, track)
    assert only(work).step == "embed"
    records.embedded(MODEL, [(track_id, "file-1")])
    assert (only(work).step, only(work).needs_genres) == ("index", True)
    records.indexed(GENERATION, [IndexRecord(track_id, "file-1", str(only(work).attributes))])
    assert (only(work).step, only(work).needs_genres) == (None, True)
    records.genres(track_id, "file-1", [GenrePrediction("techno", 0.9)])
    assert work.pending(BLOCK) == []


def test_replaced_audio_is_pending_from_the_first_step(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    finish(work, records)
    update_track(database, track_id, file_id="file-2")
    assert only(work).step == "probe"


@pytest.mark.parametrize("column", ["title"])
def test_a_changed_title_only_needs_to_be_indexed(
    database: Database, work: PendingWork, records: TrackRecords, column: str
) -> None:
    track_id = add_track(database)
    finish(work, records)
    update_track(database, track_id, **{column: "another"})
    assert (only(work).step, only(work).needs_genres) == ("index", False)


def test_a_changed_handle_concerns_all_tracks_of_the_artist(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    mine = {add_track(database, file_id=f"f{n}", artist="renamed") for n in range(3)}
    add_track(database, file_id="other", artist="somebody-else")
    finish(work, records)
    work.absorb_changes()
    database.rows("UPDATE public.artists SET handle = 'new' WHERE handle = 'renamed'")
    assert work.absorb_changes() == 3
    assert {(t.track_id, t.step) for t in work.pending(BLOCK)} == {(i, "index") for i in mine}


@pytest.mark.parametrize("visibility", ["private", "unlisted", "supporters"])
def test_a_track_that_is_hidden_leaves_the_index_and_comes_back_without_being_embedded_again(
    database: Database, work: PendingWork, records: TrackRecords, visibility: str
) -> None:
    track_id = add_track(database)
    finish(work, records)
    update_track(database, track_id, visibility=visibility)
    assert only(work).step == "remove"
    finish(work, records)
    assert work.pending(BLOCK) == []
    update_track(database, track_id, visibility="public")
    assert only(work).step == "probe"
    probe(records, only(work))
    assert only(work).step == "index"


def test_a_track_that_was_never_public_is_not_touched(
    database: Database, work: PendingWork
) -> None:
    add_track(database, visibility="private")
    assert work.pending(BLOCK) == []


def test_a_deleted_track_leaves_the_index_and_is_forgotten(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    finish(work, records)
    database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": track_id})
    assert (only(work).step, only(work).is_deleted) == ("remove", True)
    finish(work, records)
    assert database.rows("SELECT moodsearch.known_tracks()") == []


def test_audio_that_cannot_be_used_is_not_tried_again_until_the_file_changes_or_somebody_asks(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database, "broken")
    probe(records, only(work), failure="not an audio file")
    assert work.pending(BLOCK) == []
    (failed,) = records.failed(limit=10)
    assert (failed.track_id, failed.title, failed.reason) == (
        track_id,
        "broken",
        "not an audio file",
    )
    assert records.forget_failures() == 1
    assert only(work).step == "probe"
    probe(records, only(work), failure="not an audio file")
    update_track(database, track_id, file_id="file-2")
    assert only(work).step == "probe"


def test_a_track_whose_new_audio_is_broken_leaves_the_index(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    finish(work, records)
    update_track(database, track_id, file_id="file-2")
    probe(records, only(work), failure="truncated")
    assert only(work).step == "remove"


def test_another_model_makes_every_track_pending(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database)
    finish(work, records)
    other = work_for(database, "model-b")
    assert only(other).step == "embed"


def test_going_back_to_an_earlier_model_only_does_what_changed_meanwhile(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    kept, renamed, replaced, new = (add_track(database, file_id=f"file-{n}") for n in range(4))
    database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": new})
    finish(work, records)
    other = work_for(database, "model-b")
    for track in other.pending(BLOCK):
        records.embedded("model-b", [(track.track_id, track.audio.file_id)])
        record = IndexRecord(track.track_id, track.audio.file_id, str(track.attributes))
        records.indexed("pgvector:test:model-b", [record])
    assert other.pending(BLOCK) == []
    update_track(database, renamed, title="another")
    update_track(database, replaced, file_id="file-new")
    add_track(database, file_id="file-3", track_id=new)
    steps = {track.track_id: track.step for track in work.pending(BLOCK)}
    assert steps == {renamed: "index", replaced: "probe", new: "probe"}
    records.embedding_lost(MODEL, [kept])
    assert {track.track_id: track.step for track in work.pending(BLOCK)}[kept] == "embed"
    assert kept not in {track.track_id for track in other.pending(BLOCK)}


def test_a_deleted_track_is_forgotten_but_for_what_another_index_still_holds_of_it(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    finish(work, records)
    other = "turbopuffer:test:model-a"
    records.indexed(other, [IndexRecord(track_id, "file-1", "digest")])
    database.rows("DELETE FROM public.tracks")
    finish(work, records)
    assert records.indexed_ids(other, BLOCK) == {track_id}
    theirs = work_for(database, store="turbopuffer")
    assert (only(theirs).step, only(theirs).is_deleted) == ("remove", True)
    records.removed(other, [track_id])
    assert theirs.pending(BLOCK) == []
    assert database.rows("SELECT moodsearch.known_tracks()") == []


def test_another_list_of_attributes_makes_tracks_pending_without_embedding_again(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database)
    finish(work, records)
    # As a version would that tells the index of something else, too.
    database.rows(
        "CREATE OR REPLACE FUNCTION moodsearch.attributes(title text, handle text, did text)"
        " RETURNS text LANGUAGE sql IMMUTABLE"
        " RETURN '2:' || md5(jsonb_build_array(2, title, handle, did)::text)"
    )
    assert only(work).step == "index"
    assert str(only(work).attributes).startswith("2:")


def test_another_index_makes_every_track_pending_without_embedding_again(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database)
    finish(work, records)
    other = work_for(database, store="turbopuffer")
    assert only(other).step == "index"


def test_predictions_that_the_app_already_has_are_kept(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    update_track(database, track_id, extra='{"genre_predictions_file_id": "file-1"}')
    probe(records, only(work))
    records.embedded(MODEL, [(track_id, "file-1")])
    assert not only(work).needs_genres


def test_genres_are_written_beside_what_else_is_in_extra(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    update_track(database, track_id, extra='{"duration": 12}')
    finish(work, records)
    (row,) = database.rows("SELECT extra FROM public.tracks")
    assert row["extra"] == {
        "duration": 12,
        "genre_predictions": [{"name": "techno", "confidence": 0.5}],
        "genre_predictions_file_id": "file-1",
    }


def test_genres_of_audio_that_was_replaced_meanwhile_are_not_written(
    database: Database, records: TrackRecords
) -> None:
    track_id = add_track(database)
    update_track(database, track_id, file_id="file-2")
    records.genres(track_id, "file-1", [GenrePrediction("techno", 0.5)])
    (row,) = database.rows("SELECT extra FROM public.tracks")
    assert row["extra"] == {}


def test_a_change_that_comes_while_a_track_is_worked_on_is_not_lost(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    seen = only(work)
    update_track(database, track_id, file_id="file-2")
    probe(records, seen)
    assert only(work).step == "probe"


def test_a_title_that_comes_back_while_another_is_written_is_written_again(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database, title="first")
    finish(work, records)
    update_track(database, track_id, title="second")
    records.about_to_write(GENERATION, [track_id])
    # The store has the second; the run is killed before it says so.
    update_track(database, track_id, title="first")
    assert only(work).step == "index"
    assert records.indexed_ids(GENERATION, BLOCK) == {track_id}


def test_what_failed_otherwise_than_by_its_audio_is_tried_again_when_settings_change(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    broken = add_track(database, file_id="broken")
    refused = add_track(database, file_id="refused")
    for track, tried_with in ((broken, None), (refused, "old settings")):
        file_id = "broken" if track == broken else "refused"
        records.audio([AudioRecord(track, file_id, None, "a reason", tried_with)])
        records.genres_failed(track, file_id, "a reason", tried_with=tried_with)
    assert records.forget_failures(but_tried_with="old settings") == 0
    assert work.pending(BLOCK) == []
    assert records.forget_failures(but_tried_with="new settings") == 1
    assert [(track.track_id, track.step) for track in work.pending(BLOCK)] == [(refused, "probe")]
    listed = database.rows("SELECT job, track_id FROM moodsearch.work ORDER BY job")
    assert [(row["job"], row["track_id"]) for row in listed] == [
        ("genres", refused),
        ("index", refused),
    ]


def test_a_track_whose_run_ended_without_a_word_is_remembered(database: Database) -> None:
    attempts = Attempts(database)
    first, second = add_track(database), add_track(database)
    assert attempts.begin("index", [first]) == set()
    # The process is killed. The next run:
    assert attempts.begin("index", [first, second]) == {first}
    attempts.end("index", [first, second])
    assert attempts.begin("index", [first, second]) == set()
