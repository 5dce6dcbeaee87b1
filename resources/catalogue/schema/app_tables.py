"""What mood search asks of an app's tables, and what they look like."""

from collections.abc import Iterable
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row

from resources.errors import ConfigurationError

TABLE_CHANGED: Final = (
    psycopg.errors.ProgrammingError,
    psycopg.errors.DataError,
    psycopg.errors.NotSupportedError,
)
"""What a statement raises where a table is not, or not any more, as it expects it: a column is
missing, is of a type that does not fit, or may not be read."""

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

# From pg_attribute: information_schema shows no columns of what its user may not read.
_COLUMNS: Final = """
SELECT name, attname::text,
    -- Text of another collation would not be looked up in the column's index.
    format_type(atttypid, NULL) || coalesce(
        ' COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname), ''
    )
FROM unnest(%s::text[]) AS name
JOIN pg_attribute ON attrelid = to_regclass(format('public.%%I', name))
    AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_collation c ON c.oid = attcollation
LEFT JOIN pg_namespace n ON n.oid = c.collnamespace
"""


def column_types(
    connection: psycopg.Connection[Any], tables: Iterable[str]
) -> dict[str, dict[str, str]]:
    """The SQL types of the columns of each of the app's tables or views, with their collation, for
    a cast; none for a table that is missing."""
    columns: dict[str, dict[str, str]] = {table: {} for table in tables}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for table, column, type_name in cursor.execute(_COLUMNS, [list(columns)]):
            columns[table][column] = type_name
    return columns


def check_app_tables(connection: psycopg.Connection[Any]) -> bool:
    """Whether the tables of a catalogue are there, and may be read; False where there are none.

    Raises `ConfigurationError` for tables that lack what is needed, or may not be read.
    """
    columns = column_types(connection, NEEDED_COLUMNS)
    if not any(columns.values()):
        return False
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
    with connection.cursor(row_factory=tuple_row) as cursor:
        refused = cursor.execute(
            "SELECT name, quote_ident(current_user) FROM unnest(%s::text[]) AS name"
            " WHERE NOT has_table_privilege('public.' || name, 'SELECT')",
            [list(NEEDED_COLUMNS)],
        ).fetchone()
    if refused is not None:
        table, user = refused
        raise ConfigurationError(
            f"DATABASE_URL: its user may not read public.{table}; have an administrator run: "
            f"GRANT SELECT ON public.{table} TO {user}"
        )
    return True
