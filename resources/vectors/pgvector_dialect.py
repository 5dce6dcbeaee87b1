"""How pgvector is spoken to: names, statements, the binary form of a vector, and the
settings of a search.

Whatever belongs to the extension is named with its schema: the search path may lack it.
"""

import hashlib
import re
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

LEAST_CANDIDATES: Final = 400
"""Smallest `hnsw.ef_search`. Measured on 10,000 random vectors, the hardest case: recall@10 is 0.26
with pgvector's default of 40 and 0.94 with 400, at 4 ms instead of 1 ms a query."""

CANDIDATES_PER_RESULT: Final = 4
"""Measured on 20,000 vectors in clusters, with queries from outside them as texts are: recall@150
is 0.95 with 400 candidates, 0.98 with 600, 0.99 with 1,000."""

MOST_CANDIDATES: Final = 1_000
"""The largest `hnsw.ef_search` that pgvector accepts; beyond it the scan continues iteratively."""

SCANNED_PER_RESULT: Final = 4
DEFAULT_MAX_SCAN_TUPLES: Final = 20_000
"""pgvector gives up an iterative scan after so many tuples (its default), deleted ones included."""


CREATE_TABLE: Final = (
    "CREATE TABLE {table} (id bigint PRIMARY KEY, embedding {schema}.vector({dimension}) NOT NULL,"
    " title text NOT NULL, artist_handle text NOT NULL, artist_did text NOT NULL)"
)
KEEP_VECTORS_INLINE: Final = "ALTER TABLE {table} ALTER COLUMN embedding SET STORAGE PLAIN"
"""Vectors of 512 dimensions are just too long to stay in their row by default. Inline, an exact
scan is four times as fast, and the planner knows its price: measured with 10,000 vectors, a query
for 500 takes 4 ms instead of 15 ms, and is exact."""

CREATE_INDEX: Final = (
    "CREATE INDEX {index} ON {table} USING hnsw (embedding {schema}.vector_cosine_ops)"
    " WITH (ef_construction = 200)"
)
"""Texts lie far from all sounds: with pgvector's default of 64 the graph missed a fifth of their
ten nearest tracks among 100,000, with 200 a fortieth; building it takes twice as long."""


UPSERT: Final = (
    "INSERT INTO {table} (id, embedding, title, artist_handle, artist_did)"
    " VALUES (%s, %b::{schema}.vector, %s, %s, %s)"
    " ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, title = excluded.title,"
    " artist_handle = excluded.artist_handle, artist_did = excluded.artist_did"
)
NEAREST: Final = (
    "SELECT id, 1 - (embedding OPERATOR({schema}.<=>) %(wanted)b::{schema}.vector) FROM {table}"
    " ORDER BY embedding OPERATOR({schema}.<=>) %(wanted)b::{schema}.vector LIMIT {limit}"
)
"""The limit is a literal: a plan for an unknown limit would not use the index."""


def candidates(limit: int) -> int:
    """`hnsw.ef_search` for a query."""
    return min(MOST_CANDIDATES, max(LEAST_CANDIDATES, CANDIDATES_PER_RESULT * limit))


def scanned_tuples(limit: int) -> int:
    """`hnsw.max_scan_tuples` for a query."""
    return max(DEFAULT_MAX_SCAN_TUPLES, SCANNED_PER_RESULT * limit)


def table_name(namespace: str) -> str:
    """At most 57 of Postgres's 63 bytes; the hash keeps namespaces apart that read alike."""
    readable = re.sub(r"[^a-z0-9]+", "_", namespace.lower())[:36].strip("_")
    return f"vectors_{readable}_{hashlib.sha256(namespace.encode()).hexdigest()[:12]}"


def index_name(namespace: str) -> str:
    return f"{table_name(namespace)}_hnsw"


class BinaryVector:
    """A vector on its way to Postgres."""

    def __init__(self, vector: NDArray[np.float32]) -> None:
        self.vector = vector


class BinaryVectorDumper(Dumper):
    """pgvector's binary form (`vector_recv`): dimension and zero as int16, then float32s, all
    big-endian.

    Registered on the cursor, not on the pool's connections, which are not ours; without a type oid,
    so that the cast in the statement gives the type and nothing need be looked up.
    """

    format = Format.BINARY

    def dump(self, obj: BinaryVector) -> bytes:
        return struct.pack(">hh", obj.vector.size, 0) + obj.vector.astype(">f4").tobytes()
