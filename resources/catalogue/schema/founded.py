"""Whether there is a catalogue: asked by commands that only read, which never make one."""

from pathlib import Path

import psycopg

from resources.catalogue.database import database_error
from resources.catalogue.schema.migrate import check_address
from resources.errors import NoCatalogueError
from resources.settings import Settings


def has_server(home: Path) -> bool:
    """Whether the embedded server has its data under `home`."""
    try:
        return (home / "postgres" / "PG_VERSION").exists()
    except PermissionError:
        return True  # It is there, and starting it says what may not be done.


def is_founded(url: str) -> bool:
    """Whether the database at `url` holds a catalogue's schema.

    Raises `ConfigurationError` for what is no address and `BackendError` when nothing answers.
    """
    check_address(url)
    query = "SELECT 1 FROM pg_tables WHERE schemaname = 'moodsearch' AND tablename = 'schema_files'"
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            return connection.execute(query).fetchone() is not None
    except psycopg.OperationalError as error:
        raise database_error(error) from None


def no_catalogue(settings: Settings) -> NoCatalogueError:
    """The error for a command that needs a catalogue and may not make one."""
    if settings.database_url is not None:
        return NoCatalogueError(
            "the database of DATABASE_URL holds no catalogue of mood search yet; "
            "moodsearch backfill or up makes one"
        )
    return NoCatalogueError(
        f"there is no catalogue in {settings.moodsearch_home} yet; moodsearch add PATH makes one"
    )
