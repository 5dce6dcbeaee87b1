"""Bring a database to the newest schema. Safe to call from many processes at once."""

from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from resources.errors import BackendError, ConfigurationError, UserError

HEAD: Final = "0002"
"""The newest revision in `migrations/versions`."""

_LOCK: Final = 0x6D6F6F64
"""Advisory lock number under which one process migrates at a time ("mood" in ASCII)."""


def migrate(url: str) -> None:
    """Upgrade the database at `url` (postgresql://...) to `HEAD`.

    Raises `BackendError` when it does not answer, `ConfigurationError` when it is no Postgres 15 or
    newer or lacks the extensions, and `UserError` when a newer version of mood search wrote it.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            _check_server(connection)
            if _revision(connection) == HEAD:
                return
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            _create_foundation(connection)
            _upgrade(url, _revision(connection))
    except psycopg.OperationalError as error:
        raise BackendError(f"the database does not answer: {_first_line(error)}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"DATABASE_URL: its user may not do this: {_first_line(error)}"
        ) from None


def _check_server(connection: psycopg.Connection) -> None:
    if connection.info.server_version < 150000:
        raise ConfigurationError("DATABASE_URL: Postgres 15 or newer is needed")


def _revision(connection: psycopg.Connection) -> str | None:
    found = connection.execute("SELECT to_regclass('moodsearch.alembic_version')").fetchone()
    if found is None or found[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM moodsearch.alembic_version").fetchone()
    return None if row is None else str(row[0])


def _create_foundation(connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS moodsearch")
    for extension in ("vector", "pg_trgm", "unaccent"):
        try:
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        except psycopg.errors.InsufficientPrivilege:
            raise ConfigurationError(
                f"DATABASE_URL: its user may not create the extension {extension}; "
                f"have an administrator run: CREATE EXTENSION {extension}"
            ) from None
        except psycopg.errors.FeatureNotSupported:
            raise ConfigurationError(
                f"DATABASE_URL: this server does not offer the extension {extension}"
            ) from None


def _upgrade(url: str, revision: str | None) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    if revision is not None and revision > HEAD:
        raise UserError(
            f"this database was written by a newer mood search (revision {revision}); "
            "update this installation"
        )
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.pool.NullPool
    )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
