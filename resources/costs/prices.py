"""Published prices, in US dollars without tax, discounts, free allowances and credits.

Replicate: replicate.com/pricing and replicate.com/docs/billing, as of November 2026.
Modal: modal.com/pricing, base prices as of September 2026; a pinned region costs more.
turbopuffer: turbopuffer.com/pricing, as of autumn 2026.
Cloudflare R2: developers.cloudflare.com/r2/pricing, standard storage, as of August 2026.
"""

from typing import Final

from resources.costs.measures import Amounts, Measure

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
