"""Finding names: equal ones, then those that begin with the query, contain it, or are similar."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import psycopg

from resources.catalogue.database import (
    ANSWER_SECONDS,
    Connection,
    Database,
    database_error,
    trusted_sql,
)
from resources.catalogue.names.sources import SOURCES, Source
from resources.catalogue.names.statements import (
    LOOSEN,
    PREPARE,
    Statements,
    build,
    has_infix,
    patterns,
)
from resources.catalogue.schema.app_tables import TABLE_CHANGED, column_types
from resources.errors import BackendError, first_line

TYPES: Final = ("track", "artist", "album", "tag", "playlist")
"""What is found, in the order in which equally relevant results are shown."""

SIMILAR: Final = (0.6, 0.45)
"""Word similarities from which a name counts as similar: pg_trgm's own default, and less where
nothing at all was found: two misspelt words still find both of them."""

SHORTEST_FUZZY: Final = 4
"""Letters of a query that may be misspelt. Three have four trigrams, of which one wrong letter
leaves one."""

LONG: Final = 8
"""Characters of a query from which those that contain it are too few to look for whole words
first."""

SCHEMA_RECHECK_SECONDS: Final = 60.0
"""An app's migration may bring tables that were missing."""

_RELEVANCE_DIGITS: Final = 6

logger = logging.getLogger(__name__)


class MatchRank(IntEnum):
    """How a name matches; less is better."""

    EQUAL = 0
    PREFIX = 1
    SUBSTRING = 2
    SIMILAR = 3


_RELEVANCE: Final = {
    MatchRank.EQUAL: (1.0, 1.0),
    MatchRank.PREFIX: (0.75, 0.99),
    MatchRank.SUBSTRING: (0.5, 0.74),
    MatchRank.SIMILAR: (0.0, 0.49),
}
"""Bounds of the relevance for a word similarity of 0 and of 1."""


@dataclass(frozen=True)
class Found:
    """A name of the catalogue that matches.

    `relevance`: in [0, 1]; any kind of match is above the next, and within it the word similarity
    decides. `fields`: what is shown of the row, by name.
    """

    type: str
    key: str
    match: MatchRank
    relevance: float
    is_as_typed: bool
    fields: Mapping[str, Any]


class KeywordSearch:
    """Searches the names that `KeywordIndex` keeps. Safe to use from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements: tuple[float, Statements, frozenset[str]] | None = None

    def search(self, query: str, types: Collection[str], limit: int) -> list[Found]:
        """At most `limit` results of each of `types`, the most relevant first.

        Only what the catalogue shows at this moment. Raises `BackendError` when the database does
        not answer, or not in time.
        """
        # What no database can hold, and what no name contains.
        query = query.encode("utf-8", "replace").decode().replace("\0", " ")
        try:
            return self._search(query, types, limit)
        except TABLE_CHANGED:
            self._statements = None
        try:
            return self._search(query, types, limit)
        except TABLE_CHANGED as error:
            reason = first_line(error)
            raise BackendError(f"the database cannot be searched: {reason}") from error

    def _search(self, query: str, types: Collection[str], limit: int) -> list[Found]:
        with self._database.transaction(within=ANSWER_SECONDS) as connection:
            # One moment for all steps: a name that changes meanwhile is not missed by each of them.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            parameters = _prepare(connection, query)
            if parameters is None:
                return []
            statements, present = self._current(connection)
            kinds = {kind for kind in present if _type_of(kind) in types}
            if "handle_bare" not in parameters:
                kinds -= {"handle"}
                parameters |= patterns("handle", " ")
            steps = _Steps(connection, statements, parameters, kinds, limit)
            try:
                steps.run()
            except psycopg.errors.QueryCanceled as error:
                # What was found before is better than what is merely similar.
                if not steps.found:
                    raise database_error(error) from error
                connection.rollback()
                logger.warning("keyword search: a step took too long; its results are left out")
        return steps.results()

    def _current(self, connection: Connection) -> tuple[Statements, frozenset[str]]:
        """The statements, and the kinds whose tables the catalogue has."""
        now = time.monotonic()
        if self._statements is None or now - self._statements[0] > SCHEMA_RECHECK_SECONDS:
            self._statements = now, *_read_schema(connection)
        return self._statements[1], self._statements[2]


class _Steps:
    """One search: from the best kind of match to the least, for what still lacks results."""

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        parameters: dict[str, Any],
        kinds: set[str],
        limit: int,
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._parameters = parameters
        self._kinds = kinds
        self._limit = limit
        self.found: dict[tuple[str, str], Found] = {}

    def run(self) -> None:
        self._step(MatchRank.EQUAL, self._statements.equal)
        self._step(MatchRank.PREFIX, self._statements.prefix)
        self._step(MatchRank.SUBSTRING, self._statements.substring)
        if sum(letter.isalnum() for letter in self._parameters["text_bare"]) < SHORTEST_FUZZY:
            return
        if self._parameters["text_has_parts"]:
            self._step(MatchRank.SIMILAR, self._statements.one_mistake)
            if self.found:
                return
        for threshold in SIMILAR:
            self._connection.execute(LOOSEN, {"threshold": str(threshold)})
            self._step(MatchRank.SIMILAR, self._statements.fuzzy)
            if self.found:
                return

    def results(self) -> list[Found]:
        counts = dict.fromkeys(TYPES, 0)
        results = []
        for found in sorted(self.found.values(), key=_order):
            counts[found.type] += 1
            if counts[found.type] <= self._limit:
                results.append(found)
        return results

    def _step(self, match: MatchRank, statement: str) -> None:
        missing = {kind: self._missing(kind) for kind in _ALL_KINDS}
        if not any(missing.values()):
            return
        parameters = self._parameters | {f"most_{kind}": count for kind, count in missing.items()}
        for row in self._connection.execute(trusted_sql(statement), parameters, prepare=True):
            self._keep(match, row)

    def _missing(self, kind: str) -> int:
        """How many results of `kind` an answer has room for."""
        if kind not in self._kinds:
            return 0
        have = sum(found.type == _type_of(kind) for found in self.found.values())
        return max(0, self._limit - have)

    def _keep(self, match: MatchRank, row: Mapping[str, Any]) -> None:
        low, high = _RELEVANCE[match]
        found = Found(
            type=_type_of(row["kind"]),
            key=row["key"],
            match=match,
            relevance=round(low + (high - low) * row["similarity"], _RELEVANCE_DIGITS),
            is_as_typed=row["name"] == self._parameters["query"],
            fields=row["fields"],
        )
        best = self.found.get((found.type, found.key))
        # An artist may be found by both names.
        if best is None or _order(found) < _order(best):
            self.found[found.type, found.key] = found


_ALL_KINDS: Final = tuple(source.kind for source in SOURCES)


def _type_of(kind: str) -> str:
    return "artist" if kind == "handle" else kind


def _order(found: Found) -> tuple[float, bool, int]:
    """Equal ones stay in the order in which the database found them: that of the alphabet for
    prefixes, the shorter first for similar names."""
    return -found.relevance, not found.is_as_typed, TYPES.index(found.type)


def _prepare(connection: Connection, query: str) -> dict[str, Any] | None:
    """The parameters of every step; None when nothing can match."""
    settings = {"query": query, "handle": query.strip().lstrip("@")}
    (row,) = connection.execute(PREPARE, settings, prepare=True)
    if not row["text"]:
        return None
    parameters: dict[str, Any] = {"query": query} | patterns("text", row["text"])
    bare = parameters["text_bare"]
    parameters["has_infix"] = has_infix(bare)
    parameters["is_long"] = parameters["has_infix"] and len(bare) >= LONG
    if row["handle_text"]:
        parameters |= patterns("handle", row["handle_text"])
    return parameters


def _read_schema(connection: Connection) -> tuple[Statements, frozenset[str]]:
    columns = column_types(connection, {source.table for source in SOURCES} | {"track_tags"})
    avatar = "a.avatar_url" if "avatar_url" in columns["artists"] else "NULL::text"
    types: dict[str, str] = {}

    def statements(sources: Sequence[Source]) -> Statements:
        return build(sources, types, avatar)

    have = []
    for source in SOURCES:
        if set(source.columns) <= set(columns[source.table]):
            types[source.kind] = columns[source.table][source.key]
            if _may_run(connection, statements([source]).equal, source.kind):
                have.append(source)
    return statements(have), frozenset(source.kind for source in have)


def _may_run(connection: Connection, statement: str, kind: str) -> bool:
    """Whether the tables are such that `statement` can be planned."""
    texts = patterns("text", " a ") | patterns("handle", " a ")
    try:
        with connection.transaction():
            connection.execute(
                trusted_sql(f"EXPLAIN {statement}"), {"query": "a", f"most_{kind}": 1, **texts}
            )
    except TABLE_CHANGED as error:
        logger.warning("keyword search leaves out each %s: %s", kind, first_line(error))
        return False
    return True
