"""The triggers that tell of changed tracks: they miss nothing in silence, and never fail the app's
own write."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.catalogue.database import Database
from resources.catalogue.work.contents import Contents
from resources.catalogue.work.pending import PendingWork
from resources.catalogue.work.records import TrackRecords
from tests.catalogue.rows import add_artist, add_track, finish

WRITES = (
    "INSERT INTO public.artists (did, handle) VALUES ('did:new', 'new.example')",
    "INSERT INTO public.tracks (id, artist_did, file_id, file_type)"
    " VALUES (900, 'did:new', 'f', 'mp3')",
    "UPDATE public.tracks SET extra = '{\"plays\": 1}' WHERE id = 900",
    "UPDATE public.artists SET handle = 'newer.example' WHERE did = 'did:new'",
    "DELETE FROM public.tracks WHERE id = 900",
    "DELETE FROM public.artists WHERE did = 'did:new'",
)


@pytest.fixture
def app(
    database: Database, database_url: str, work: PendingWork, records: TrackRecords
) -> Iterator[psycopg.Connection]:
    """A connection of the app's, to a catalogue with a track that is indexed, where no
    column must be given or refers to another."""
    database.rows(
        """
        ALTER TABLE public.tracks DROP CONSTRAINT tracks_artist_did_fkey,
            ALTER title DROP NOT NULL, ALTER artist_did DROP NOT NULL, ALTER file_id DROP NOT NULL;
        ALTER TABLE public.artists ALTER handle DROP NOT NULL, ALTER display_name DROP NOT NULL;
        """
    )
    add_track(database, track_id=1)
    finish(work, records)
    noted(database, work)
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def warnings_of(app: psycopg.Connection) -> list[str]:
    warnings: list[str] = []
    app.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    return warnings


def noted(database: Database, work: PendingWork) -> list[int]:
    """The tracks that are listed for what the outbox holds, both of which are emptied."""
    work.absorb_changes()
    with database.transaction() as connection:
        rows = connection.execute("DELETE FROM moodsearch.work RETURNING track_id").fetchall()
    return sorted(row["track_id"] for row in rows)


def missed(database: Database) -> list[tuple[str, int]]:
    return [(each.table, each.transactions) for each in Contents(database).missed_changes()]


def test_a_change_is_noted_for_each_track_that_it_concerns(
    app: psycopg.Connection, database: Database, work: PendingWork
) -> None:
    for write, ids in (
        ("UPDATE public.tracks SET title = 'A Title'", [1]),
        ("UPDATE public.tracks SET file_id = NULL, title = NULL", [1]),
        ("UPDATE public.tracks SET title = title, extra = '{}'", []),
        ("UPDATE public.tracks SET id = 2", [1, 2]),
        ("UPDATE public.artists SET display_name = 'Else'", []),
        ("UPDATE public.artists SET handle = upper(handle)", [2]),
        ("INSERT INTO public.artists (did, handle) VALUES ('did:new', 'new')", []),
        ("UPDATE public.tracks SET artist_did = 'did:new'", [2]),
        ("DELETE FROM public.tracks", [2]),
    ):
        app.execute(write.encode())
        assert noted(database, work) == ids, write


def test_tracks_that_were_there_before_their_artist_are_noted(
    app: psycopg.Connection, database: Database, work: PendingWork
) -> None:
    app.execute("UPDATE public.tracks SET artist_did = 'did:late'")
    assert noted(database, work) == [1]
    app.execute("INSERT INTO public.artists (did, handle) VALUES ('did:late', 'late')")
    assert noted(database, work) == [1]
    app.execute("UPDATE public.artists SET did = 'did:gone' WHERE did = 'did:late'")
    assert noted(database, work) == [1]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("tracks", "title"),
        ("tracks", "visibility"),
        ("tracks", "artist_did"),
        ("artists", "handle"),
    ],
)
def test_an_app_may_drop_a_column_and_write_on(
    app: psycopg.Connection, table: str, column: str
) -> None:
    for write in WRITES:  # Plans are kept.
        app.execute(write.encode())
    app.execute(f"ALTER TABLE public.{table} DROP COLUMN {column} CASCADE".encode())
    for write in WRITES:
        changed = write.replace(f"{column},", "").replace(f", {column}", "")
        if column == "artist_did":
            changed = changed.replace("'did:new', 'f'", "'f'")
        if column == "handle":
            changed = changed.replace(", 'new.example'", "").replace("handle =", "display_name =")
        assert app.execute(changed.encode()).rowcount == 1


@pytest.mark.parametrize("column", ["title", "visibility"])
def test_what_was_missed_while_a_column_had_another_name_is_compared_once_it_is_back(
    app: psycopg.Connection, database: Database, work: PendingWork, column: str
) -> None:
    warnings = warnings_of(app)
    app.execute(f"ALTER TABLE public.tracks RENAME {column} TO other".encode())
    app.execute("UPDATE public.tracks SET other = 'private'")
    (warning,) = warnings
    assert warning.startswith("mood search did not see a change of public.tracks")
    ((state),) = Contents(database).missed_changes()
    assert (state.table, state.transactions) == ("tracks", 1)
    assert column in state.reason
    with pytest.raises(psycopg.errors.UndefinedColumn):
        work.reconcile()
    assert missed(database) == [("tracks", 1)]
    app.execute(f"ALTER TABLE public.tracks RENAME other TO {column}".encode())
    assert work.absorb_changes() == 0
    assert work.reconcile() == 1
    assert missed(database) == []
    (due,) = work.due_blocks("index", limit=10)
    assert due.track_ids == [1]


def test_another_type_of_a_column_is_followed(
    app: psycopg.Connection, database: Database, work: PendingWork
) -> None:
    app.execute("UPDATE public.tracks SET title = 'b'")
    app.execute("CREATE TYPE shown AS ENUM ('public', 'private')")
    app.execute("ALTER TABLE public.tracks ALTER visibility DROP DEFAULT")
    app.execute(
        "ALTER TABLE public.tracks ALTER visibility TYPE shown USING visibility::shown,"
        " ALTER title TYPE varchar(99), ALTER file_id TYPE bigint USING 1"
    )
    noted(database, work)
    app.execute("UPDATE public.tracks SET visibility = 'private'")
    assert noted(database, work) == [1]
    app.execute("UPDATE public.tracks SET file_id = '2'")
    assert noted(database, work) == [1]
    app.execute("UPDATE public.tracks SET extra = '{\"plays\": 1}'")
    assert noted(database, work) == []


def test_nothing_is_left_that_could_note_it_and_writes_go_on(app: psycopg.Connection) -> None:
    warnings = warnings_of(app)
    app.execute("DROP TABLE moodsearch.outbox, moodsearch.changes_missed")
    for write in WRITES:
        assert app.execute(write.encode()).rowcount == 1
    assert any("cannot note" in warning for warning in warnings)
    app.execute("DROP FUNCTION moodsearch.note_missed")
    for write in WRITES:
        assert app.execute(write.encode()).rowcount == 1
    app.execute("TRUNCATE public.tracks CASCADE")
    assert app.execute("SELECT FROM public.tracks").fetchall() == []


def test_an_app_waits_for_a_lock_of_ours_for_a_moment_only(
    app: psycopg.Connection, database: Database, database_url: str, work: PendingWork
) -> None:
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE moodsearch.outbox")
        app.execute("SET statement_timeout = '20s'")
        assert app.execute("UPDATE public.tracks SET title = 'new'").rowcount == 1
        # Waits for nothing.
        app.execute("SET statement_timeout = '400ms'")
        app.execute("UPDATE public.tracks SET extra = '{\"plays\": 1}'")
    assert missed(database) == [("tracks", 1)]
    assert work.reconcile() == 1


def test_a_statement_that_is_cancelled_in_a_trigger_is_cancelled(
    app: psycopg.Connection, database: Database, database_url: str
) -> None:
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE moodsearch.outbox")
        app.execute("SET statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            app.execute("UPDATE public.tracks SET title = 'new'")
    assert database.rows("SELECT title FROM public.tracks") == [{"title": "a title"}]
    assert missed(database) == []


def test_a_transaction_notes_and_warns_once_and_again_when_that_is_taken_back(
    app: psycopg.Connection, database: Database
) -> None:
    warnings = warnings_of(app)
    app.execute("DROP TABLE moodsearch.outbox")
    with app.transaction():
        with app.transaction() as savepoint:
            app.execute("UPDATE public.tracks SET title = 'one'")
            raise psycopg.Rollback(savepoint)
        for title in ("two", "three"):
            app.execute("UPDATE public.tracks SET title = %s", [title])
    assert len(warnings) == 2
    assert missed(database) == [("tracks", 1)]


def test_a_miss_that_is_not_committed_yet_is_not_forgotten(
    app: psycopg.Connection, database: Database, work: PendingWork
) -> None:
    app.execute("ALTER TABLE moodsearch.outbox RENAME TO hidden")
    with app.transaction():
        app.execute("UPDATE public.tracks SET title = 'new'")
        assert work.reconcile() == 0
    assert work.reconcile() == 1
    assert missed(database) == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE public.tracks DISABLE TRIGGER moodsearch_updated",
        "DROP TRIGGER moodsearch_updated ON public.artists",
        "ALTER TABLE public.tracks RENAME TO songs",
    ],
)
def test_triggers_that_are_gone_are_known_to_see_nothing(
    app: psycopg.Connection, database: Database, change: str
) -> None:
    assert Contents(database).sees_changes()
    app.execute(change.encode())
    assert not Contents(database).sees_changes()


BULK = {
    "tracks": "UPDATE public.tracks SET title = title || ' {n}' WHERE id <= {limit}",
    "artists": "UPDATE public.artists SET handle = handle || ' {n}' WHERE did <= 'did:{limit:04}'",
}


@pytest.mark.parametrize("table", ["tracks", "artists"])
def test_a_session_that_began_with_one_row_does_not_compare_each_row_with_each(
    app: psycopg.Connection, database: Database, work: PendingWork, table: str
) -> None:
    app.execute(
        "INSERT INTO public.artists (did, handle)"
        " SELECT 'did:' || to_char(n, 'FM0000'), n FROM generate_series(1, 2000) n"
    )
    app.execute(
        "INSERT INTO public.tracks (id, title, artist_did, file_id, file_type)"
        " SELECT n + 1, n, 'did:' || to_char(n, 'FM0000'), n, 'mp3' FROM generate_series(1, 2000) n"
    )
    app.execute("LOAD 'auto_explain'")
    app.execute("SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on")
    app.execute("SET auto_explain.log_nested_statements = on; SET client_min_messages = log")
    for number in range(7):
        app.execute(BULK[table].format(n=number, limit=1).encode())
    noted(database, work)
    plans = warnings_of(app)
    app.execute(BULK[table].format(n=9, limit=1500).encode())
    ours = [plan for plan in plans if "outbox" in plan and "Insert on outbox" in plan]
    assert len(ours) == 2  # One for each consumer.
    # No node of them is run once for each of the rows.
    lines = [line for plan in ours for line in plan.split("\n") if "loops=" in line]
    assert lines
    assert not [line for line in lines if "loops=1)" not in line]
    assert len(noted(database, work)) >= 1500 - 1


STATEMENTS = (
    "INSERT INTO public.tracks (id, title, artist_did, file_id, file_type)"
    " SELECT n, 'track ' || n, 'did:plc:artist', 'f' || n, 'mp3' FROM generate_series(1, 9) n"
    " ON CONFLICT (id) DO UPDATE SET title = 'again ' || excluded.id",
    "UPDATE public.tracks SET title = 'Renamed ' || id WHERE id % 2 = 0",
    "UPDATE public.tracks SET id = 100 - id",
    "UPDATE public.tracks SET extra = '{}'",
    "UPDATE public.tracks SET file_id = file_id || '!' WHERE id % 3 = 1",
    "UPDATE public.tracks SET visibility = 'private' WHERE id % 3 = 2",
    "DELETE FROM public.tracks WHERE id % 3 = 0",
    "TRUNCATE public.tracks CASCADE",
    "MERGE INTO public.tracks t USING generate_series(3, 12) n ON t.id = n"
    " WHEN MATCHED AND n < 5 THEN DELETE WHEN MATCHED THEN UPDATE SET title = 'Merged ' || n"
    " WHEN NOT MATCHED THEN INSERT (id, title, artist_did, file_id, file_type)"
    " VALUES (n, 'New ' || n, 'did:plc:artist', 'n' || n, 'mp3')",
    "UPDATE public.artists SET handle = handle || 'x'",
    "UPDATE public.artists SET handle = upper(handle), display_name = 'Ä'",
)


@pytest.mark.slow
@given(
    before=st.lists(st.sampled_from(STATEMENTS), max_size=3),
    after=st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=6),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_statements_are_run_the_comparison_finds_nothing_that_was_not_noted(
    database: Database,
    work: PendingWork,
    records: TrackRecords,
    before: list[str],
    after: list[str],
) -> None:
    add_artist(database)
    for statements in (before, after):
        finish(work, records)
        database.rows("DELETE FROM moodsearch.work")
        for statement in statements:
            with suppress(psycopg.errors.UniqueViolation):  # The app's own: it changed nothing.
                database.rows(statement)
        while work.absorb_changes():
            pass
        assert missed(database) == []
        assert work.reconcile() == 0
