"""The SQL files of the schema: what runs once, what runs again, and what becomes of a database."""

import re
import shutil
import threading
from pathlib import Path

import psycopg
import pytest

from resources.backends import Backends
from resources.catalogue.database import Database
from resources.catalogue.names.sources import SOURCES
from resources.catalogue.schema import migrate as migrate_module
from resources.catalogue.schema.migrate import migrate, schema_files
from resources.errors import ConfigurationError, UserError
from resources.settings import load_settings

EARLIER = "UPDATE moodsearch.schema_files SET sha256 = 'of an earlier text' WHERE name = %s"

FUNCTIONS = """
SELECT oid::regprocedure::text AS name, pg_get_functiondef(oid) AS text FROM pg_proc
WHERE pronamespace = 'moodsearch'::regnamespace ORDER BY 1
"""

TRIGGERS = """
SELECT pg_get_triggerdef(oid) AS text FROM pg_trigger
WHERE tgname LIKE 'moodsearch%' ORDER BY 1
"""


def schema_of(database: Database) -> list[object]:
    """The text of every function, and of every trigger on the catalogue's tables."""
    return [*database.rows(FUNCTIONS), *database.rows(TRIGGERS)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the schema's files, of which an installation is made."""
    folder = tmp_path / "schema"
    shutil.copytree(migrate_module.FOLDER, folder)
    monkeypatch.setattr(migrate_module, "FOLDER", folder)
    return folder


def test_numbered_files_run_once_each_and_in_their_order(
    folder: Path, database: Database, database_url: str
) -> None:
    (folder / "0010_last.sql").write_text("CREATE TABLE moodsearch.last AS SELECT * FROM between")
    with pytest.raises(UserError, match="do not fit"):
        migrate(database_url)  # All of it or nothing.
    (folder / "0002_between.sql").write_text(
        "CREATE TABLE between (n int); ALTER TABLE moodsearch.usage ADD note text"
    )
    for _ in range(2):
        migrate(database_url)
    assert database.rows("SELECT * FROM moodsearch.last") == []
    assert database.rows("SELECT note FROM moodsearch.usage") == []


def test_what_only_reads_refuses_another_schema_and_changes_nothing(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    Backends(load_settings(), create=False).close()
    database.rows("DROP TRIGGER moodsearch_inserted ON public.tracks")
    database.rows(EARLIER.replace("%s", "'pending.sql'"))
    before = schema_of(database)
    with pytest.raises(ConfigurationError, match="moodsearch up, serve or backfill"):
        Backends(load_settings(), create=False)
    assert schema_of(database) == before
    Backends(load_settings()).close()
    Backends(load_settings(), create=False).close()


def test_extensions_in_our_schema_are_left_alone(empty_database_url: str) -> None:
    """For a user called moodsearch, whose first schema this is, they are made there."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA moodsearch")
        connection.execute("CREATE EXTENSION pg_trgm SCHEMA moodsearch")
        connection.execute("CREATE EXTENSION unaccent SCHEMA moodsearch")
    migrate(empty_database_url)
    database = Database(empty_database_url)
    database.rows(EARLIER.replace("%s", "'pending.sql'"))
    migrate(empty_database_url)
    assert database.rows("SELECT moodsearch.searchable('Café') AS name") == [{"name": " cafe "}]
    database.close()


def test_a_database_of_a_newer_version_is_refused(
    folder: Path, database_url: str, empty_database_url: str
) -> None:
    newer = folder / "0002_newer.sql"
    newer.write_text("ALTER TABLE moodsearch.usage ADD note text")
    migrate(database_url)
    migrate(empty_database_url)
    newer.unlink()
    for url in (database_url, empty_database_url):
        with pytest.raises(UserError, match=r"newer mood search \(revision 0002\)"):
            migrate(url)


@pytest.mark.slow
@pytest.mark.parametrize(
    "earlier",
    [
        # Another text; one that is no more; another argument; another type of what it returns.
        "CREATE OR REPLACE FUNCTION moodsearch.searchable(name text) RETURNS text"
        " LANGUAGE sql IMMUTABLE AS 'SELECT lower(name)'",
        "CREATE FUNCTION moodsearch.no_more(name text) RETURNS text"
        " RETURN moodsearch.lower_case(name)",
        "CREATE FUNCTION moodsearch.pending(model text, generation text, first_id bigint,"
        " last_id bigint) RETURNS SETOF bigint LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION moodsearch.attributes; CREATE FUNCTION moodsearch.attributes(handle text,"
        " title text, did text) RETURNS int RETURN 1",
        "DROP FUNCTION moodsearch.note_missed, moodsearch.sees_changes, moodsearch.watched",
        "CREATE OR REPLACE FUNCTION moodsearch.tracks_changed() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
        "DROP FUNCTION moodsearch.artists_changed CASCADE",
        "CREATE OR REPLACE TRIGGER moodsearch_updated AFTER UPDATE ON public.tracks"
        " FOR EACH ROW EXECUTE FUNCTION moodsearch.tracks_changed()",
        "CREATE OR REPLACE TRIGGER moodsearch_updated AFTER UPDATE ON public.tags"
        " REFERENCING NEW TABLE AS newer OLD TABLE AS older"
        " FOR EACH STATEMENT EXECUTE FUNCTION moodsearch.tags_changed()",
        "CREATE OR REPLACE TRIGGER moodsearch_deleted AFTER DELETE ON public.albums"
        " REFERENCING OLD TABLE AS previous"
        " FOR EACH STATEMENT EXECUTE FUNCTION moodsearch.tags_changed()",
        "CREATE OR REPLACE TRIGGER moodsearch_updated AFTER UPDATE OF name ON public.tags"
        " FOR EACH STATEMENT EXECUTE FUNCTION moodsearch.tags_changed()",
    ],
)
def test_functions_and_triggers_become_what_the_files_say_whatever_they_were(
    database: Database, database_url: str, earlier: str
) -> None:
    wanted = schema_of(database)
    database.rows(earlier)
    assert schema_of(database) != wanted
    database.rows(EARLIER.replace("%s", "'changes.sql'"))
    migrate(database_url)
    assert schema_of(database) == wanted
    assert database.rows("SELECT moodsearch.unwatched()") == []


@pytest.mark.slow
def test_a_function_of_a_trigger_is_replaced_while_an_app_holds_its_tables(
    database: Database, database_url: str
) -> None:
    wanted = schema_of(database)
    database.rows(
        "CREATE OR REPLACE FUNCTION moodsearch.tracks_changed() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'"
    )
    database.rows(EARLIER.replace("%s", "'names.sql'"))
    with psycopg.connect(database_url) as holder:
        holder.execute("LOCK TABLE public.tracks, public.artists")
        migrate(f"{database_url}&options=-clock_timeout%3D10s")
    assert schema_of(database) == wanted


def test_files_that_are_as_they_were_are_not_run_again(
    database: Database, database_url: str
) -> None:
    before = database.rows("SELECT * FROM moodsearch.schema_files ORDER BY name")
    assert [row["name"] for row in before] == [file.name for file in schema_files()]
    migrate(database_url)
    assert database.rows("SELECT * FROM moodsearch.schema_files ORDER BY name") == before


@pytest.mark.parametrize("is_new", [True, False])
def test_many_processes_may_start_at_once(empty_database_url: str, is_new: bool) -> None:
    url = empty_database_url
    if not is_new:
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute(EARLIER, ["pending.sql"])
    errors: list[BaseException] = []

    def start() -> None:
        try:
            migrate(url)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT moodsearch.unwatched()").fetchall() == []
        rows = connection.execute("SELECT name, sha256 FROM moodsearch.schema_files").fetchall()
    assert dict(rows) == {file.name: file.sha256 for file in schema_files()}


def test_what_decides_what_a_name_is_tells_of_its_change(database: Database) -> None:
    """The triggers know the columns from SQL, the comparison of names from Python."""
    rows = database.rows("SELECT * FROM moodsearch.watched() WHERE consumer = 'names'")
    watched = {row["kind"]: {row["key"], *row["columns"]} for row in rows}
    wanted: dict[str, set[str]] = {}
    for source in SOURCES:
        wanted.setdefault(source.table, set()).update(
            {source.key, source.name, *re.findall(r"\br\.(\w+)", source.shown_if)}
        )
    assert watched == wanted
