"""What work would cost at published prices. Free of I/O.

Where the amount of work is not known it is assumed: each assumption is a constant with its source.
"""

from dataclasses import dataclass
from typing import Final

from resources.costs import prices
from resources.embedding.protocol import EMBEDDING_DIMENSION

CONTAINER_SECONDS_A_TRACK: Final = 0.5
"""Of a Modal container with two cores: three windows, measured with the model that ships
(docs/modal.md)."""

DOCUMENT_BYTES: Final = EMBEDDING_DIMENSION * 4 + 200
"""A track's document in turbopuffer: its vector as 4-byte numbers, and about 200 bytes (assumed) of
id, title, artist and the model's fingerprint."""

QUERIES_A_RUN: Final = 6
"""Of the vector store in a run that indexes a block: its ids before and after, twice which model is
there, and the count."""

RESULT_BYTES: Final = 2_000
"""Returned by a search: some 20 ids with a similarity and a fingerprint each (assumed)."""

READS_A_TRACK: Final = 10
"""Ranges of its file: the header, and three windows in pieces (assumed)."""

WRITES_AN_UPLOAD: Final = 4
"""A block's tables, when a single track is new."""

TABLE_BYTES: Final = 8_000
"""A track's results with three windows (docs/operations.md)."""


@dataclass(frozen=True)
class Estimate:
    """Dollars. `backfill`: every track once. `per_1000_tracks`: uploads that come one by one.
    `is_most`: these and `per_1000_queries` are upper bounds, because it depends on how they come.
    `storage_per_month`: for the catalogue as it is; `minimum_per_month`: whatever is used."""

    backfill: float = 0.0
    per_1000_tracks: float = 0.0
    per_1000_queries: float = 0.0
    storage_per_month: float = 0.0
    minimum_per_month: float = 0.0
    is_most: bool = False


FREE: Final = Estimate()


def classification(tracks: int) -> float:
    """Of so many tracks, on Replicate."""
    return tracks * prices.REPLICATE_PREDICTION


def embedding(tracks: int) -> float:
    """Of so many tracks in a row, on Modal; the idle minutes after them included."""
    if not tracks:
        return 0.0
    seconds = tracks * CONTAINER_SECONDS_A_TRACK + prices.MODAL_IDLE_SECONDS
    return seconds * prices.MODAL_CONTAINER_SECOND


def indexing(tracks: int) -> float:
    """Writes of so many documents in large batches, to turbopuffer."""
    return tracks * DOCUMENT_BYTES / prices.GIGABYTE * prices.TURBOPUFFER_WRITTEN_GIGABYTE


def on_replicate(tracks: int) -> Estimate:
    return Estimate(backfill=classification(tracks), per_1000_tracks=classification(1000))


def on_modal(tracks: int, *, queries_too: bool) -> Estimate:
    """At most: each upload and each query starts a container, which then idles. Those that come
    sooner after one another share it, down to one that never stops."""
    one = prices.MODAL_CONTAINER_SECOND * (CONTAINER_SECONDS_A_TRACK + prices.MODAL_IDLE_SECONDS)
    idle = prices.MODAL_CONTAINER_SECOND * prices.MODAL_IDLE_SECONDS
    return Estimate(
        backfill=embedding(tracks),
        per_1000_tracks=1000 * one,
        per_1000_queries=1000 * idle if queries_too else 0.0,
        is_most=True,
    )


def on_turbopuffer(tracks: int) -> Estimate:
    query = prices.TURBOPUFFER_LEAST_QUERIED_BYTES * prices.TURBOPUFFER_QUERIED_GIGABYTE
    returned = RESULT_BYTES * prices.TURBOPUFFER_RETURNED_GIGABYTE
    write = prices.TURBOPUFFER_LEAST_WRITTEN_BYTES * prices.TURBOPUFFER_WRITTEN_GIGABYTE
    stored = tracks * DOCUMENT_BYTES * prices.TURBOPUFFER_STORED_GIGABYTE_MONTH
    return Estimate(
        backfill=indexing(tracks),
        per_1000_tracks=1000 * (write + QUERIES_A_RUN * query) / prices.GIGABYTE,
        per_1000_queries=1000 * (query + returned) / prices.GIGABYTE,
        storage_per_month=stored / prices.GIGABYTE,
        minimum_per_month=prices.TURBOPUFFER_MONTH,
    )


def on_r2(tracks: int) -> Estimate:
    """Reading audio, and keeping results; the audio's own storage is the app's."""
    reads = READS_A_TRACK * prices.R2_READ
    stored = tracks * TABLE_BYTES / prices.GIGABYTE
    return Estimate(
        backfill=tracks * reads,
        per_1000_tracks=1000 * (reads + WRITES_AN_UPLOAD * prices.R2_WRITE),
        storage_per_month=stored * prices.R2_STORED_GIGABYTE_MONTH,
    )
