"""What services that charge count."""

from collections.abc import Mapping
from enum import StrEnum


class Measure(StrEnum):
    """An amount that adds up; the part before the dot is the service. Amounts are kept, never
    dollars: prices change."""

    REPLICATE_PREDICTIONS = "replicate.predictions"
    """Predictions that came to an end, whether or not they succeeded."""
    REPLICATE_SECONDS = "replicate.seconds"
    """Seconds that they ran, as Replicate says (`metrics.predict_time`)."""
    REPLICATE_UNTIMED = "replicate.untimed_predictions"
    """Those of the predictions of which it does not say."""

    MODAL_AUDIO_REQUESTS = "modal.audio_requests"
    MODAL_TEXT_REQUESTS = "modal.text_requests"
    MODAL_REQUEST_SECONDS = "modal.request_seconds"
    """Seconds until the answers, of all requests together."""
    MODAL_CONTAINER_SECONDS = "modal.container_seconds"
    """Seconds that containers ran for them, idle ones after the last request included: worked
    out here (`resources.costs.ledger`), because Modal does not tell callers what it bills."""

    TURBOPUFFER_WRITES = "turbopuffer.writes"
    TURBOPUFFER_WRITTEN_BYTES = "turbopuffer.written_bytes"
    """As billed: each write at least `TURBOPUFFER_LEAST_WRITTEN_BYTES`."""
    TURBOPUFFER_QUERIES = "turbopuffer.queries"
    TURBOPUFFER_QUERIED_BYTES = "turbopuffer.queried_bytes"
    """As billed: each query at least `TURBOPUFFER_LEAST_QUERIED_BYTES`."""
    TURBOPUFFER_RETURNED_BYTES = "turbopuffer.returned_bytes"

    @property
    def service(self) -> str:
        return self.value.split(".", 1)[0]


Amounts = Mapping[Measure, float]


def difference(after: Amounts, before: Amounts) -> dict[Measure, float]:
    """What was added between two readings; nothing that did not change."""
    changes = {measure: amount - before.get(measure, 0.0) for measure, amount in after.items()}
    return {measure: change for measure, change in changes.items() if change}
