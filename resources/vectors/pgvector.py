"""Vectors in the catalogue's Postgres, through pgvector 0.8 or newer (it needs iterative scans)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import TupleRow, tuple_row
from psycopg_pool import ConnectionPool

from resources.costs.measures import Measure
from resources.embedding.protocol import ModelDescription
from resources.errors import BackendError, ConfigurationError
from resources.vectors.documents import (
    best_first,
    check_id,
    check_limit,
    checked_vector,
    model_mismatch,
    normal_documents,
    short_form,
)
from resources.vectors.pgvector_dialect import (
    CREATE_INDEX,
    CREATE_TABLE,
    KEEP_VECTORS_INLINE,
    NEAREST,
    UPSERT,
    BinaryVector,
    BinaryVectorDumper,
    candidates,
    index_name,
    scanned_tuples,
    table_name,
)
from resources.vectors.protocol import LARGEST_ID, Match, VectorDocument

LARGEST_BIGINT: Final = 2**63 - 1

BATCH_ROWS: Final = 1_000
"""Documents in a transaction: about a second of index building, 2 MB on the wire."""

QUERY_SECONDS: Final = 10.0
"""How long a query may take, or a look-up: nobody waits for an answer any longer."""

Cursor = psycopg.Cursor[TupleRow]


class PgvectorStore:
    """A table with an HNSW index for the namespace, in the schema `moodsearch`.

    `moodsearch.vector_namespaces` says which table and which model belong to a namespace. Both come
    into being in the transaction of the first write. Postgres chooses for each query between the
    index and an exact scan, which is faster below some 10,000 documents.

    Ids are `bigint`, half of what the contract allows; `upsert` refuses larger ones with
    `ValueError`. Raises `ConfigurationError` when the database lacks the extension.
    """

    charges_for: Sequence[Measure] = ()

    def __init__(
        self,
        pool: ConnectionPool[Any],
        namespace: str,
        model: ModelDescription,
    ) -> None:
        self._pool = pool
        self.namespace = namespace
        self.model = model
        self._extension_schema: str | None = None

    def upsert(self, documents: Sequence[VectorDocument]) -> None:
        rows = normal_documents(documents, self.model.dimension, LARGEST_BIGINT)
        for start in range(0, len(rows), BATCH_ROWS):
            self._write(rows[start : start + BATCH_ROWS])

    def delete(self, ids: Sequence[int]) -> None:
        for id_ in ids:
            check_id(id_, LARGEST_ID)
        storable = sorted({int(id_) for id_ in ids if id_ <= LARGEST_BIGINT})
        with self._transaction() as cursor:
            if self._exists(cursor, lock=True):
                cursor.execute(
                    self._sql("DELETE FROM {table} WHERE id = ANY(%s::bigint[])"), [storable]
                )

    def query(self, vector: NDArray[np.float32], limit: int) -> list[Match]:
        check_limit(limit)
        wanted = BinaryVector(checked_vector(vector, self.model.dimension))
        statement = self._sql(NEAREST, schema=self._extension(), limit=sql.Literal(limit))
        rows = self._read(statement, {"wanted": wanted}, limit, within=QUERY_SECONDS)
        return best_first([Match(id_, min(1.0, max(-1.0, cosine))) for id_, cosine in rows])

    def vector(self, track_id: int) -> NDArray[np.float32] | None:
        check_id(track_id, LARGEST_ID)
        if track_id > LARGEST_BIGINT:
            return None
        statement = self._sql("SELECT embedding::real[] FROM {table} WHERE id = %(id)s")
        rows = self._read(statement, {"id": track_id}, within=QUERY_SECONDS)
        return np.asarray(rows[0][0], np.float32) if rows else None

    def count(self) -> int:
        rows = self._read(self._sql("SELECT count(*) FROM {table}"))
        return int(rows[0][0]) if rows else 0

    def ids(self, first: int, last: int) -> list[int]:
        first, last = max(first, 0), min(last, LARGEST_BIGINT)
        if first > last:
            return []
        statement = self._sql(
            "SELECT id FROM {table} WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id"
        )
        return [int(id_) for (id_,) in self._read(statement, {"first": first, "last": last})]

    def drop(self) -> None:
        with self._transaction() as cursor:
            self._lock_namespace(cursor)
            cursor.execute(
                "DELETE FROM moodsearch.vector_namespaces WHERE namespace = %s", [self.namespace]
            )
            cursor.execute(self._sql("DROP TABLE IF EXISTS {table}"))

    def warm(self) -> None:
        somewhere = np.full(self.model.dimension, self.model.dimension**-0.5, np.float32)
        self.query(somewhere, 1)

    def check(self) -> None:
        with self._transaction(QUERY_SECONDS) as cursor:
            self._exists(cursor)

    def _write(self, documents: Sequence[VectorDocument]) -> None:
        statement = self._sql(UPSERT, schema=self._extension())
        rows = [
            (row.id, BinaryVector(row.vector), row.title, row.artist_handle, row.artist_did)
            for row in documents
        ]
        with self._transaction() as cursor:
            if not self._exists(cursor, lock=True):
                self._create(cursor)
            # One pipeline: as fast as COPY into a temporary table and 20 times as fast as vectors
            # in text (measured: 1,000 in 12 ms, indexing aside).
            cursor.executemany(statement, rows)

    def _create(self, cursor: Cursor) -> None:
        """Create table and index, unless another process does so at the same time."""
        self._lock_namespace(cursor)
        if self._exists(cursor, lock=True):
            return
        dimension = sql.Literal(self.model.dimension)
        index = sql.Identifier(index_name(self.namespace))
        cursor.execute(self._sql(CREATE_TABLE, schema=self._extension(), dimension=dimension))
        cursor.execute(self._sql(KEEP_VECTORS_INLINE))
        cursor.execute(self._sql(CREATE_INDEX, schema=self._extension(), index=index))
        cursor.execute(
            "INSERT INTO moodsearch.vector_namespaces"
            " (namespace, table_name, fingerprint, model_id, dimension)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                self.namespace,
                table_name(self.namespace),
                self.model.fingerprint,
                self.model.id,
                self.model.dimension,
            ],
        )

    def _lock_namespace(self, cursor: Cursor) -> None:
        """Be the only one to create or drop the namespace until the transaction ends."""
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"moodsearch.vector_namespaces:{self.namespace}"],
        )

    def _read(
        self,
        statement: sql.Composed,
        parameters: dict[str, Any] | None = None,
        limit: int = 1,
        *,
        within: float | None = None,
    ) -> list[TupleRow]:
        """The statement's rows; none when the namespace does not exist. `within`: seconds that it
        may take."""
        try:
            return self._read_once(statement, parameters, limit, within)
        except psycopg.errors.UndefinedTable:
            # Dropped after the registry was read: now the registry says so.
            return self._read_once(statement, parameters, limit, within)

    def _read_once(
        self,
        statement: sql.Composed,
        parameters: dict[str, Any] | None,
        limit: int,
        within: float | None,
    ) -> list[TupleRow]:
        with self._transaction(within) as cursor:
            if not self._exists(cursor, limit=limit):
                return []
            return cursor.execute(statement, parameters).fetchall()

    def _exists(self, cursor: Cursor, *, lock: bool = False, limit: int = 1) -> bool:
        """Whether the namespace exists. Raises `ModelMismatchError` when it is another model's.

        `lock` keeps it from being dropped until the transaction ends. `limit` is what a query in
        this transaction asks for: its settings travel along to save a round trip.
        """
        row = cursor.execute(
            "SELECT fingerprint, model_id,"
            " set_config('hnsw.ef_search', %(candidates)s, true),"
            " set_config('hnsw.iterative_scan', 'strict_order', true),"
            " set_config('hnsw.max_scan_tuples', %(tuples)s, true)"
            " FROM moodsearch.vector_namespaces WHERE namespace = %(namespace)s"
            + (" FOR KEY SHARE" if lock else ""),
            {
                "candidates": str(candidates(limit)),
                "tuples": str(scanned_tuples(limit)),
                "namespace": self.namespace,
            },
        ).fetchone()
        if row is not None and row[0] != self.model.fingerprint:
            raise model_mismatch(self.namespace, short_form(row[1], row[0]), self.model)
        return row is not None

    def _extension(self) -> sql.Identifier:
        """The schema that pgvector is installed in; the search path may lack it."""
        if self._extension_schema is None:
            with self._transaction(QUERY_SECONDS) as cursor:
                row = cursor.execute(
                    "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
                    " WHERE extname = 'vector'"
                ).fetchone()
            if row is None:
                raise ConfigurationError(
                    'DATABASE_URL: this database lacks the extension "vector" (pgvector);'
                    " have it installed, or set TURBOPUFFER_ENABLED"
                )
            self._extension_schema = str(row[0])
        return sql.Identifier(self._extension_schema)

    def _sql(self, template: LiteralString, **parts: sql.Composable) -> sql.Composed:
        table = sql.Identifier("moodsearch", table_name(self.namespace))
        return sql.SQL(template).format(table=table, **parts)

    @contextmanager
    def _transaction(self, within: float | None = None) -> Iterator[Cursor]:
        """`within`: seconds after which the server ends a statement."""
        try:
            with (
                self._pool.connection() as connection,
                connection.transaction(),
                connection.cursor(row_factory=tuple_row) as cursor,
            ):
                cursor.adapters.register_dumper(BinaryVector, BinaryVectorDumper)
                if within is not None:
                    timeout = sql.Literal(round(1_000 * within))
                    cursor.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(timeout))
                yield cursor
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            reason = error.diag.message_primary or type(error).__name__
            raise BackendError(f"the vector store (Postgres) does not answer: {reason}") from error
