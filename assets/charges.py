"""What a run used of services that charge, and what is left to do, for its metadata."""

from collections.abc import Callable, Sequence
from typing import Final

import dagster as dg

from resources.costs.ledger import Ledger
from resources.costs.measures import Measure, difference
from resources.costs.prices import dollars

NAMES: Final = {"replicate": "Replicate", "modal": "Modal", "turbopuffer": "turbopuffer"}

DIGITS: Final = 6
"""A classification costs $0.0002."""


class Charges:
    """Counts from when it is made."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ledger.save()
        self._before = self._ledger.reading()

    def metadata(
        self, charged: Sequence[Measure], left: int, price: Callable[[int], float]
    ) -> dict[str, dg.MetadataValue]:
        """Amounts and dollars at published prices, and for how many tracks of the block this is
        still to be done at which price.

        `charged`: what the service in use charges for, shown even when nothing was used; where that
        is nothing, what is left costs nothing, too. `price`: dollars for so many tracks.
        """
        # Only now is it known for how long containers ran.
        self._ledger.save()
        used = difference(self._ledger.reading(), self._before)
        services = sorted({measure.service for measure in (*charged, *used)})
        left_dollars = price(left) if charged else 0.0
        metadata: dict[str, dg.MetadataValue] = {
            "paid_to": dg.MetadataValue.text(
                ", ".join(NAMES[service] for service in services) or "none (runs locally)"
            ),
            "cost_dollars": dg.MetadataValue.float(round(dollars(used), DIGITS)),
            "left_tracks": dg.MetadataValue.int(left),
            "left_cost_dollars": dg.MetadataValue.float(round(left_dollars, DIGITS)),
        }
        for measure in Measure:
            if measure in used or measure in charged:
                name = measure.value.replace(".", "_")
                metadata[name] = dg.MetadataValue.float(round(used.get(measure, 0.0), 3))
        return metadata
