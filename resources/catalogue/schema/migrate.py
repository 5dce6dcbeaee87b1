"""Bring a database to the newest schema. Safe to call from many processes at once."""

import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from resources.catalogue.changes.change_triggers import watch_changes
from resources.catalogue.database import Database
from resources.catalogue.names.index import KeywordIndex
from resources.errors import BackendError, ConfigurationError, UserError, first_line

HEAD: Final = "0007"
"""The newest revision in `migrations/versions`."""

NEEDED_COLUMNS: Final = {
    "tracks": (
        "id",
        "title",
        "artist_did",
        "file_id",
        "file_type",
        "r2_url",
        "image_url",
        "visibility",
        "extra",
    ),
    "artists": ("did", "handle", "display_name"),
}
"""What an app's own tables in the schema public must have for their tracks to be found."""

_EXTENSIONS: Final = ("vector", "pg_trgm", "unaccent")

_WATCH_ATTEMPTS: Final = 5
_WATCH_PAUSE_SECONDS: Final = 0.3
"""Between two attempts to lock the app's tables, which lets its own statements through."""

_COMPARE_SECONDS: Final = 1.0
"""How long names are compared: enough for some ten thousand."""

_LOCK: Final = 0x6D6F6F64
"""Advisory lock number under which one process migrates at a time ("mood" in ASCII)."""


def migrate(url: str) -> None:
    """Upgrade the database at `url` (postgresql://...) to `HEAD`, and make the triggers.

    An app that uses its tables waits a fraction of a second at a time, for a few seconds at most.
    Triggers that cannot be had meanwhile are made later: by the next call, by the comparison that
    takes their place, and those of keyword search by the API.

    Raises `BackendError` when it does not answer, `ConfigurationError` when it is no Postgres 15 or
    newer, lacks the extensions, holds tables that are no catalogue, or refuses what is needed, and
    `UserError` when a newer version of mood search wrote it.
    """
    _check_address(url)
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            _check_server(connection)
            if _revision(connection) == HEAD:
                # Those that were not to be had before, if there are any.
                watch_changes(connection)
                return
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            _check_catalogue(connection)
            ensure_schema(connection, "moodsearch")
            _create_extensions(connection)
            revision = _revision(connection)
            _upgrade(url, revision)
            _watch(url, connection, is_new=revision is None)
    except psycopg.OperationalError as error:
        raise BackendError(f"the database does not answer: {first_line(error)}") from None
    except psycopg.ProgrammingError as error:
        raise refused(error) from None


def ensure_schema(connection: psycopg.Connection, schema: str) -> None:
    """Create `schema` unless it exists: an administrator may have made it for a user who may not.

    Raises `ConfigurationError` when its user may neither create it nor create tables in it.
    """
    user = _user(connection)
    name = sql.Identifier(schema)
    if not _one(connection, "SELECT to_regnamespace(%s) IS NOT NULL", schema):
        try:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        except psycopg.errors.InsufficientPrivilege:
            raise ConfigurationError(
                f"DATABASE_URL: its user may not create the schema {schema}; have an "
                f"administrator run: CREATE SCHEMA {schema} AUTHORIZATION {user}"
            ) from None
    _need_create(connection, schema)


def refused(error: BaseException) -> ConfigurationError:
    """A statement that the server refuses, for whatever reason, as one line."""
    reason = first_line(error)
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ConfigurationError(
            f"DATABASE_URL: its user may not do this: {reason}; have an administrator grant it"
        )
    return ConfigurationError(
        f"DATABASE_URL: the tables in this database do not fit ({reason}); use a database of its "
        "own, or the catalogue's"
    )


def _check_address(url: str) -> None:
    """An unescaped character of the password ends up in another part of the address, and an error
    of the driver would show it."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        parts = {"host": "@"}
    ports = str(parts.get("port", "")).replace(",", "")
    if "@" in str(parts.get("host", "")) or not (ports.isdigit() or ports == ""):
        raise ConfigurationError(
            "DATABASE_URL: not an address like postgresql://user:password@host:5432/database; "
            "special characters in the password are written percent-encoded"
        )


def _check_server(connection: psycopg.Connection) -> None:
    if connection.info.server_version < 150000:
        raise ConfigurationError("DATABASE_URL: Postgres 15 or newer is needed")


def _revision(connection: psycopg.Connection) -> str | None:
    if not _one(connection, "SELECT to_regclass('moodsearch.alembic_version') IS NOT NULL"):
        return None
    row = connection.execute("SELECT version_num FROM moodsearch.alembic_version").fetchone()
    return None if row is None else str(row[0])


def _check_catalogue(connection: psycopg.Connection) -> None:
    """Either the tables of a catalogue are there and may be read, or they can be made."""
    columns = {table: _columns(connection, table) for table in NEEDED_COLUMNS}
    if not any(columns.values()):
        _need_create(connection, "public")
        return
    missing = [
        f"public.{table}.{column}"
        for table, needed in NEEDED_COLUMNS.items()
        for column in needed
        if column not in columns[table]
    ]
    if missing:
        raise ConfigurationError(
            f"DATABASE_URL: this database's tables are no catalogue of tracks, "
            f"{', '.join(missing)} missing; use the catalogue's database, or an empty one"
        )
    user = _user(connection)
    for table in NEEDED_COLUMNS:
        if not _one(connection, "SELECT has_table_privilege(%s, 'SELECT')", f"public.{table}"):
            raise ConfigurationError(
                f"DATABASE_URL: its user may not read public.{table}; have an administrator run: "
                f"GRANT SELECT ON public.{table} TO {user}"
            )


def _columns(connection: psycopg.Connection, table: str) -> set[str]:
    """Names of a table's or view's columns, also where its user may not read it (there,
    information_schema would show none)."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        [f"public.{table}"],
    ).fetchall()
    return {row[0] for row in rows}


def _create_extensions(connection: psycopg.Connection) -> None:
    for extension in _EXTENSIONS:
        if _one(connection, "SELECT count(*) FROM pg_extension WHERE extname = %s", extension):
            continue
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
    # Needed once in the life of a version; every process checks whether there is anything to do.
    import sqlalchemy as sa  # noqa: PLC0415
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    if revision is not None and revision > HEAD:
        raise UserError(
            f"this database was written by a newer mood search (revision {revision}); "
            "update this installation"
        )
    # Connected by the driver itself: SQLAlchemy does not read every address that libpq does.
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=10),
        poolclass=sa.pool.NullPool,
    )
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.ProgrammingError as error:
        raise refused(error.orig or error) from None
    except sa.exc.OperationalError as error:
        reason = first_line(error.orig or error)
        raise BackendError(f"the database does not answer: {reason}") from None


def _watch(url: str, connection: psycopg.Connection, *, is_new: bool) -> None:
    """Have triggers tell of changes, and compare the names of a small catalogue at once."""
    with closing(Database(url, max_connections=1)) as database:
        names = KeywordIndex(database, url)
        for _ in range(_WATCH_ATTEMPTS):
            sees_changes = watch_changes(connection, is_new=is_new)
            if names.watch() and sees_changes:
                break
            time.sleep(_WATCH_PAUSE_SECONDS)
        deadline = time.monotonic() + _COMPARE_SECONDS
        with suppress(BackendError):  # In use: the API goes on with it, as with a large catalogue.
            names.keep(lambda: time.monotonic() < deadline)


def _need_create(connection: psycopg.Connection, schema: str) -> None:
    # In one call, either privilege would do.
    may_use = _one(connection, "SELECT has_schema_privilege(%s, 'USAGE')", schema)
    may_create = _one(connection, "SELECT has_schema_privilege(%s, 'CREATE')", schema)
    if not (may_use and may_create):
        raise ConfigurationError(
            f"DATABASE_URL: its user may not create tables in the schema {schema}; have an "
            f"administrator run: GRANT ALL ON SCHEMA {schema} TO {_user(connection)}"
        )


def _user(connection: psycopg.Connection) -> str:
    """The database's user, quoted as in a statement where that is needed."""
    return str(_one(connection, "SELECT quote_ident(current_user)"))


def _one(connection: psycopg.Connection, query: LiteralString, *parameters: str) -> object:
    """The one value that a query answers."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]
