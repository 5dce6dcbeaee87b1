"""Tables whose writes triggers do not all see are known to be such, and are compared."""

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.names.search import TYPES, KeywordSearch
from resources.catalogue.schema.migrate import migrate
from resources.catalogue.work.contents import Contents
from tests.catalogue.rows import work_for
from tests.catalogue.test_migrations import APP_TABLES

PARTITIONED = """
CREATE TABLE public.artists (did varchar PRIMARY KEY, handle varchar, display_name varchar);
CREATE TABLE public.tracks (
    id bigint PRIMARY KEY, title varchar, artist_did varchar, file_id varchar, file_type varchar,
    r2_url varchar, image_url varchar, visibility varchar NOT NULL DEFAULT 'public',
    extra jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
CREATE TABLE public.tracks_first PARTITION OF public.tracks FOR VALUES FROM (0) TO (1000);
INSERT INTO public.artists VALUES ('d', 'h', 'A');
"""

INSERT = "INSERT INTO public.{} (id, title, artist_did, file_id, file_type) VALUES ({}, '{}', 'd',"


def _sees_tracks(database: Database) -> bool:
    return bool(database.rows("SELECT moodsearch.sees_changes_of('tracks') AS yes")[0]["yes"])


def _later(database: Database) -> None:
    database.rows("UPDATE moodsearch.search_sources SET compared_at = compared_at - interval '6m'")


def _titles(database: Database) -> list[str]:
    rows = database.rows("SELECT text FROM moodsearch.search_texts WHERE kind = 'track' ORDER BY 1")
    return [row["text"].strip() for row in rows]


def test_what_is_written_to_a_partition_by_its_own_name_is_compared(
    empty_database_url: str,
) -> None:
    url = empty_database_url
    with psycopg.connect(url, autocommit=True) as app:
        app.execute(PARTITIONED)
        migrate(url)
        database = Database(url)
        contents, index = Contents(database), KeywordIndex(database, url)
        work = work_for(database)
        assert not contents.sees_changes()
        assert not _sees_tracks(database)
        app.execute((INSERT.format("tracks_first", 1, "Nova") + "'f', 'mp3')").encode())
        app.execute((INSERT.format("tracks", 2, "Quasar") + "'f', 'mp3')").encode())
        # What is written by the name of the whole is seen at once, though.
        assert work.absorb_changes() == 1
        assert index.follow() == 1
        assert _titles(database) == ["quasar"]
        assert work.reconcile() == 1
        _later(database)
        assert index.keep() == 1
        assert _titles(database) == ["nova", "quasar"]
        app.execute("UPDATE public.tracks_first SET visibility = 'private' WHERE id = 2")
        assert len(KeywordSearch(database).search("quasar", TYPES, 20)) == 0
        _later(database)
        assert index.keep() == 1
        assert _titles(database) == ["nova"]
        # No grant would change it.
        assert {state.grant for state in index.states()} == {None}
        database.close()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE public.more_tracks () INHERITS (public.tracks)",
        "CREATE TABLE public.all_tracks (id int NOT NULL); ALTER TABLE public.tracks INHERIT"
        " public.all_tracks",
        # As a subscription's first copy would leave it.
        "SET allow_system_table_mods = on; INSERT INTO pg_subscription_rel"
        " VALUES (1, 'public.tracks'::regclass, 'r', NULL)",
    ],
)
def test_what_is_written_elsewhere_is_known_to_be_unseen(
    empty_database_url: str, change: str
) -> None:
    url = empty_database_url
    with psycopg.connect(url, autocommit=True) as app:
        app.execute(APP_TABLES)
        migrate(url)
        database = Database(url)
        assert Contents(database).sees_changes()
        assert _sees_tracks(database)
        app.execute(change.encode())
        migrate(url)
        assert not Contents(database).sees_changes()
        assert not _sees_tracks(database)
        app.execute("UPDATE public.tracks SET title = 'Nova'")
        KeywordIndex(database, url).follow()
        assert _titles(database) == ["nova"]
        database.close()
