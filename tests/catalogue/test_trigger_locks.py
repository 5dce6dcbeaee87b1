"""An app that uses its tables is not held up by the triggers that they get, and loses nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.names.search import TYPES
from resources.catalogue.schema import migrate as migrate_module
from resources.catalogue.schema.migrate import migrate
from resources.catalogue.work.contents import Contents
from resources.catalogue.work.pending import PendingWork
from tests.catalogue.names import FollowedSearch, add_album, add_playlist, add_tag
from tests.catalogue.rows import add_track, work_for
from tests.catalogue.test_migrations import APP_TABLES

TABLES = ("tracks", "artists", "albums", "tags", "playlists", "track_tags")

BRIEFLY = "SET statement_timeout = '2s'"
"""Many times what a statement of the app's may wait for, on a machine that is busy."""

OF_AN_EARLIER_VERSION = """
CREATE FUNCTION moodsearch.earlier() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN RETURN NULL; END';
DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY '{tracks,artists,albums,tags,playlists,track_tags}'::text[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER moodsearch_updated AFTER UPDATE ON public.%I
            FOR EACH ROW EXECUTE FUNCTION moodsearch.earlier()', kind);
        EXECUTE format('DROP TRIGGER moodsearch_truncated ON public.%I', kind);
    END LOOP;
END $$;
UPDATE moodsearch.schema_files SET sha256 = 'of an earlier text' WHERE name = 'changes.sql';
"""


@contextmanager
def migrating(url: str) -> Iterator[threading.Thread]:
    """While it migrates in a thread, which has ended without an error when this ends."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            migrate(url)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
    assert errors == []


def watched(database: Database) -> set[str]:
    return {
        table
        for table in TABLES
        if database.rows("SELECT moodsearch.sees_changes_of(%(name)s) AS yes", {"name": table})[0][
            "yes"
        ]
    }


def found(database: Database, url: str, query: str) -> set[str]:
    return {each.type for each in FollowedSearch(database, url).search(query, TYPES, 20)}


@pytest.fixture
def two_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate_module, "_WATCH_ATTEMPTS", 2)


@pytest.fixture
def earlier(database: Database, database_url: str, two_attempts: None) -> Database:
    """A catalogue with a name of each kind, as another version left it: with other triggers."""
    track = add_track(database, "Nova")
    add_album(database, "Nova", track=track)
    add_tag(database, "nova", track=track)
    add_playlist(database, "Nova")
    KeywordIndex(database, database_url).follow()
    database.rows(OF_AN_EARLIER_VERSION)
    assert watched(database) == set()
    return database


@pytest.mark.slow
def test_an_app_reads_and_writes_its_tracks_while_others_are_in_use(
    earlier: Database, database_url: str
) -> None:
    with (
        psycopg.connect(database_url) as holder,
        psycopg.connect(database_url, autocommit=True) as app,
    ):
        app.execute(BRIEFLY)
        holder.execute(
            "LOCK TABLE public.artists, public.albums, public.tags, public.playlists,"
            " public.track_tags IN ROW EXCLUSIVE MODE"
        )
        with migrating(database_url) as thread:
            while thread.is_alive():
                assert app.execute("SELECT title FROM public.tracks").rowcount == 1
                assert app.execute("UPDATE public.tracks SET title = 'Quasar'").rowcount == 1
        assert watched(earlier) == {"tracks"}
        # Seen by no trigger: the old ones do nothing, and there are no others yet.
        holder.execute("UPDATE public.tags SET name = 'quasar'")
        holder.execute("UPDATE public.playlists SET name = 'Quasar'")
    KeywordIndex(earlier, database_url).keep()
    assert watched(earlier) == set(TABLES)
    assert found(earlier, database_url, "quasar") == {"track", "tag", "playlist"}


@pytest.mark.slow
def test_no_transaction_of_the_app_is_ended_for_a_trigger(
    earlier: Database, database_url: str
) -> None:
    wants_tracks = (
        "SELECT FROM pg_locks WHERE relation = 'public.tracks'::regclass AND granted"
        " AND mode IN ('ShareRowExclusiveLock', 'AccessExclusiveLock')"
    )
    with (
        psycopg.connect(database_url) as app,
        psycopg.connect(database_url, autocommit=True) as watching,
    ):
        app.execute("LOCK TABLE public.artists, public.playlists IN ROW EXCLUSIVE MODE")
        app.execute("SELECT FROM public.tracks")
        with migrating(database_url) as thread:
            while thread.is_alive() and not watching.execute(wants_tracks.encode()).rowcount:
                pass
            assert app.execute("UPDATE public.tracks SET title = 'Quasar'").rowcount == 1
            assert app.execute("UPDATE public.playlists SET name = 'Quasar'").rowcount == 1
            app.commit()
    KeywordIndex(earlier, database_url).keep()
    assert watched(earlier) == set(TABLES)
    assert found(earlier, database_url, "quasar") == {"track", "playlist"}


@pytest.mark.slow
def test_a_first_install_goes_on_without_triggers_and_has_them_later(
    empty_database_url: str, two_attempts: None
) -> None:
    url = empty_database_url
    insert = (
        "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
        " VALUES ('Quasar', 'did:plc:a', 'g', 'mp3')"
    )
    with psycopg.connect(url, autocommit=True) as app, psycopg.connect(url) as holder:
        app.execute(APP_TABLES)
        app.execute(BRIEFLY)
        holder.execute("UPDATE public.tracks SET plays = 1")
        with migrating(url) as thread:
            while thread.is_alive():
                app.execute("INSERT INTO public.artists VALUES (gen_random_uuid(), 'h', 'H')")
                app.execute(insert.encode())
        database = Database(url)
        contents, work = Contents(database), work_for(database)
        assert not contents.sees_changes()
        assert watched(database) == {"artists"}
        work.reconcile()
        holder.execute(insert.encode())
    assert not contents.sees_changes()
    migrate(url)
    assert contents.sees_changes()
    # What came after the comparison and before the triggers is known to be missing.
    assert {missed.table for missed in contents.missed_changes()} == {"tracks"}
    assert work.reconcile() == 1
    assert contents.missed_changes() == []
    KeywordIndex(database, url).keep()
    assert watched(database) == {"tracks", "artists"}
    assert found(database, url, "quasar") == {"track"}
    database.close()


def test_the_comparison_of_everything_makes_triggers_that_are_gone(
    database: Database, work: PendingWork
) -> None:
    database.rows("DROP TRIGGER moodsearch_updated ON public.artists")
    database.rows("DROP TRIGGER moodsearch_deleted ON public.tracks")
    work.reconcile()
    assert Contents(database).sees_changes()
    assert Contents(database).missed_changes() == []


def test_triggers_that_somebody_disabled_stay_so(
    database: Database, database_url: str, work: PendingWork
) -> None:
    database.rows("ALTER TABLE public.tracks DISABLE TRIGGER USER")
    work.reconcile()
    KeywordIndex(database, database_url).keep()
    assert not Contents(database).sees_changes()
    assert watched(database) == set(TABLES) - {"tracks"}


def test_triggers_that_are_made_late_have_their_table_compared(
    database: Database, database_url: str
) -> None:
    tag = add_tag(database, "nova", track=add_track(database))
    index = KeywordIndex(database, database_url)
    index.keep()
    database.rows("DROP TRIGGER moodsearch_updated ON public.tags")
    database.rows("UPDATE public.tags SET name = 'quasar' WHERE id = %(id)s", {"id": tag})
    assert index.keep() == 1
    assert found(database, database_url, "quasar") == {"tag"}
