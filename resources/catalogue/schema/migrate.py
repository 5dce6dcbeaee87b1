"""Bring a database to the newest schema. Safe to call from many processes at once.

The schema is the SQL files beside this one. Numbered files make and change tables; each runs once,
in the order of the numbers. The others hold functions, and all of them run again whenever one
differs from what the database has seen: functions are what these files say, whatever they were.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from resources.catalogue.connection import BOUNDED
from resources.catalogue.database import Database, database_error, trusted_sql
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.schema.app_tables import check_app_tables
from resources.catalogue.schema.triggers import watch_changes
from resources.errors import BackendError, ConfigurationError, UserError, first_line

FOLDER: Final = Path(__file__).parent

_EXTENSIONS: Final = ("vector", "pg_trgm", "unaccent")

_WATCH_ATTEMPTS: Final = 5
_WATCH_PAUSE_SECONDS: Final = 0.3
"""Between two attempts to lock the app's tables, which lets its own statements through."""

_COMPARE_SECONDS: Final = 1.0
"""How long names are compared: enough for some ten thousand."""

_LOCK: Final = 0x6D6F6F64
"""Advisory lock number under which one process migrates at a time ("mood" in ASCII)."""

_DROP_FUNCTIONS: Final = """
DO $$
DECLARE
    ours text;
BEGIN
    -- Those of triggers are replaced as they stand: to drop one would lock an app's table. Those of
    -- an extension are not ours: for a user called moodsearch, this schema is where they are made.
    SELECT string_agg(oid::regprocedure::text, ', ') INTO ours FROM pg_proc
    WHERE pronamespace = 'moodsearch'::regnamespace AND prorettype <> 'trigger'::regtype
        AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
        );
    IF ours IS NOT NULL THEN
        EXECUTE 'DROP FUNCTION ' || ours;
    END IF;
END $$
"""

_NOTE: Final = """
INSERT INTO moodsearch.schema_files (name, sha256) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied_at = now()
"""


@dataclass(frozen=True)
class SchemaFile:
    """`version`: the number that its name begins with; None for one that holds functions."""

    name: str
    text: str

    @property
    def version(self) -> int | None:
        number, _, _ = self.name.partition("_")
        return int(number) if number.isdigit() else None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(url: str) -> None:
    """Upgrade the database at `url` (postgresql://...), and make the triggers.

    An app that uses its tables waits a fraction of a second at a time, for a few seconds at most.
    Triggers that cannot be had meanwhile are made later: by the next call, by the comparison that
    takes their place, or by the API.

    Raises `BackendError` when it does not answer, `ConfigurationError` when it is no Postgres 15 or
    newer, lacks the extensions, holds tables that are no catalogue, or refuses what is needed, and
    `UserError` when a newer version of mood search wrote it.
    """
    with _connected(url) as connection:
        if connection.info.server_version < 150000:
            raise ConfigurationError("DATABASE_URL: Postgres 15 or newer is needed")
        if not _differing(_applied(connection)):
            # Those that were not to be had before, if there are any.
            watch_changes(connection)
            return
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if not check_app_tables(connection):
            _need_create(connection, "public")
        ensure_schema(connection, "moodsearch")
        _create_extensions(connection)
        applied = _applied(connection)
        _apply(connection, applied)
        _watch(url, connection, is_new=not applied)


def is_current(url: str) -> bool | None:
    """Whether the catalogue in the database at `url` is in the schema of this version; None where
    there is no catalogue. Changes nothing. Raises as `migrate` does."""
    with _connected(url) as connection:
        applied = _applied(connection)
        return not _differing(applied) if applied else None


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    check_address(url)
    try:
        # A migration takes as long as it takes: no limit for its statements.
        with psycopg.connect(url, autocommit=True, **BOUNDED) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise database_error(error) from None
    except psycopg.ProgrammingError as error:
        raise refused(error) from None


def schema_files() -> tuple[SchemaFile, ...]:
    """Numbered files in their order, then the others."""
    return tuple(
        SchemaFile(path.name, path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.sql"))
    )


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


def check_address(url: str) -> None:
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


def _is_founded(connection: psycopg.Connection) -> bool:
    return bool(_one(connection, "SELECT to_regclass('moodsearch.schema_files') IS NOT NULL"))


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    """The digests of the files that the database has seen, by name. Empty for a new one.

    Raises `UserError` when it has seen a newer version than there is here.
    """
    if not _is_founded(connection):
        return {}
    rows = connection.execute("SELECT name, sha256 FROM moodsearch.schema_files").fetchall()
    applied: dict[str, str] = dict(rows)
    newest = max(file.version or 0 for file in schema_files())
    for name in sorted(applied):
        if (SchemaFile(name, "").version or 0) > newest:
            raise UserError(
                f"this database was written by a newer mood search (revision {name[:4]}); "
                "update this installation"
            )
    return applied


def _differing(applied: Mapping[str, str]) -> list[SchemaFile]:
    """Files that are to be run: numbered ones that never were, others that are not as they were."""
    return [
        file
        for file in schema_files()
        if (file.name not in applied if file.version else applied.get(file.name) != file.sha256)
    ]


def _apply(connection: psycopg.Connection, applied: Mapping[str, str]) -> None:
    """Run what differs, in one transaction: all of it or nothing."""
    differing = _differing(applied)
    tables = [file for file in differing if file.version]
    functions = [file for file in schema_files() if not file.version]
    with connection.transaction():
        for file in tables:
            _run(connection, file)
        if len(differing) > len(tables):
            connection.execute(_DROP_FUNCTIONS)
            if applied:
                # To check them against an app's tables would wait for an app that alters these.
                connection.execute("SET LOCAL check_function_bodies = off")
            for file in functions:
                _run(connection, file)


def _run(connection: psycopg.Connection[Any], file: SchemaFile) -> None:
    connection.execute(trusted_sql(file.text))
    connection.execute(_NOTE, [file.name, file.sha256])


def _create_extensions(connection: psycopg.Connection) -> None:
    for extension in _EXTENSIONS:
        if _one(connection, "SELECT count(*) FROM pg_extension WHERE extname = %s", extension):
            continue
        statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension))
        try:
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            raise ConfigurationError(
                f"DATABASE_URL: its user may not create the extension {extension}; "
                f"have an administrator run: CREATE EXTENSION {extension}"
            ) from None
        except psycopg.errors.FeatureNotSupported:
            raise ConfigurationError(
                f"DATABASE_URL: this server does not offer the extension {extension}"
            ) from None


def _watch(url: str, connection: psycopg.Connection, *, is_new: bool) -> None:
    """Have triggers tell of changes, and compare the names of a small catalogue at once."""
    for _ in range(_WATCH_ATTEMPTS):
        if watch_changes(connection, is_new=is_new):
            break
        time.sleep(_WATCH_PAUSE_SECONDS)
    deadline = time.monotonic() + _COMPARE_SECONDS
    # In use: the API goes on with it, as with a large catalogue.
    with closing(Database(url, max_connections=1)) as database, suppress(BackendError):
        KeywordIndex(database, url).keep(lambda: time.monotonic() < deadline)


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
    ((value,),) = connection.execute(query, parameters)
    return value
