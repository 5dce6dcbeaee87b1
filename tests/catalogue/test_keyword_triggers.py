"""Names follow every change that triggers see, and nothing of it fails the app's own write."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.catalogue.database import Database
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.names.search import TYPES, KeywordSearch
from tests.catalogue.names import FollowedSearch, add_album, add_playlist, add_tag
from tests.catalogue.rows import add_artist, add_track

WRITES = {
    "tracks": (
        "INSERT INTO public.tracks (id, artist_did, file_id, file_type)"
        " VALUES (900, 'did:plc:artist', 'f', 'mp3')",
        "UPDATE public.tracks SET extra = '{\"a\": 1}' WHERE id = 900",
        "DELETE FROM public.tracks WHERE id = 900",
    ),
    "artists": (
        "INSERT INTO public.artists (did, handle) VALUES ('did:new', 'new.example')",
        "UPDATE public.artists SET handle = 'newer.example' WHERE did = 'did:new'",
        "DELETE FROM public.artists WHERE did = 'did:new'",
    ),
    "albums": (
        "INSERT INTO public.albums (id, artist_did, slug) VALUES ('new', 'did:plc:artist', 'n')",
        "UPDATE public.albums SET slug = 'm' WHERE id = 'new'",
        "DELETE FROM public.albums WHERE id = 'new'",
    ),
    "tags": (
        "INSERT INTO public.tags (id) VALUES (900)",
        "UPDATE public.tags SET id = 901 WHERE id = 900",
        "DELETE FROM public.tags WHERE id = 901",
    ),
    "playlists": (
        "INSERT INTO public.playlists (id, owner_did, name)"
        " VALUES ('new', 'did:plc:artist', 'New')",
        "UPDATE public.playlists SET name = 'Newer' WHERE id = 'new'",
        "DELETE FROM public.playlists WHERE id = 'new'",
    ),
}


@pytest.fixture
def index(database: Database, database_url: str) -> KeywordIndex:
    return KeywordIndex(database, database_url)


@pytest.fixture
def search(database: Database, database_url: str) -> KeywordSearch:
    return FollowedSearch(database, database_url)


@pytest.fixture
def app(database: Database, database_url: str) -> Iterator[psycopg.Connection]:
    """A connection of the app's, to a catalogue with a name of each kind."""
    track = add_track(database, "Nova")
    add_album(database, "Nova", track=track)
    add_tag(database, "nova", track=track)
    add_playlist(database, "Nova")
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def found(search: KeywordSearch, query: str = "nova") -> set[str]:
    return {each.type for each in search.search(query, TYPES, 20)}


def missed(database: Database) -> int:
    return int(
        database.rows(
            "SELECT count(*) AS n FROM moodsearch.changes_missed WHERE consumer = 'names'"
        )[0]["n"]
    )


def differs(database: Database, index: KeywordIndex) -> int:
    """How many names a full comparison finds to differ, once the changes were followed."""
    database.rows("UPDATE moodsearch.search_sources SET compared_at = NULL")
    return index.keep()


@pytest.mark.parametrize(
    ("table", "column", "left"),
    [
        ("tracks", "title", {"album", "tag", "playlist"}),
        # What every other answer shows.
        ("artists", "display_name", {"tag"}),
        ("albums", "title", {"track", "tag", "playlist"}),
        ("tags", "name", {"track", "album", "playlist"}),
        ("playlists", "show_on_profile", {"track", "album", "tag"}),
    ],
)
def test_an_app_may_drop_a_column_and_write_on(
    app: psycopg.Connection,
    database: Database,
    database_url: str,
    index: KeywordIndex,
    search: KeywordSearch,
    table: str,
    column: str,
    left: set[str],
) -> None:
    assert found(search) == {"track", "album", "tag", "playlist"}
    app.execute(f"ALTER TABLE public.{table} DROP COLUMN {column}".encode())
    for write in WRITES[table]:
        assert app.execute(write.encode()).rowcount == 1
    # At once, though the schema was read before.
    assert found(search) == left
    index.keep()
    assert found(search) == left
    assert found(FollowedSearch(database, database_url)) == left


def test_what_was_missed_while_a_column_had_another_name_is_found_once_it_is_back(
    app: psycopg.Connection,
    database: Database,
    database_url: str,
    index: KeywordIndex,
    search: KeywordSearch,
) -> None:
    warnings: list[str] = []
    app.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    app.execute("ALTER TABLE public.tags RENAME name TO label")
    app.execute("UPDATE public.tags SET label = 'Quasar'")
    assert "public.tags" in warnings[0]
    index.keep()
    assert found(search) == {"track", "album", "playlist"}
    app.execute("ALTER TABLE public.tags RENAME label TO name")
    index.keep()
    assert found(FollowedSearch(database, database_url), "quasar") == {"tag"}
    assert [state.missed for state in index.states()] == [None] * 6


def test_another_type_of_a_column_is_followed(
    app: psycopg.Connection, database: Database, index: KeywordIndex, search: KeywordSearch
) -> None:
    assert "playlist" in found(search)
    app.execute("ALTER TABLE public.playlists ALTER id TYPE varchar(99), ALTER name TYPE varchar")
    app.execute("CREATE TYPE shown AS ENUM ('public', 'private')")
    app.execute("ALTER TABLE public.tracks ALTER visibility DROP DEFAULT")
    app.execute("ALTER TABLE public.tracks ALTER visibility TYPE shown USING visibility::shown")
    app.execute("UPDATE public.playlists SET name = 'Quasar'")
    app.execute("UPDATE public.tracks SET title = 'Quasar'")
    assert found(search, "quasar") == {"track", "playlist"}
    assert differs(database, index) == 0


def test_a_condition_that_fails_leaves_out_its_kind_alone(
    app: psycopg.Connection, database: Database, index: KeywordIndex, search: KeywordSearch
) -> None:
    assert "track" in found(search)
    app.execute("ALTER TABLE public.playlists ALTER show_on_profile DROP DEFAULT")
    app.execute("ALTER TABLE public.playlists ALTER show_on_profile TYPE text")
    app.execute("UPDATE public.playlists SET name = 'Quasar'")
    app.execute("UPDATE public.albums SET title = 'Quasar'")
    assert found(search, "quasar") == {"album"}
    with app.transaction():
        app.execute("SET LOCAL session_replication_role = replica")
        app.execute("UPDATE public.tags SET name = 'quasar'")
    differs(database, index)
    assert found(search, "quasar") == {"album", "tag"}


def test_a_search_table_that_was_dropped_fails_no_write_and_is_made_again(
    app: psycopg.Connection, database: Database, index: KeywordIndex, search: KeywordSearch
) -> None:
    app.execute("DROP TABLE moodsearch.search_texts")
    add_tag(database, "quasar", track=add_track(database, "Quasar"))
    app.execute("UPDATE public.playlists SET name = 'Quasar'")
    app.execute("DELETE FROM public.playlists WHERE name = 'Nova'")
    app.execute("TRUNCATE public.albums CASCADE")
    add_tag(database, "quasar two", track=add_track(database, "Quasar Two"))
    index.keep()
    assert found(search, "quasar") == {"track", "tag", "playlist"}
    assert all(state.is_complete for state in index.states())
    assert differs(database, index) == 0


def test_nothing_is_left_that_could_note_it_and_writes_go_on(
    app: psycopg.Connection, database: Database
) -> None:
    app.execute("DROP TABLE moodsearch.outbox, moodsearch.changes_missed")
    assert app.execute("UPDATE public.albums SET title = 'Quasar'").rowcount == 1
    app.execute("DROP FUNCTION moodsearch.note_missed, moodsearch.watched")
    assert app.execute("UPDATE public.albums SET title = 'Pulsar'").rowcount == 1
    assert app.execute("DELETE FROM public.playlists").rowcount == 1


def test_an_app_does_not_wait_for_who_follows_it(
    app: psycopg.Connection, database_url: str, index: KeywordIndex, search: KeywordSearch
) -> None:
    with psycopg.connect(database_url) as holder:
        # Rows that are being read, and names that are being written.
        holder.execute("DELETE FROM moodsearch.outbox")
        holder.execute("LOCK TABLE moodsearch.search_texts, moodsearch.search_sources")
        app.execute("SET statement_timeout = '400ms'")
        assert app.execute("UPDATE public.albums SET title = 'Quasar'").rowcount == 1
        holder.rollback()
    assert found(search, "quasar") == {"album"}


def test_an_app_waits_for_a_lock_on_the_outbox_for_a_moment_only(
    app: psycopg.Connection, database_url: str, index: KeywordIndex, search: KeywordSearch
) -> None:
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE moodsearch.outbox")
        app.execute("SET statement_timeout = '20s'")
        assert app.execute("UPDATE public.albums SET title = 'Quasar'").rowcount == 1
    index.keep()
    assert found(search, "quasar") == {"album"}


def test_a_statement_that_is_cancelled_in_a_trigger_is_cancelled(
    app: psycopg.Connection, database: Database, database_url: str
) -> None:
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE moodsearch.outbox")
        app.execute("SET statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            app.execute("UPDATE public.albums SET title = 'Quasar'")
    assert database.rows("SELECT title FROM public.albums") == [{"title": "Nova"}]
    assert missed(database) == 0


def test_a_name_that_was_compared_meanwhile_does_not_fail_a_repeatable_read(
    app: psycopg.Connection, database: Database, index: KeywordIndex, search: KeywordSearch
) -> None:
    with app.transaction():
        app.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        app.execute("SELECT FROM public.albums")
        database.rows("UPDATE moodsearch.search_texts SET text = ' else ' WHERE kind = 'album'")
        differs(database, index)
        assert app.execute("UPDATE public.albums SET title = 'Quasar'").rowcount == 1
    assert missed(database) == 0
    assert found(search, "quasar") == {"album"}


def test_a_transaction_notes_and_warns_once_and_again_when_that_is_taken_back(
    app: psycopg.Connection, database: Database
) -> None:
    warnings: list[str] = []
    app.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
    app.execute("DROP TABLE moodsearch.outbox")
    with app.transaction():
        with app.transaction() as savepoint:
            app.execute("UPDATE public.tags SET name = 'one'")
            raise psycopg.Rollback(savepoint)
        for name in ("two", "three"):
            app.execute("UPDATE public.tags SET name = %s", [name])
    assert len(warnings) == 2
    assert missed(database) == 1


def test_a_miss_that_is_not_committed_yet_is_not_forgotten(
    app: psycopg.Connection, database: Database, index: KeywordIndex, search: KeywordSearch
) -> None:
    app.execute("ALTER TABLE moodsearch.outbox RENAME TO hidden")
    with app.transaction():
        app.execute("UPDATE public.albums SET title = 'Quasar'")
        database.rows("ALTER TABLE moodsearch.hidden RENAME TO outbox")
        differs(database, index)
    assert found(search, "quasar") == set()
    assert index.keep() == 1
    assert found(search, "quasar") == {"album"}


STATEMENTS = (
    "INSERT INTO public.tags (id, name) SELECT n, 'tag ' || n FROM generate_series(1, 9) n"
    " ON CONFLICT (id) DO UPDATE SET name = 'again ' || excluded.id",
    "UPDATE public.tags SET name = 'Renamed ' || id WHERE id % 2 = 0",
    "UPDATE public.tags SET id = 100 - id",
    "UPDATE public.tags SET created_at = now()",
    "DELETE FROM public.tags WHERE id % 3 = 0",
    "TRUNCATE public.tags CASCADE",
    "MERGE INTO public.tags t USING generate_series(3, 12) n ON t.id = n"
    " WHEN MATCHED AND n < 5 THEN DELETE WHEN MATCHED THEN UPDATE SET name = 'Merged ' || n"
    " WHEN NOT MATCHED THEN INSERT (id, name) VALUES (n, 'New ' || n)",
    "INSERT INTO public.playlists (id, owner_did, name, show_on_profile)"
    " SELECT 'p' || n, 'did:plc:artist', 'List ' || n, n % 2 = 0 FROM generate_series(1, 6) n"
    " ON CONFLICT DO NOTHING",
    "UPDATE public.playlists SET show_on_profile = NOT show_on_profile WHERE id < 'p4'",
    "UPDATE public.playlists SET name = upper(name)",
    "UPDATE public.artists SET handle = handle || 'x', display_name = 'Ä ' || display_name",
    "UPDATE public.artists SET display_name = display_name || '!'",
)


@pytest.mark.slow
@given(statements=st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=8))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_statements_are_run_following_leaves_nothing_to_compare(
    database: Database, index: KeywordIndex, statements: list[str]
) -> None:
    add_artist(database)
    for statement in statements:
        with suppress(psycopg.errors.UniqueViolation):  # The app's own: it changed nothing.
            database.rows(statement)
    assert missed(database) == 0
    assert differs(database, index) == 0
