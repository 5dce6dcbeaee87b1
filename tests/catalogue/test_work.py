"""What is pending for a track, after each thing that can happen to it."""

import threading
import time

import psycopg
import pytest

from resources.catalogue.blocks import Block
from resources.catalogue.database import Database
from resources.catalogue.locks import BlockLocks
from resources.catalogue.records import AudioRecord, IndexRecord, TrackRecords
from resources.catalogue.work import FIRST_DELAY_SECONDS, PendingTrack, PendingWork
from resources.errors import BackendError
from resources.genres.protocol import GenrePrediction
from tests.catalogue.rows import GENERATION, MODEL, add_track, update_track

BLOCK = Block(0, 999)


@pytest.fixture
def work(database: Database) -> PendingWork:
    return PendingWork(database, MODEL, GENERATION)


@pytest.fixture
def records(database: Database) -> TrackRecords:
    return TrackRecords(database)


def _only(work: PendingWork) -> PendingTrack:
    (track,) = work.pending(BLOCK)
    return track


def _probe(records: TrackRecords, track: PendingTrack, failure: str | None = None) -> None:
    records.audio([AudioRecord(track.track_id, track.audio.file_id, 12.5, failure)])


def _finish(work: PendingWork, records: TrackRecords) -> None:
    """Do everything that is pending, as the assets would."""
    for track in work.pending(BLOCK):
        if track.work == "remove":
            records.removed([track.track_id])
            continue
        if track.work == "probe":
            _probe(records, track)
        records.embedded(MODEL, [(track.track_id, track.audio.file_id)])
        records.indexed(
            GENERATION,
            [IndexRecord(track.track_id, track.audio.file_id, str(track.attributes))],
        )
        records.genres(track.track_id, track.audio.file_id, [GenrePrediction("techno", 0.5)])
    assert work.pending(BLOCK) == []


def test_a_new_track_goes_through_every_step_in_order(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    track = _only(work)
    assert (track.track_id, track.work, track.needs_genres) == (track_id, "probe", False)
    _probe(records, track)
    assert _only(work).work == "embed"
    records.embedded(MODEL, [(track_id, "file-1")])
    assert (_only(work).work, _only(work).needs_genres) == ("index", True)
    records.indexed(GENERATION, [IndexRecord(track_id, "file-1", str(_only(work).attributes))])
    assert (_only(work).work, _only(work).needs_genres) == (None, True)
    records.genres(track_id, "file-1", [GenrePrediction("techno", 0.9)])
    assert work.pending(BLOCK) == []


def test_replaced_audio_is_pending_from_the_first_step(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    _finish(work, records)
    update_track(database, track_id, file_id="file-2")
    assert _only(work).work == "probe"


@pytest.mark.parametrize("column", ["title"])
def test_a_changed_title_only_needs_to_be_indexed(
    database: Database, work: PendingWork, records: TrackRecords, column: str
) -> None:
    track_id = add_track(database)
    _finish(work, records)
    update_track(database, track_id, **{column: "another"})
    assert (_only(work).work, _only(work).needs_genres) == ("index", False)


def test_a_changed_handle_concerns_all_tracks_of_the_artist(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    mine = {add_track(database, file_id=f"f{n}", artist="renamed") for n in range(3)}
    add_track(database, file_id="other", artist="somebody-else")
    _finish(work, records)
    work.absorb_changes()
    database.rows("UPDATE public.artists SET handle = 'new' WHERE handle = 'renamed'")
    assert work.absorb_changes() == 3
    assert {(t.track_id, t.work) for t in work.pending(BLOCK)} == {(i, "index") for i in mine}


@pytest.mark.parametrize("visibility", ["private", "unlisted", "supporters"])
def test_a_track_that_is_hidden_leaves_the_index_and_comes_back_without_being_embedded_again(
    database: Database, work: PendingWork, records: TrackRecords, visibility: str
) -> None:
    track_id = add_track(database)
    _finish(work, records)
    update_track(database, track_id, visibility=visibility)
    assert _only(work).work == "remove"
    _finish(work, records)
    update_track(database, track_id, visibility="public")
    assert _only(work).work == "index"


def test_a_track_that_was_never_public_is_not_touched(
    database: Database, work: PendingWork
) -> None:
    add_track(database, visibility="private")
    assert work.pending(BLOCK) == []


def test_a_deleted_track_leaves_the_index_and_is_forgotten(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    _finish(work, records)
    database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": track_id})
    assert (_only(work).work, _only(work).is_deleted) == ("remove", True)
    _finish(work, records)
    assert database.rows("SELECT * FROM moodsearch.track_state") == []


def test_audio_that_cannot_be_used_is_not_tried_again_until_the_file_changes_or_somebody_asks(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database, "broken")
    _probe(records, _only(work), failure="not an audio file")
    assert work.pending(BLOCK) == []
    (failed,) = records.failed(limit=10)
    assert (failed.track_id, failed.title, failed.reason) == (
        track_id,
        "broken",
        "not an audio file",
    )
    assert records.forget_failures() == 1
    assert _only(work).work == "probe"
    _probe(records, _only(work), failure="not an audio file")
    update_track(database, track_id, file_id="file-2")
    assert _only(work).work == "probe"


def test_a_track_whose_new_audio_is_broken_leaves_the_index(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    _finish(work, records)
    update_track(database, track_id, file_id="file-2")
    _probe(records, _only(work), failure="truncated")
    assert _only(work).work == "remove"


def test_another_model_makes_every_track_pending(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database)
    _finish(work, records)
    other = PendingWork(database, "model-b", "pgvector:test:model-b")
    assert _only(other).work == "embed"


def test_another_index_makes_every_track_pending_without_embedding_again(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database)
    _finish(work, records)
    other = PendingWork(database, MODEL, "turbopuffer:test:model-a")
    assert _only(other).work == "index"


def test_predictions_that_the_app_already_has_are_kept(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    update_track(database, track_id, extra='{"genre_predictions_file_id": "file-1"}')
    _probe(records, _only(work))
    records.embedded(MODEL, [(track_id, "file-1")])
    assert not _only(work).needs_genres


def test_genres_are_written_beside_what_else_is_in_extra(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    update_track(database, track_id, extra='{"duration": 12}')
    _finish(work, records)
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
    seen = _only(work)
    update_track(database, track_id, file_id="file-2")
    _probe(records, seen)
    assert _only(work).work == "probe"


def test_only_changes_that_matter_are_noticed(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    work.absorb_changes()
    update_track(database, track_id, extra='{"plays": 1}', image_url="https://a.example/i.png")
    database.rows("UPDATE public.artists SET display_name = 'New name'")
    assert work.absorb_changes() == 0


def test_the_list_holds_what_changed_and_nothing_else(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    for number in range(50):
        add_track(database, file_id=f"f{number}")
    _finish(work, records)
    work.absorb_changes()
    assert work.due_blocks("index", limit=10) == []
    update_track(database, 7, title="changed")
    work.absorb_changes()
    (due,) = work.due_blocks("index", limit=10)
    assert (due.block, due.track_ids, due.attempts) == (BLOCK, [7], 0)


def test_the_latest_changes_are_due_first_and_busy_blocks_take_nobodys_place(
    database: Database, work: PendingWork
) -> None:
    for track_id in (5_500, 12, 2_000):
        add_track(database, file_id=f"f{track_id}", track_id=track_id)
        work.absorb_changes()
    busy = {work.block_of(2_000)}
    assert [due.track_ids for due in work.due_blocks("index", limit=9)] == [[2_000], [12], [5_500]]
    assert [due.track_ids for due in work.due_blocks("index", limit=1, busy=busy)] == [[12]]


def test_delays_grow_with_each_attempt_and_a_new_change_ends_them(
    database: Database, work: PendingWork
) -> None:
    track_id = add_track(database)
    work.absorb_changes()
    delays = []
    for _ in range(4):
        work.postpone("index", [track_id])
        assert work.due_blocks("index", limit=10) == []
        (row,) = database.rows(
            "SELECT extract(epoch FROM next_attempt_at - now())::float AS delay"
            " FROM moodsearch.work"
        )
        delays.append(row["delay"])
        database.rows("UPDATE moodsearch.work SET next_attempt_at = now()")
    expected = [FIRST_DELAY_SECONDS * 2**n for n in range(4)]
    assert delays == pytest.approx(expected, abs=2)
    work.postpone("index", [track_id])
    update_track(database, track_id, title="mended")
    work.absorb_changes()
    (due,) = work.due_blocks("index", limit=10)
    assert due.attempts == 0


def test_settled_tracks_leave_the_list_and_pending_ones_stay(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    add_track(database, file_id="done")
    _finish(work, records)
    waiting = add_track(database, file_id="waiting")
    work.absorb_changes()
    work.settle("index", BLOCK)
    rows = database.rows("SELECT track_id FROM moodsearch.work WHERE job = 'index'")
    assert [row["track_id"] for row in rows] == [waiting]


def test_reconcile_finds_what_no_trigger_saw(database: Database, work: PendingWork) -> None:
    track_id = add_track(database)
    database.rows("DELETE FROM moodsearch.outbox")
    assert work.absorb_changes() == 0
    assert work.reconcile() == 1
    assert work.reconcile() == 0
    (due,) = work.due_blocks("index", limit=10)
    assert due.block == work.block_of(track_id)


def test_a_truncated_catalogue_empties_the_index(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    for number in range(3):
        add_track(database, file_id=f"f{number}")
    _finish(work, records)
    work.absorb_changes()
    database.rows("TRUNCATE public.tracks CASCADE")
    assert work.absorb_changes() == 3
    assert {track.work for track in work.pending(BLOCK)} == {"remove"}


def test_one_worker_holds_a_block_at_a_time(database: Database) -> None:
    locks = BlockLocks(database)
    entered = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with locks.hold(BLOCK):
            entered.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(10)
    with locks.hold(Block(1000, 1999), wait_seconds=1):
        pass  # Another block is free.
    with pytest.raises(BackendError, match="another process"), locks.hold(BLOCK, wait_seconds=1):
        pass
    leave.set()
    holder.join()
    with locks.hold(BLOCK, wait_seconds=1):
        pass


def test_the_cost_of_looking_follows_the_changes_not_the_catalogue(
    database: Database, work: PendingWork
) -> None:
    """Rows that Postgres reads for a tick and a run: those of the block, not all 20,000."""
    add_track(database)
    database.rows(
        "INSERT INTO public.tracks (id, title, artist_did, file_id, file_type)"
        " SELECT i, 't', 'did:plc:artist', 'f' || i, 'mp3' FROM generate_series(10, 20000) i"
    )
    database.rows("INSERT INTO moodsearch.track_state (track_id) SELECT id FROM public.tracks")
    database.rows("DELETE FROM moodsearch.outbox")
    database.rows("INSERT INTO moodsearch.work (job, track_id) VALUES ('index', 15000)")
    database.rows("ANALYZE")
    before = _rows_read(database)
    work.absorb_changes()
    work.due_blocks("index", limit=10)
    work.pending(work.block_of(15_000))
    assert _rows_read(database) - before < 6_000


def _rows_read(database: Database) -> int:
    """Rows that all statements so far read from tables; Postgres counts them after a flush."""
    database.rows("SELECT pg_stat_force_next_flush()")
    (row,) = database.rows(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS n FROM pg_stat_user_tables"
    )
    return int(row["n"])


def test_a_track_that_is_listed_while_others_are_settled_stays_on_the_list(
    database: Database, work: PendingWork, records: TrackRecords, database_url: str
) -> None:
    """The change commits after the settling began and before it looks at the track's row."""
    track_id = add_track(database)
    _finish(work, records)
    work.ask_for("index", [track_id])
    with psycopg.connect(database_url) as app:
        app.execute("SELECT 1 FROM moodsearch.work WHERE track_id = %s FOR UPDATE", [track_id])
        settling = threading.Thread(target=work.settle, args=("index", BLOCK))
        settling.start()
        time.sleep(0.3)
        app.execute("UPDATE public.tracks SET title = 'changed' WHERE id = %s", [track_id])
        app.execute("UPDATE moodsearch.work SET attempts = 0 WHERE track_id = %s", [track_id])
    settling.join(10)
    assert [due.track_ids for due in work.due_blocks("index", limit=5)] == [[track_id]]
