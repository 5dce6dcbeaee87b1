"""Keeping names in step with a catalogue that was there before, or that allows no triggers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.catalogue.names import comparison
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.names.search import TYPES, KeywordSearch
from resources.catalogue.schema.migrate import migrate
from resources.errors import BackendError
from tests.catalogue.names import add_playlist, add_tag
from tests.catalogue.rows import add_track
from tests.catalogue.test_migrations import APP_TABLES


@pytest.fixture
def index(database: Database, database_url: str) -> KeywordIndex:
    return KeywordIndex(database, database_url)


def forget(database: Database) -> None:
    """As a catalogue is that was there before."""
    database.rows("TRUNCATE moodsearch.search_texts, moodsearch.outbox")
    database.rows("UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = NULL")


def texts(database: Database) -> list[tuple[str, str, str]]:
    rows = database.rows("SELECT kind, key, text FROM moodsearch.search_texts ORDER BY 1, 2")
    return [(row["kind"], row["key"], row["text"]) for row in rows]


def test_comparing_gives_what_following_gave(
    database: Database, index: KeywordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH", 7)
    for n in range(20):
        track = add_track(database, f"Nova {n}", visibility="public" if n % 3 else "private")
        add_tag(database, f"tag {n}", track=track)
        add_playlist(database, f"List {n}", shown=n % 2 == 0)
    index.follow()
    kept = texts(database)
    forget(database)
    assert index.keep() == len(kept)
    assert texts(database) == kept
    assert index.keep() == 0


def test_whatever_triggers_could_not_see_is_mended(database: Database, index: KeywordIndex) -> None:
    ids = [add_track(database, f"Nova {n}") for n in range(5)]
    index.follow()
    with database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM public.tracks WHERE id = %s", [ids[0]])
        connection.execute("UPDATE public.tracks SET title = 'Else' WHERE id = %s", [ids[1]])
        connection.execute("UPDATE public.tracks SET visibility = 'x' WHERE id = %s", [ids[2]])
    database.rows("UPDATE moodsearch.search_sources SET compared_at = now() - interval '2 days'")
    assert index.keep() == 3
    assert [text for kind, _, text in texts(database) if kind == "track"] == [
        " else ",
        " nova 3 ",
        " nova 4 ",
    ]


def test_a_comparison_that_is_stopped_goes_on_where_it_was(
    database: Database, index: KeywordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH", 10)
    for n in range(50):
        add_track(database, f"Nova {n}")
    forget(database)
    answers = iter([True, True])
    assert index.keep(lambda: next(answers, False)) == 20
    assert [state.is_complete for state in index.states()] == [False] * 6
    assert index.keep() == 30 + 2
    assert all(state.is_complete for state in index.states())


KILLED = """
import sys
from resources.catalogue.database import Database
from resources.catalogue.names import comparison, index
comparison.BATCH = 50
names = index.KeywordIndex(Database(sys.argv[1]), sys.argv[1])
names.keep(lambda: print("batch", flush=True) or True)
"""


def test_a_comparison_that_is_killed_leaves_nothing_to_repair(
    database: Database, database_url: str, index: KeywordIndex
) -> None:
    add_track(database)
    database.rows(
        "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
        " SELECT 'Nova ' || n, 'did:plc:artist', 'f', 'mp3' FROM generate_series(1, 2000) n"
    )
    index.follow()
    kept = texts(database)
    forget(database)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(5):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    done = len(texts(database))
    assert 0 < done < len(kept)
    deadline = time.monotonic() + 20
    while not index.keep():  # Until the server has noticed the end of the other's lock.
        assert time.monotonic() < deadline
    assert texts(database) == kept


def test_a_comparison_waits_for_no_writer_and_no_writer_for_it(
    database: Database, database_url: str, index: KeywordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH", 1)
    first, *others = [add_track(database, f"Nova {n}") for n in range(4)]
    forget(database)
    with (
        psycopg.connect(database_url) as slow,
        psycopg.connect(database_url, autocommit=True) as writer,
    ):
        slow.execute("UPDATE public.tracks SET title = 'Slow' WHERE id = %s", [first])
        writer.execute("SET statement_timeout = '2s'")
        for track in reversed(others):
            assert index.keep(_once()) == 1
            # After it was compared, between two batches.
            writer.execute("UPDATE public.tracks SET title = 'Quick' WHERE id = %s", [track])
        index.keep()
        assert all(state.is_complete for state in index.states())
        slow.commit()
    assert index.follow() == 1
    assert [text for kind, _, text in texts(database) if kind == "track"] == [
        " slow ",
        *[" quick "] * 3,
    ]


def _once() -> Callable[[], bool]:
    answers = iter([True])
    return lambda: next(answers, False)


def _until_somebody_waits(connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + 20
    waiting = (
        "SELECT FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND query LIKE '%%differences%%'"
    )
    while not connection.execute(waiting).rowcount:
        assert time.monotonic() < deadline


def test_a_comparison_can_be_interrupted_while_it_waits(
    database: Database, database_url: str, index: KeywordIndex
) -> None:
    add_track(database, "Nova")
    forget(database)
    with ThreadPoolExecutor(1) as threads, psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE moodsearch.search_texts_track IN EXCLUSIVE MODE")
        comparison = threads.submit(index.keep)
        with psycopg.connect(database_url, autocommit=True) as watching:
            _until_somebody_waits(watching)
        index.interrupt()
        with pytest.raises(BackendError):
            comparison.result()
        holder.rollback()
    assert index.keep() > 0


@pytest.fixture
def limited(empty_database_url: str) -> Iterator[tuple[str, str]]:
    """URL and name of a user who may read an app's tables but owns none of them."""
    parts = psycopg.conninfo.conninfo_to_dict(empty_database_url)
    name = f"reader_{parts['dbname']}"
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD 'secret-word'",
            APP_TABLES,
            *(f"CREATE EXTENSION {extension}" for extension in ("vector", "pg_trgm", "unaccent")),
            f"GRANT CREATE ON DATABASE {parts['dbname']} TO {name}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
        ):
            connection.execute(statement.encode())
        yield empty_database_url.replace("postgres:@", f"{name}:secret-word@"), name
        connection.execute(f"DROP OWNED BY {name} CASCADE".encode())
        connection.execute(f"DROP ROLE {name}".encode())


def test_where_triggers_are_not_allowed_names_are_found_and_the_grant_is_named(
    limited: tuple[str, str], empty_database_url: str
) -> None:
    url, name = limited
    migrate(url)
    database = Database(url)
    index, search = KeywordIndex(database, url), KeywordSearch(database)
    assert index.keep() == 0  # Compared when it was migrated.
    assert len(search.search("a.example", TYPES, 20)) == 1
    grants = {state.grant for state in index.states()}
    assert grants == {
        f"GRANT TRIGGER ON public.tracks TO {name}",
        f"GRANT TRIGGER ON public.artists TO {name}",
    }
    with psycopg.connect(empty_database_url, autocommit=True) as owner:
        owner.execute("UPDATE public.artists SET display_name = 'Renamed'")
        for grant in grants:
            assert grant is not None
            owner.execute(grant.encode())
        database.rows(
            "UPDATE moodsearch.search_sources SET compared_at = compared_at - interval '6m'"
        )
        index.keep()
        assert {state.grant for state in index.states()} == {None}
        owner.execute("UPDATE public.tracks SET title = 'At Once'")
    index.follow()
    assert len(search.search("at once", TYPES, 20)) == 1
    database.close()


def test_a_table_that_may_not_be_read_is_left_out_and_the_others_are_searched(
    limited: tuple[str, str], empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    url, _ = limited
    with psycopg.connect(empty_database_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE public.tags (id serial PRIMARY KEY, name text)")
        owner.execute("CREATE TABLE public.track_tags (track_id int, tag_id int)")
        owner.execute("INSERT INTO public.tags (name) VALUES ('a.example')")
    migrate(url)
    database = Database(url)
    index = KeywordIndex(database, url)
    database.rows("UPDATE moodsearch.search_sources SET compared_at = NULL")
    caplog.clear()
    for _ in range(2):
        index.keep()
    assert caplog.text.count("public.tags is not compared: permission denied") == 1
    found = KeywordSearch(database).search("a.example", TYPES, 20)
    assert [each.type for each in found] == ["artist"]
    database.close()
