"""Migrations: a database of our own, an app's database, and going back."""

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from resources.catalogue import migrate as migrate_module
from resources.catalogue.database import Database
from resources.catalogue.migrate import HEAD, migrate
from resources.catalogue.work import PendingWork
from resources.errors import BackendError, UserError
from tests.catalogue.rows import GENERATION, MODEL, add_track

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


def _alembic(url: str, connection: sa.Connection) -> Config:
    config = Config()
    folder = str(Path(migrate_module.__file__).parent / "migrations")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config


def test_the_newest_revision_is_the_one_that_the_code_expects() -> None:
    config = Config()
    folder = str(Path(migrate_module.__file__).parent / "migrations")
    config.set_main_option("script_location", folder)
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


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
    work = PendingWork(database, MODEL, GENERATION)
    assert [(track.track_id, track.work) for track in work.pending_everywhere()] == [(1, "probe")]
    database.rows("UPDATE public.tracks SET title = 'new'")
    assert work.absorb_changes() == 1
    database.close()


def test_a_user_who_may_not_create_triggers_gets_everything_else(
    empty_database_url: str, postgres_server: str
) -> None:
    """The app's tables belong to the app's user; ours may read them and write `extra`."""
    name = psycopg.conninfo.conninfo_to_dict(empty_database_url)["dbname"]
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(APP_TABLES)
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION unaccent")
        connection.execute(f"CREATE ROLE limited_{name} LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE {name} TO limited_{name}")
        connection.execute(f"GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO limited_{name}")
    limited = empty_database_url.replace("postgres:@", f"limited_{name}:@")
    migrate(limited)
    database = Database(limited)
    (row,) = database.rows("SELECT value FROM moodsearch.settings WHERE key = 'sees_changes'")
    assert row["value"] is False
    work = PendingWork(database, MODEL, GENERATION)
    assert work.reconcile() == 1
    database.close()
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY limited_{name} CASCADE")
        connection.execute(f"DROP ROLE limited_{name}")


def test_the_migrations_can_be_taken_back(empty_database_url: str) -> None:
    migrate(empty_database_url)
    engine = sa.create_engine(
        sa.make_url(empty_database_url).set(drivername="postgresql+psycopg"),
        poolclass=sa.pool.NullPool,
    )
    with engine.begin() as connection:
        command.downgrade(_alembic(empty_database_url, connection), "base")
    assert _columns(empty_database_url) == []
    migrate(empty_database_url)
    assert _columns(empty_database_url) != []


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE moodsearch.alembic_version SET version_num = '9999'")
    with pytest.raises(UserError, match="newer"):
        migrate(database_url)


def test_a_database_that_is_down_is_said_in_one_line() -> None:
    with pytest.raises(BackendError, match="does not answer") as caught:
        migrate("postgresql://someone:secret-word@127.0.0.1:1/app")
    assert "\n" not in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_bulk_changes_are_noticed_track_by_track(database: Database) -> None:
    work = PendingWork(database, MODEL, GENERATION)
    add_track(database)
    database.rows(
        "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
        " SELECT 't', 'did:plc:artist', 'f' || i, 'mp3' FROM generate_series(1, 99) i"
    )
    assert work.absorb_changes() == 100
