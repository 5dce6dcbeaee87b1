"""What services charge, and what a catalogue would cost. Free of I/O.

Published prices, in US dollars without tax, discounts, free allowances and credits:

Replicate: replicate.com/pricing and replicate.com/docs/billing, as of November 2026.
Modal: modal.com/pricing, base prices as of September 2026; a pinned region costs more.
turbopuffer: turbopuffer.com/pricing, as of autumn 2026.
Cloudflare R2: developers.cloudflare.com/r2/pricing, standard storage, as of August 2026.

An amount that is not known is assumed: each assumption is a constant with its source.
"""

from dataclasses import dataclass
from typing import Final

from resources.costs.measures import Amounts, Measure
from resources.embedding.protocol import EMBEDDING_DIMENSION

AS_OF: Final = "2026"

GIGABYTE: Final = 1e9

REPLICATE_CPU_SECOND: Final = 0.0001
"""The hardware that effnet-discogs runs on. Only active seconds of a public model are billed."""

REPLICATE_PREDICTION: Final = 0.0002
"""About, as the model's page says: two seconds. For estimates, and where no time was reported."""

MODAL_CORE_SECOND: Final = 0.0000131
MODAL_GIBIBYTE_SECOND: Final = 0.00000222

MODAL_CORES: Final = 2.0
MODAL_GIBIBYTES: Final = 4.0
MODAL_IDLE_SECONDS: Final = 300.0
"""What `serving.embedding_service.modal_app` asks for, and how long it waits for the next request;
billed."""

MODAL_REQUESTS_AT_ONCE: Final = 4
"""In one container before another is started, as `serving.embedding_service.modal_app` says."""

MODAL_MOST_CONTAINERS: Final = 20
"""That run at a time, as `serving.embedding_service.modal_app` says: more requests wait."""

MODAL_CONTAINER_SECOND: Final = (
    MODAL_CORES * MODAL_CORE_SECOND + MODAL_GIBIBYTES * MODAL_GIBIBYTE_SECOND
)

MODAL_CONTAINER_MONTH: Final = MODAL_CONTAINER_SECOND * 3600 * 730
"""Of one container that never stops."""

TURBOPUFFER_MONTH: Final = 16.0
"""The smallest plan's minimum: what is used is part of it, up to that."""
TURBOPUFFER_STORED_GIGABYTE_MONTH: Final = 0.33
TURBOPUFFER_WRITTEN_GIGABYTE: Final = 2.0
"""Before the discount for large batches, up to a half."""
TURBOPUFFER_LEAST_WRITTEN_BYTES: Final = 10_000
TURBOPUFFER_QUERIED_GIGABYTE: Final = 1e-6
TURBOPUFFER_LEAST_QUERIED_BYTES: Final = 1_280_000_000
TURBOPUFFER_RETURNED_GIGABYTE: Final = 0.05

R2_STORED_GIGABYTE_MONTH: Final = 0.015
R2_WRITE: Final = 4.50e-6
"""A class A operation."""
R2_READ: Final = 0.36e-6
"""A class B operation. What is read leaves R2 for nothing."""

_EACH: Final = {
    Measure.REPLICATE_SECONDS: REPLICATE_CPU_SECOND,
    Measure.REPLICATE_UNTIMED: REPLICATE_PREDICTION,
    Measure.MODAL_CONTAINER_SECONDS: MODAL_CONTAINER_SECOND,
    Measure.TURBOPUFFER_WRITTEN_BYTES: TURBOPUFFER_WRITTEN_GIGABYTE / GIGABYTE,
    Measure.TURBOPUFFER_QUERIED_BYTES: TURBOPUFFER_QUERIED_GIGABYTE / GIGABYTE,
    Measure.TURBOPUFFER_RETURNED_BYTES: TURBOPUFFER_RETURNED_GIGABYTE / GIGABYTE,
}


def dollars(amounts: Amounts) -> float:
    """What the amounts cost, without minimums and monthly storage."""
    costs = (_EACH.get(measure, 0.0) * amount for measure, amount in amounts.items())
    return sum(costs, start=0.0)


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


def dollars_to_classify(tracks: int) -> float:
    """So many tracks, on Replicate."""
    return tracks * REPLICATE_PREDICTION


def dollars_to_embed(tracks: int) -> float:
    """So many tracks in a row, on Modal; the idle minutes after them included."""
    if not tracks:
        return 0.0
    seconds = tracks * CONTAINER_SECONDS_A_TRACK + MODAL_IDLE_SECONDS
    return seconds * MODAL_CONTAINER_SECOND


def dollars_to_index(tracks: int) -> float:
    """So many tracks in turbopuffer, written in large batches."""
    return tracks * DOCUMENT_BYTES / GIGABYTE * TURBOPUFFER_WRITTEN_GIGABYTE


def on_replicate(tracks: int) -> Estimate:
    return Estimate(backfill=dollars_to_classify(tracks), per_1000_tracks=dollars_to_classify(1000))


def on_modal(tracks: int, *, queries_too: bool) -> Estimate:
    """At most: each upload and each query starts a container, which then idles. Those that come
    sooner after one another share it, down to one that never stops."""
    one = MODAL_CONTAINER_SECOND * (CONTAINER_SECONDS_A_TRACK + MODAL_IDLE_SECONDS)
    idle = MODAL_CONTAINER_SECOND * MODAL_IDLE_SECONDS
    return Estimate(
        backfill=dollars_to_embed(tracks),
        per_1000_tracks=1000 * one,
        per_1000_queries=1000 * idle if queries_too else 0.0,
        is_most=True,
    )


def on_turbopuffer(tracks: int) -> Estimate:
    query = TURBOPUFFER_LEAST_QUERIED_BYTES * TURBOPUFFER_QUERIED_GIGABYTE
    returned = RESULT_BYTES * TURBOPUFFER_RETURNED_GIGABYTE
    write = TURBOPUFFER_LEAST_WRITTEN_BYTES * TURBOPUFFER_WRITTEN_GIGABYTE
    stored = tracks * DOCUMENT_BYTES * TURBOPUFFER_STORED_GIGABYTE_MONTH
    return Estimate(
        backfill=dollars_to_index(tracks),
        per_1000_tracks=1000 * (write + QUERIES_A_RUN * query) / GIGABYTE,
        per_1000_queries=1000 * (query + returned) / GIGABYTE,
        storage_per_month=stored / GIGABYTE,
        minimum_per_month=TURBOPUFFER_MONTH,
    )


def on_r2(tracks: int) -> Estimate:
    """Reading audio, and keeping results; the audio's own storage is the app's."""
    reads = READS_A_TRACK * R2_READ
    stored = tracks * TABLE_BYTES / GIGABYTE
    return Estimate(
        backfill=tracks * reads,
        per_1000_tracks=1000 * (reads + WRITES_AN_UPLOAD * R2_WRITE),
        storage_per_month=stored * R2_STORED_GIGABYTE_MONTH,
    )
