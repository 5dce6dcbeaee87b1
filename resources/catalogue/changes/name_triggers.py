"""The triggers that keep searchable names in step with the app's tables."""

from typing import Final

from resources.catalogue.changes.triggers import Outcome, Trigger, drop, make
from resources.catalogue.database import Connection
from resources.catalogue.names.schema import column_types
from resources.catalogue.names.sources import SOURCES

OF_EACH_ROW: Final = "moodsearch_names_changed"
"""A trigger that earlier versions made. It does nothing any more."""

_COMPARE: Final = """
UPDATE moodsearch.search_sources SET compared_to = NULL, compared_at = NULL WHERE kind = ANY(%s)
"""


def watch_names(connection: Connection) -> bool:
    """Make the triggers that are missing, where that is possible, and have their tables compared;
    drop those of earlier versions. False when it is worth trying again: a table was in use.

    `connection` must be in autocommit mode. To be called by who compares, and nobody else.
    """
    tables = list(dict.fromkeys(source.table for source in SOURCES))
    columns = column_types(connection, tables)
    outcomes = []
    for table in tables:
        sources = [source for source in SOURCES if source.table == table]
        if {each for source in sources for each in source.columns} <= set(columns[table]):
            kinds = [source.kind for source in sources]
            outcome = make(connection, table, _triggers(table), (_COMPARE, [kinds]))
            if outcome is Outcome.COMPLETE:
                outcome = drop(connection, table, OF_EACH_ROW)
            outcomes.append(outcome)
    return Outcome.BUSY not in outcomes


def _triggers(table: str) -> list[Trigger]:
    changed = f"search_{table}_changed"
    return [
        Trigger("moodsearch_names_inserted", "INSERT", changed),
        Trigger("moodsearch_names_updated", "UPDATE", changed),
        Trigger("moodsearch_names_deleted", "DELETE", changed),
        Trigger("moodsearch_names_truncated", "TRUNCATE", f"search_{table}_truncated"),
    ]
