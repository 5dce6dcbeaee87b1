"""The list of tracks whose turn it is: what gets on it, when, and what leaves it."""

import threading
import time

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.catalogue.flags import Flags
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.locks import BlockLocks
from resources.catalogue.work.pending import FIRST_DELAY_SECONDS, PendingWork
from resources.catalogue.work.records import IndexRecord, TrackRecords
from resources.errors import BackendError
from tests.catalogue.rows import (
    BLOCK,
    GENERATION,
    MODEL,
    add_artist,
    add_track,
    finish,
    only,
    probe,
    update_track,
)


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
    finish(work, records)
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
    finish(work, records)
    waiting = add_track(database, file_id="waiting")
    work.absorb_changes()
    work.settle("index", BLOCK)
    rows = database.rows("SELECT track_id FROM moodsearch.work WHERE job = 'index'")
    assert [row["track_id"] for row in rows] == [waiting]


def test_a_track_that_lacks_nothing_but_its_genres_is_put_on_their_list(
    database: Database, work: PendingWork, records: TrackRecords
) -> None:
    track_id = add_track(database)
    track = only(work)
    probe(records, track)
    records.embedded(MODEL, [(track_id, track.audio.file_id)])
    records.indexed(GENERATION, [IndexRecord(track_id, track.audio.file_id, str(track.attributes))])
    update_track(database, track_id, visibility="private")
    update_track(database, track_id, visibility="public")
    work.absorb_changes()
    assert work.due_blocks("index", limit=10) == []
    (due,) = work.due_blocks("genres", limit=10)
    assert due.track_ids == [track_id]


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
    finish(work, records)
    work.absorb_changes()
    database.rows("TRUNCATE public.tracks CASCADE")
    assert work.absorb_changes() == 3
    assert {track.step for track in work.pending(BLOCK)} == {"remove"}


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
    database.rows(
        "INSERT INTO moodsearch.track_audio (track_id, file_id, state)"
        " SELECT id, file_id, 'decodable' FROM public.tracks"
    )
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
    finish(work, records)
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


def test_the_flags_of_a_deleted_artist_go_and_those_of_others_stay(
    database: Database, work: PendingWork
) -> None:
    flags = Flags(database)
    for user in (add_artist(database, "gone"), add_artist(database, "stays"), "did:plc:listener"):
        flags.grant(user, "vibe-search")
    database.rows("DELETE FROM public.artists WHERE handle = 'gone'")
    database.rows("UPDATE public.artists SET handle = 'renamed' WHERE handle = 'stays'")
    work.absorb_changes()
    assert flags.of("did:plc:gone") == []
    assert flags.of("did:plc:stays") == flags.of("did:plc:listener") == ["vibe-search"]
