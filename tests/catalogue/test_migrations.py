"""Migrations: a database of our own, an app's database, and what is refused."""

from collections.abc import Iterator

import psycopg
import pytest

from resources.catalogue.database import Database
from resources.catalogue.schema.migrate import migrate
from resources.catalogue.work.blocks import BLOCK_SIZE
from resources.catalogue.work.contents import Contents, read_block_size
from resources.errors import BackendError, ConfigurationError
from tests.catalogue.rows import add_track, work_for

APP_TABLES = """
CREATE TABLE public.artists (did varchar PRIMARY KEY, handle varchar, display_name varchar);
CREATE TABLE public.tracks (
    id serial PRIMARY KEY, title varchar NOT NULL, artist_did varchar REFERENCES public.artists,
    file_id varchar NOT NULL, file_type varchar NOT NULL, r2_url varchar, image_url varchar,
    visibility varchar NOT NULL DEFAULT 'public', extra jsonb NOT NULL DEFAULT '{}',
    album_id varchar, plays int NOT NULL DEFAULT 0
);
INSERT INTO public.artists VALUES ('did:plc:a', 'a.example', 'A');
INSERT INTO public.tracks (title, artist_did, file_id, file_type)
    VALUES ('t', 'did:plc:a', 'f', 'mp3');
"""


def _columns(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()


def test_an_empty_database_gets_the_catalogue(empty_database_url: str) -> None:
    migrate(empty_database_url)
    tables = {row[0] for row in _columns(empty_database_url)}
    assert tables == {"artists", "albums", "tracks", "tags", "track_tags", "playlists"}


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    migrate(empty_database_url)
    before = _columns(empty_database_url)
    migrate(empty_database_url)
    assert _columns(empty_database_url) == before


def test_an_apps_tables_are_left_as_they_are(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(APP_TABLES)
    before = _columns(empty_database_url)
    migrate(empty_database_url)
    assert _columns(empty_database_url) == before


def test_tracks_that_an_app_had_before_are_pending_and_its_changes_are_seen(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(APP_TABLES)
    migrate(empty_database_url)
    database = Database(empty_database_url)
    work = work_for(database)
    assert [(track.track_id, track.step) for track in work.pending_everywhere()] == [(1, "probe")]
    database.rows("UPDATE public.tracks SET title = 'new'")
    assert work.absorb_changes() == 1
    database.close()


@pytest.fixture
def limited(empty_database_url: str) -> Iterator[str]:
    """URL of the empty database for a user who owns nothing in it and was granted nothing."""
    name = "limited_" + str(psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"])
    _as_administrator(empty_database_url, f"CREATE ROLE {name} LOGIN PASSWORD 'secret-word'")
    yield empty_database_url.replace("postgres:@", f"{name}:secret-word@")
    _as_administrator(empty_database_url, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


def _as_administrator(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _user(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["user"])


def _refusal(url: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        migrate(url)
    message = str(caught.value)
    assert "\n" not in message
    assert "secret-word" not in message
    assert message.startswith("DATABASE_URL: ")
    return message


EXTENSIONS = [f"CREATE EXTENSION {name}" for name in ("vector", "pg_trgm", "unaccent")]


def test_a_user_who_may_not_create_triggers_gets_everything_else(
    empty_database_url: str, limited: str
) -> None:
    """The app's tables belong to the app's user; ours may read them and write `extra`."""
    name = psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"]
    _as_administrator(
        empty_database_url,
        APP_TABLES,
        *EXTENSIONS,
        f"GRANT CREATE ON DATABASE {name} TO {_user(limited)}",
        f"GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO {_user(limited)}",
    )
    migrate(limited)
    database = Database(limited)
    assert not Contents(database).sees_changes()
    work = work_for(database)
    assert work.reconcile() == 1
    database.close()


def test_each_refusal_names_what_an_administrator_has_to_run_until_none_is_left(
    empty_database_url: str, limited: str
) -> None:
    for wanted in (
        f"GRANT ALL ON SCHEMA public TO {_user(limited)}",
        f"CREATE SCHEMA moodsearch AUTHORIZATION {_user(limited)}",
        *EXTENSIONS,
    ):
        message = _refusal(limited)
        assert message.endswith(f"run: {wanted}")
        _as_administrator(empty_database_url, wanted)
    migrate(limited)


def test_a_schema_that_the_user_may_not_create_tables_in_is_said(
    empty_database_url: str, limited: str
) -> None:
    _as_administrator(
        empty_database_url,
        f"GRANT ALL ON SCHEMA public TO {_user(limited)}",
        "CREATE SCHEMA moodsearch",
        f"GRANT USAGE ON SCHEMA moodsearch TO {_user(limited)}",
    )
    assert f"GRANT ALL ON SCHEMA moodsearch TO {_user(limited)}" in _refusal(limited)


def test_an_apps_tables_that_the_user_may_not_read_are_said(
    empty_database_url: str, limited: str
) -> None:
    _as_administrator(empty_database_url, APP_TABLES)
    assert f"GRANT SELECT ON public.tracks TO {_user(limited)}" in _refusal(limited)


def test_tables_of_another_user_are_said(empty_database_url: str, limited: str) -> None:
    migrate(empty_database_url)
    _as_administrator(
        empty_database_url,
        f"GRANT USAGE ON SCHEMA moodsearch TO {_user(limited)}",
    )
    assert "schema_files" in _refusal(limited)


def test_tables_that_are_no_catalogue_are_refused_and_what_is_missing_is_named(
    empty_database_url: str,
) -> None:
    _as_administrator(
        empty_database_url,
        "CREATE TABLE public.tracks (id serial PRIMARY KEY, title text, artist_did text,"
        " file_id text, file_type text, r2_url text, visibility text, lap_seconds real)",
        "CREATE TABLE public.artists (did text, handle text)",
    )
    message = _refusal(empty_database_url)
    for column in ("tracks.image_url", "tracks.extra", "artists.display_name"):
        assert f"public.{column}" in message
    assert "tracks.title" not in message


@pytest.mark.parametrize("table", ["tracks", "artists"])
def test_one_of_the_tables_alone_is_no_catalogue(empty_database_url: str, table: str) -> None:
    _as_administrator(empty_database_url, f"CREATE TABLE public.{table} (number int)")
    assert "tracks.file_id" in _refusal(empty_database_url)


def test_a_table_in_the_way_is_said(empty_database_url: str) -> None:
    _as_administrator(empty_database_url, "CREATE TABLE public.albums (photographs int)")
    assert '"albums" already exists' in _refusal(empty_database_url)


def test_ids_of_another_type_are_said(empty_database_url: str) -> None:
    _as_administrator(
        empty_database_url,
        APP_TABLES,
        "ALTER TABLE public.tracks ALTER id DROP DEFAULT, ALTER id TYPE text",
    )
    assert "do not fit" in _refusal(empty_database_url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret-word@with@at@127.0.0.1:1/app",
        "postgresql://user:secret-word/with/slashes@127.0.0.1:1/app",
        "postgresql://user:secret-word%zz@127.0.0.1:1/app",
    ],
)
def test_a_password_that_is_not_escaped_is_said_and_not_shown(url: str) -> None:
    assert "percent-encoded" in _refusal(url)


def test_a_database_that_is_down_is_said_in_one_line() -> None:
    with pytest.raises(BackendError, match="does not answer") as caught:
        migrate("postgresql://someone:secret-word@127.0.0.1:1/app")
    assert "\n" not in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_a_block_has_the_size_that_the_code_takes_for_the_usual_one(database: Database) -> None:
    assert read_block_size(database) == BLOCK_SIZE


def test_bulk_changes_are_noticed_track_by_track(database: Database) -> None:
    work = work_for(database)
    add_track(database)
    database.rows(
        "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
        " SELECT 't', 'did:plc:artist', 'f' || i, 'mp3' FROM generate_series(1, 99) i"
    )
    assert work.absorb_changes() == 100
