"""Triggers run with our rights: what an app does in its own session gives it none of them."""

from collections.abc import Iterator

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.catalogue.schema.migrate import migrate
from tests.catalogue.names import add_playlist, add_tag
from tests.catalogue.rows import add_track

UNSAFE = """
SELECT oid::regprocedure::text AS name FROM pg_proc
WHERE pronamespace = 'moodsearch'::regnamespace AND prosecdef
    AND NOT 'search_path=pg_catalog, moodsearch, pg_temp' = ANY(coalesce(proconfig, '{}'))
"""

AS_BEFORE = """
DO $do$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'moodsearch'::regnamespace AND prosecdef
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, moodsearch', ours);
    END LOOP;
END $do$
"""

TRAP = """
CREATE TABLE pg_temp.seen (who pg_catalog.text);
GRANT ALL ON pg_temp.seen TO PUBLIC;
CREATE FUNCTION pg_temp.look() RETURNS pg_catalog.bool LANGUAGE plpgsql AS $$
BEGIN INSERT INTO pg_temp.seen VALUES (current_user); RETURN true; END $$;
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.look());
CREATE DOMAIN pg_temp.int8 AS pg_catalog.int8 CHECK (pg_temp.look());
CREATE DOMAIN pg_temp.name AS pg_catalog.name CHECK (pg_temp.look());
CREATE DOMAIN pg_temp.regdictionary AS pg_catalog.regdictionary CHECK (pg_temp.look());
"""

WRITES = (
    "INSERT INTO public.artists (did, handle, display_name) VALUES ('did:x', 'é', 'é')",
    "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
    " VALUES ('é', 'did:x', 'f', 'mp3')",
    "UPDATE public.tracks SET title = 'Ünlike'",
    "UPDATE public.artists SET handle = 'else' WHERE did = 'did:x'",
    "UPDATE public.tags SET name = 'Ünlike'",
    "UPDATE public.playlists SET name = 'Ünlike'",
    "INSERT INTO public.track_tags SELECT t.id, g.id FROM public.tracks t, public.tags g",
    "DELETE FROM public.tracks",
    "TRUNCATE public.playlists",
)


@pytest.fixture
def app(database: Database, database_url: str) -> Iterator[psycopg.Connection]:
    """A connection of a user who may write the catalogue, and no more."""
    name = "app_" + str(psycopg.conninfo.conninfo_to_dict(database_url)["dbname"])
    add_tag(database, "nova", track=None)
    add_playlist(database, "Nova")
    add_track(database, "Nova")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            f"""
            CREATE ROLE {name};
            GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name};
            GRANT USAGE ON SCHEMA public, moodsearch TO {name};
            SET ROLE {name};
            """.encode()
        )
        yield connection
        connection.execute(f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}".encode())


def seen(app: psycopg.Connection) -> set[str]:
    """As whom the checks of the session's own types ran."""
    return {row[0] for row in app.execute("SELECT who FROM pg_temp.seen").fetchall()}


def test_types_of_a_session_are_not_those_of_the_triggers(app: psycopg.Connection) -> None:
    app.execute(TRAP)
    # A session keeps what a function meant at its first call.
    app.execute("SELECT moodsearch.searchable('é')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT moodsearch.note_missed('tracks', 'b')")
    app.execute("TRUNCATE pg_temp.seen")
    for write in WRITES:
        app.execute(write.encode())
    assert seen(app) == set()


def test_nor_are_they_where_a_trigger_notes_what_it_missed(
    app: psycopg.Connection, database: Database
) -> None:
    app.execute(TRAP)
    database.rows("DROP TABLE moodsearch.outbox")
    for write in WRITES:
        app.execute(write.encode())
    assert seen(app) == set()
    rows = database.rows("SELECT DISTINCT table_name AS name FROM moodsearch.changes_missed")
    assert {row["name"] for row in rows} == {"tracks", "artists", "tags", "playlists", "track_tags"}


def test_no_function_with_our_rights_looks_for_temporary_types_first(database: Database) -> None:
    assert database.rows(UNSAFE) == []


def test_an_earlier_version_s_functions_are_closed_in_sessions_that_have_called_them(
    app: psycopg.Connection, database: Database, database_url: str
) -> None:
    database.rows(AS_BEFORE)
    database.rows("UPDATE moodsearch.schema_files SET sha256 = 'of an earlier text'")
    app.execute(TRAP)
    app.execute("UPDATE public.tracks SET title = 'before'")
    assert seen(app) == {"postgres"}
    app.execute("TRUNCATE pg_temp.seen")
    migrate(database_url)
    assert database.rows(UNSAFE) == []
    for write in WRITES:
        app.execute(write.encode())
    assert seen(app) == set()
