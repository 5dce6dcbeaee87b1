"""Which tables were ever written to the object store: what cannot be read of them is lost or out of
reach, where of others there is nothing yet."""

from typing import Final

from resources.catalogue.database import Database

LOOK_AGAIN_SECONDS: Final = 60
"""How long a table is looked for before it is given up."""


class StoredTables:
    """By name: a table's key without its edition. An edition is an object of its own: one that was
    given up is not overwritten, for it may only be out of reach."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def edition(self, name: str) -> int | None:
        """The edition in use, from 1 on; None for a table that was never written, as far as is
        known."""
        rows = self._database.rows(
            "SELECT edition FROM moodsearch.stored_tables WHERE name = %(name)s",
            {"name": name},
        )
        return int(rows[0]["edition"]) if rows else None

    def wrote(self, name: str, edition: int) -> None:
        """That edition is in the object store."""
        self._database.rows(
            """
            INSERT INTO moodsearch.stored_tables (name, edition) VALUES (%(name)s, %(edition)s)
            ON CONFLICT (name) DO UPDATE
            SET edition = excluded.edition, unreadable_since = NULL
            """,
            {"name": name, "edition": edition},
        )

    def read(self, name: str) -> None:
        """It could be read."""
        self._database.rows(
            "UPDATE moodsearch.stored_tables SET unreadable_since = NULL"
            " WHERE name = %(name)s AND unreadable_since IS NOT NULL",
            {"name": name},
        )

    def is_lost(self, name: str, edition: int) -> bool:
        """To be asked when that edition could not be read: whether that has been so for a
        minute."""
        rows = self._database.rows(
            """
            INSERT INTO moodsearch.stored_tables AS s (name, edition, unreadable_since)
            VALUES (%(name)s, %(edition)s, now())
            ON CONFLICT (name) DO UPDATE
            SET unreadable_since = coalesce(s.unreadable_since, now())
            RETURNING unreadable_since <= now() - make_interval(secs => %(seconds)s) AS is_lost
            """,
            {"name": name, "edition": edition, "seconds": LOOK_AGAIN_SECONDS},
        )
        return bool(rows[0]["is_lost"])
