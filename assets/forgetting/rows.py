"""Rows of our own tables in the schema `moodsearch`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from assets.forgetting.subject import Subject
from resources.catalogue.database import Database
from resources.catalogue.names.sources import SOURCES

_OF_TRACKS: Final = "track_id = ANY(%(ids)s)"

_MENTIONED: Final = """
EXISTS (SELECT FROM unnest(%(file_ids)s::text[]) AS file_id WHERE strpos(reason, file_id) > 0)
"""

_OF_NAMES: Final = """
(kind, key) IN (SELECT * FROM unnest(%(name_kinds)s::text[], %(name_keys)s::text[]))
"""

# What became public meanwhile is to be looked at.
_OF_WORK: Final = f"""
{_OF_TRACKS} AND NOT EXISTS (
    SELECT FROM public.tracks t WHERE t.id = track_id AND t.visibility = 'public'
)
"""

_OF_CHANGES: Final = """
(CASE kind WHEN 'track_tags' THEN 'tracks' ELSE kind END, key)
    IN (SELECT * FROM unnest(%(tables)s::text[], %(keys)s::text[]))
-- What became public meanwhile is to be looked at.
AND NOT (kind IN ('tracks', 'track_tags') AND EXISTS (
    SELECT FROM public.tracks t WHERE t.id::text = key AND t.visibility = 'public'
))
"""

_TABLES: Final[dict[str, LiteralString]] = {
    "track_audio": _OF_TRACKS,
    "track_genres": _OF_TRACKS,
    "track_embeddings": _OF_TRACKS,
    # What is still stored where the settings do not lead is told of as long as it is.
    "track_documents": f"{_OF_TRACKS} AND generation <> ALL(%(out_of_reach)s)",
    "work": _OF_WORK,
    "failed_runs": _MENTIONED,
    "search_texts": _OF_NAMES,
    "outbox": _OF_CHANGES,
    "feature_flags": "user_did = ANY(%(dids)s)",
}
"""Which rows of each table are the subject's."""

_LIST_PUBLIC: Final = """
INSERT INTO moodsearch.work (job, track_id)
SELECT 'index', id FROM public.tracks WHERE id = ANY(%(ids)s) AND visibility = 'public' ORDER BY id
ON CONFLICT DO NOTHING
"""
"""A track that came back meanwhile has nothing stored from now on."""

_DOUBT: Final[dict[str, LiteralString]] = {
    "track_embeddings": "file_id = ''",
    "track_documents": "attributes = ''",
}


@dataclass(frozen=True)
class Rows:
    """The subject's rows of one table. `out_of_reach`: generations whose vectors cannot be."""

    database: Database
    table: str
    out_of_reach: Sequence[str]

    @property
    def name(self) -> str:
        return f"moodsearch.{self.table}"

    @property
    def stays_while_hidden(self) -> bool:
        return self.table == "track_embeddings"

    def holds(self, place: str) -> bool:
        is_partition = self.table == "search_texts" and place.startswith(f"{self.name}_")
        return place == self.name or is_partition

    def remove(self, subject: Subject) -> int:
        parameters = _parameters(subject) | {"out_of_reach": list(self.out_of_reach)}
        with self.database.transaction() as connection:
            removed = connection.execute(
                f"DELETE FROM moodsearch.{self.table} WHERE {_TABLES[self.table]}", parameters
            ).rowcount
            if self.table.startswith("track_"):
                connection.execute(_LIST_PUBLIC, parameters)
        return removed


@dataclass(frozen=True)
class DoubtedRows:
    """Rows that say what is stored. Before any of that is removed, they say no more than that
    something is: a track that comes back meanwhile would pass for done."""

    database: Database
    table: str

    @property
    def name(self) -> str:
        return f"moodsearch.{self.table}"

    @property
    def stays_while_hidden(self) -> bool:
        return self.table == "track_embeddings"

    def holds(self, place: str) -> bool:  # noqa: ARG002
        return False

    def remove(self, subject: Subject) -> int:
        with self.database.transaction() as connection:
            connection.execute(
                f"UPDATE moodsearch.{self.table} SET {_DOUBT[self.table]} WHERE {_OF_TRACKS}",
                _parameters(subject),
            )
        return 0


@dataclass(frozen=True)
class Position:
    """How far a comparison of names has come is the key of a row: the comparison begins anew."""

    database: Database
    name: str = "moodsearch.search_sources"
    stays_while_hidden: bool = False

    def holds(self, place: str) -> bool:
        return place == self.name

    def remove(self, subject: Subject) -> int:
        with self.database.transaction() as connection:
            return connection.execute(
                "UPDATE moodsearch.search_sources SET compared_to = NULL WHERE (kind, compared_to)"
                " IN (SELECT * FROM unnest(%(name_kinds)s::text[], %(name_keys)s::text[]))",
                _parameters(subject),
            ).rowcount


def doubted_rows(database: Database) -> list[DoubtedRows]:
    return [DoubtedRows(database, table) for table in _DOUBT]


def all_rows(database: Database, out_of_reach: Sequence[str] = ()) -> list[Rows]:
    return [Rows(database, table, out_of_reach) for table in _TABLES]


def _parameters(subject: Subject) -> dict[str, object]:
    keys = subject.keys
    names = [(s.kind, key) for s in SOURCES for key in keys.get(s.table, ())]
    rows = [(table, key) for table, found in keys.items() for key in found]
    return {
        "ids": list(subject.track_ids),
        "file_ids": list(subject.file_ids),
        "dids": list(subject.dids),
        "name_kinds": [kind for kind, _ in names],
        "name_keys": [key for _, key in names],
        "tables": [table for table, _ in rows],
        "keys": [key for _, key in rows],
    }
