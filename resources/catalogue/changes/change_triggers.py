"""The triggers that tell of changed tracks, on the app's tracks and artists."""

from typing import Any, Final

import psycopg

from resources.catalogue.changes.triggers import Outcome, Trigger, make

_TRIGGERS: Final = {
    "tracks": (
        Trigger("moodsearch_inserted", "INSERT", "tracks_inserted"),
        Trigger("moodsearch_updated", "UPDATE", "tracks_updated"),
        Trigger(
            "moodsearch_deleted", "DELETE", "tracks_inserted", "REFERENCING OLD TABLE AS changed"
        ),
        Trigger("moodsearch_truncated", "TRUNCATE", "tracks_truncated"),
    ),
    "artists": (
        Trigger("moodsearch_inserted", "INSERT", "artists_inserted"),
        Trigger("moodsearch_updated", "UPDATE", "artists_updated"),
    ),
}

_NOTE: Final = "INSERT INTO moodsearch.changes_missed (table_name, reason) VALUES (%s, %s)"


def watch_changes(connection: psycopg.Connection[Any], *, is_new: bool = False) -> bool:
    """Make the triggers that are missing, where that is possible. False when it is worth trying
    again: a table was in use.

    What changed before them is noted as missed, and so compared; not where `is_new`, since nothing
    of a new installation was compared yet. `connection` must be in autocommit mode.
    """
    outcomes = [
        make(
            connection,
            table,
            triggers,
            None if is_new else (_NOTE, [table, "its triggers were made only then"]),
        )
        for table, triggers in _TRIGGERS.items()
    ]
    return Outcome.BUSY not in outcomes
