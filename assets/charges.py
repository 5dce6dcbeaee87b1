"""What a run used of services that charge, and what is left to do, for its metadata."""

from collections.abc import Sequence
from typing import Final

import dagster as dg

from resources.backends import Backends
from resources.costs.prices import Measure, difference, dollars

NAMES: Final = {"replicate": "Replicate", "modal": "Modal", "turbopuffer": "turbopuffer"}

DIGITS: Final = 6
"""A classification costs $0.0002."""


class Charges:
    """Counts from when it is made. `shown`: measures that are shown even when nothing was used."""

    def __init__(self, backends: Backends, shown: Sequence[Measure] = ()) -> None:
        self._ledger = backends.ledger
        self._ledger.save()
        self._before = self._ledger.reading()
        self._shown = shown

    def metadata(self, left: int, left_dollars: float) -> dict[str, dg.MetadataValue]:
        """Amounts, dollars at published prices, and for how many tracks of the block this is still
        to be done at which price. Nobody is paid for what runs here."""
        # Only now is it known for how long containers ran.
        self._ledger.save()
        used = difference(self._ledger.reading(), self._before)
        services = sorted({measure.service for measure in (*self._shown, *used)})
        metadata: dict[str, dg.MetadataValue] = {
            "paid_to": dg.MetadataValue.text(
                ", ".join(NAMES[service] for service in services) or "nobody: it runs here"
            ),
            "cost_dollars": dg.MetadataValue.float(round(dollars(used), DIGITS)),
            "left_tracks": dg.MetadataValue.int(left),
            "left_cost_dollars": dg.MetadataValue.float(round(left_dollars, DIGITS)),
        }
        for measure in Measure:
            if measure in used or measure in self._shown:
                name = measure.value.replace(".", "_")
                metadata[name] = dg.MetadataValue.float(round(used.get(measure, 0.0), 3))
        return metadata
