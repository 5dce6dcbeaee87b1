"""Vectors in turbopuffer, through its official SDK."""

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from turbopuffer.types import (
    NamespaceDeleteAllResponse,
    NamespaceHintCacheWarmResponse,
    NamespaceQueryResponse,
    NamespaceWriteResponse,
    Row,
)

from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.costs.prices import TURBOPUFFER_LEAST_QUERIED_BYTES, TURBOPUFFER_LEAST_WRITTEN_BYTES
from resources.embedding.protocol import ModelDescription
from resources.errors import BackendError
from resources.vectors.documents import (
    best_first,
    check_id,
    check_limit,
    checked_vector,
    model_mismatch,
    normal_documents,
)
from resources.vectors.protocol import LARGEST_ID, LARGEST_LIMIT, Match, VectorDocument
from resources.vectors.turbopuffer_client import NamespaceMissingError, TurbopufferClient
from resources.vectors.turbopuffer_rows import (
    batches,
    check_written,
    count_in,
    fingerprint_of,
    id_of,
    row_of,
    rows_in,
    schema,
    similarity_of,
    vector_of,
)
from resources.web.deadline import PATIENCE_SECONDS, Deadline, TransferDeadline

PAGE_ROWS: Final = LARGEST_LIMIT
"""Ids in a page of an export: the most that one query returns."""


class TurbopufferStore:
    """A namespace at turbopuffer, or at a compatible server at `base_url`.

    Each document carries its model's fingerprint in the attribute `model`. Every call first reads
    one document and compares; a query does so until it has seen the namespace, and then compares
    the fingerprint of every result, so that even two models that write the first documents of a
    namespace at the same moment are never mixed in an answer.

    `read_seconds` bounds queries and `check`, `write_seconds` everything else, retries included; a
    write has that time besides what it takes to send (`TransferDeadline`). What they use is noted
    in `ledger`. Raises `ConfigurationError` for a malformed key, and from any call when the service
    refuses it.
    """

    charges_for = (
        Measure.TURBOPUFFER_WRITES,
        Measure.TURBOPUFFER_WRITTEN_BYTES,
        Measure.TURBOPUFFER_QUERIES,
    )

    def __init__(
        self,
        *,
        api_key: str,
        region: str,
        namespace: str,
        model: ModelDescription,
        base_url: str | None = None,
        read_seconds: float = 5.0,
        write_seconds: float = PATIENCE_SECONDS,
        ledger: Ledger | None = None,
    ) -> None:
        self._client = TurbopufferClient(api_key=api_key, region=region, base_url=base_url)
        self._remote = self._client.sdk.namespace(namespace)
        self.namespace = namespace
        self.model = model
        self._read_seconds = read_seconds
        self._write_seconds = write_seconds
        self._ledger = ledger or Ledger()
        self._seen = False

    def __repr__(self) -> str:
        return f"TurbopufferStore({self.namespace!r}, {self._client.address})"

    def close(self) -> None:
        """Close the connections; the store cannot be used any more."""
        self._client.sdk.close()

    def upsert(self, documents: Sequence[VectorDocument]) -> None:
        rows = normal_documents(documents, self.model.dimension, LARGEST_ID)
        if not rows:
            return
        self._exists(Deadline(self._write_seconds))
        for batch in batches(row_of(document, self.model.fingerprint) for document in rows):
            self._write(
                upsert_rows=batch,
                distance_metric="cosine_distance",
                schema=schema(self.model.dimension),
            )

    def delete(self, ids: Sequence[int]) -> None:
        for id_ in ids:
            check_id(id_, LARGEST_ID)
        # Only to refuse another model's namespace. The delete is sent whatever is found: what is
        # recorded as deleted must be gone, also when the answer that nothing is there was wrong.
        self._exists(Deadline(self._write_seconds))
        unique = sorted({int(id_) for id_ in ids})
        for start in range(0, len(unique), PAGE_ROWS):
            self._write(deletes=unique[start : start + PAGE_ROWS])

    def query(self, vector: NDArray[np.float32], limit: int) -> list[Match]:
        check_limit(limit)
        # Python floats: the SDK cannot serialise numpy's.
        wanted = checked_vector(vector, self.model.dimension).tolist()
        deadline = Deadline(self._read_seconds)
        if not self._seen and not self._exists(deadline):
            return []
        rows = self._rows(
            deadline, rank_by=("vector", "ANN", wanted), limit=limit, include_attributes=["model"]
        )
        self._refuse_another_model(rows)
        return best_first([Match(id_of(row), similarity_of(row)) for row in rows])

    def vector(self, track_id: int) -> NDArray[np.float32] | None:
        check_id(track_id, LARGEST_ID)
        deadline = Deadline(self._read_seconds)
        if not self._seen and not self._exists(deadline):
            return None
        rows = self._rows(
            deadline,
            rank_by=("id", "asc"),
            filters=("id", "Eq", track_id),
            limit=1,
            include_attributes=True,
        )
        if not rows:
            return None
        self._refuse_another_model(rows)
        return vector_of(rows[0], self.model.dimension)

    def count(self) -> int:
        deadline = Deadline(self._write_seconds)
        if not self._exists(deadline):
            return 0
        try:
            answer = self._query(deadline, aggregate_by={"documents": ("Count",)})
        except NamespaceMissingError:
            return 0
        return count_in(answer)

    def ids(self, first: int, last: int) -> list[int]:
        first, last = max(first, 0), min(last, LARGEST_ID)
        found: list[int] = []
        if first > last or not self._exists(Deadline(self._write_seconds)):
            return found
        lower = ("id", "Gte", first)
        while True:
            page = self._rows(
                Deadline(self._write_seconds),
                rank_by=("id", "asc"),
                filters=("And", (lower, ("id", "Lte", last))),
                limit=PAGE_ROWS,
            )
            found.extend(map(id_of, page))
            if len(page) < PAGE_ROWS:
                return found
            lower = ("id", "Gt", found[-1])

    def drop(self) -> None:
        self._seen = False
        deadline = Deadline(self._write_seconds)
        with contextlib.suppress(NamespaceMissingError):
            self._client.call(self._remote.delete_all, NamespaceDeleteAllResponse, deadline)

    def warm(self) -> None:
        """By the service's own hint: free where the namespace is warm, otherwise billed as one
        empty query."""
        deadline = Deadline(self._read_seconds)
        if not self._seen and not self._exists(deadline):
            return
        with contextlib.suppress(NamespaceMissingError):
            self._client.call(
                self._remote.hint_cache_warm, NamespaceHintCacheWarmResponse, deadline
            )

    def check(self) -> None:
        self._exists(Deadline(self._read_seconds))

    def _exists(self, deadline: Deadline) -> bool:
        """Whether the namespace holds anything. Raises `ModelMismatchError` when it is another
        model's."""
        # All attributes: the service may refuse to include one that nobody has written.
        rows = self._rows(deadline, rank_by=("id", "asc"), limit=1, include_attributes=True)
        self._refuse_another_model(rows)
        return self._seen

    def _refuse_another_model(self, rows: Sequence[Row]) -> None:
        """Also notes whether there is a namespace, and that it is the model's."""
        self._seen = False
        for row in rows:
            fingerprint = fingerprint_of(row)
            if fingerprint != self.model.fingerprint:
                stored = f"model {fingerprint[:8]}" if fingerprint else "an unknown model"
                raise model_mismatch(self.namespace, stored, self.model)
        self._seen = bool(rows)

    def _write(self, **body: Any) -> None:
        deadline = TransferDeadline(self._write_seconds)
        try:
            answer = self._client.call(self._remote.write, NamespaceWriteResponse, deadline, **body)
            self._note_write(answer)
            # Of what was to be deleted, any number may not have been there.
            check_written(answer, least_rows=len(body.get("upsert_rows", ())))
        except NamespaceMissingError:
            # A first write creates the namespace; what was to be deleted may be gone with it.
            if "deletes" not in body:
                raise BackendError(
                    "turbopuffer answers a write with 404; is its URL right?"
                ) from None

    def _rows(self, deadline: Deadline, **body: Any) -> list[Row]:
        try:
            return rows_in(self._query(deadline, **body))
        except NamespaceMissingError:
            return []

    def _query(self, deadline: Deadline, **body: Any) -> NamespaceQueryResponse:
        answer = self._client.call(self._remote.query, NamespaceQueryResponse, deadline, **body)
        self._note_query(answer)
        return answer

    def _note_write(self, answer: NamespaceWriteResponse) -> None:
        """What is billed. The SDK checks no answer: a compatible server may say less."""
        written = _bytes_in(answer, "billable_logical_bytes_written")
        billed = max(written, TURBOPUFFER_LEAST_WRITTEN_BYTES)
        self._ledger.add(Measure.TURBOPUFFER_WRITES)
        self._ledger.add(Measure.TURBOPUFFER_WRITTEN_BYTES, billed)

    def _note_query(self, answer: NamespaceQueryResponse) -> None:
        queried = _bytes_in(answer, "billable_logical_bytes_queried")
        returned = _bytes_in(answer, "billable_logical_bytes_returned")
        billed = max(queried, TURBOPUFFER_LEAST_QUERIED_BYTES)
        self._ledger.add(Measure.TURBOPUFFER_QUERIES)
        self._ledger.add(Measure.TURBOPUFFER_QUERIED_BYTES, billed)
        self._ledger.add(Measure.TURBOPUFFER_RETURNED_BYTES, returned)


def _bytes_in(answer: object, name: str) -> int:
    found = getattr(getattr(answer, "billing", None), name, 0)
    return found if isinstance(found, int) else 0
