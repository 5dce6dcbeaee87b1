"""What the app's tables look like, and where the extension is."""

from collections.abc import Iterable
from typing import Final

import psycopg

from resources.catalogue.database import Connection

TABLE_CHANGED: Final = (
    psycopg.errors.ProgrammingError,
    psycopg.errors.DataError,
    psycopg.errors.NotSupportedError,
)
"""What a statement raises where a table is not, or not any more, as it expects it: a column is
missing, is of a type that does not fit, or may not be read."""

_COLUMNS = """
SELECT name, attname::text AS attribute,
    -- Text of another collation would not be looked up in the column's index.
    format_type(atttypid, NULL) || coalesce(
        ' COLLATE ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname), ''
    ) AS type
FROM unnest(%s::text[]) AS name
JOIN pg_attribute ON attrelid = to_regclass(format('public.%%I', name))
    AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_collation c ON c.oid = attcollation
LEFT JOIN pg_namespace n ON n.oid = c.collnamespace
"""


def column_types(connection: Connection, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The SQL types of the columns of each of the app's tables, with their collation, for a cast;
    none for a table that is missing."""
    columns: dict[str, dict[str, str]] = {table: {} for table in tables}
    for row in connection.execute(_COLUMNS, [list(columns)]):
        columns[row["name"]][row["attribute"]] = row["type"]
    return columns


def trgm_schema(connection: Connection) -> str:
    """The quoted name of the schema that has pg_trgm's functions and operators."""
    row = connection.execute(
        "SELECT quote_ident(nspname) AS name FROM pg_extension"
        " JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_trgm'"
    ).fetchone()
    assert row is not None
    return str(row["name"])
