"""Documents and answers as turbopuffer writes them."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from turbopuffer.types import NamespaceQueryResponse, NamespaceWriteResponse, Row

from resources.errors import BackendError
from resources.vectors.documents import checked_vector
from resources.vectors.protocol import VectorDocument
from resources.web.http import excerpt

BATCH_ROWS: Final = 1_000
BATCH_BYTES: Final = 16 * 2**20
"""A write request has at most so many rows and about so many bytes. The service advises hundreds to
thousands of rows and takes 512 MB; a small request is repeated quickly when a connection breaks."""


def schema(dimension: int) -> dict[str, Any]:
    """Nothing is filtered by the texts: unfilterable, they cost half and may exceed 4 KiB."""
    text = {"type": "string", "filterable": False}
    return {
        "vector": {"type": f"[{dimension}]f32", "ann": True},
        "title": text,
        "artist_handle": text,
        "artist_did": text,
        "model": text,
    }


def row_of(document: VectorDocument, fingerprint: str) -> dict[str, Any]:
    """`fingerprint`: the model's, in the attribute `model`."""
    return {
        "id": document.id,
        # Python floats: the SDK sends them as base64, and cannot serialise numpy's.
        "vector": document.vector.tolist(),
        "title": document.title,
        "artist_handle": document.artist_handle,
        "artist_did": document.artist_did,
        "model": fingerprint,
    }


def batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows grouped into requests of at most `BATCH_ROWS` rows and about `BATCH_BYTES` bytes."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        row_size = _bytes_on_the_wire(row)
        if batch and (len(batch) == BATCH_ROWS or size + row_size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_size
    if batch:
        yield batch


def _bytes_on_the_wire(row: dict[str, Any]) -> int:
    """Base64 of float32 is 16/3 bytes a value; the rest is UTF-8 and some 100 bytes of JSON."""
    texts = sum(len(value.encode()) for value in row.values() if isinstance(value, str))
    return 100 + len(row["vector"]) * 16 // 3 + texts


def rows_in(answer: NamespaceQueryResponse) -> list[Row]:
    """The rows of a query's answer. Raises `BackendError` for what is no such answer, since the SDK
    checks nothing of it."""
    rows = answer.rows
    if rows is None and answer.model_fields_set - {"rows"}:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Row) for row in rows):
        raise BackendError("turbopuffer's answer to a query has no rows")
    return rows


def id_of(row: Row) -> int:
    id_ = getattr(row, "id", None)
    if type(id_) is not int:
        raise BackendError("turbopuffer's answer has documents without an id of ours")
    return id_


def count_in(answer: NamespaceQueryResponse) -> int:
    """What was counted as `documents`."""
    found = answer.aggregations
    count = found.get("documents") if isinstance(found, dict) else None
    if type(count) is not int:
        raise BackendError("turbopuffer's answer to a count has no number")
    return count


def check_written(answer: NamespaceWriteResponse, least_rows: int) -> None:
    """Raises `BackendError` unless the service says that it wrote as much."""
    affected = getattr(answer, "rows_affected", None)
    if type(affected) is not int or affected < least_rows:
        raise BackendError(
            f"turbopuffer says it wrote {excerpt(str(affected), 20)} of {least_rows} documents"
        )


def fingerprint_of(row: Row) -> str | None:
    """The model's that the row's vector comes from; None when nobody wrote one."""
    fingerprint = (row.model_extra or {}).get("model")
    return str(fingerprint) if fingerprint else None


def similarity_of(row: Row) -> float:
    """Cosine, in [-1, 1]: the service answers 1 - cosine, rounded."""
    distance = (row.model_extra or {}).get("$dist")
    if not isinstance(distance, int | float) or not math.isfinite(distance):
        raise BackendError("turbopuffer's answer to a query has no distances")
    return min(1.0, max(-1.0, 1.0 - distance))


def vector_of(row: Row, dimension: int) -> NDArray[np.float32]:
    """(dimension,) float32 of length 1."""
    try:
        return checked_vector(np.asarray(row.vector, np.float32), dimension)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise BackendError("turbopuffer's answer has no vector of the model's") from error
