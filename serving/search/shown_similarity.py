"""The number that people see beside a result of a query, in place of the cosine.

Each model has its own range of cosines: what is a good match for one is noise for another. A
logistic curve maps them to percent, so that 50 % is as likely a match as not, whichever model made
it. It only translates: ranks stay, and the API answers the cosine. `docs/queries.md` says more.
"""

import math
from dataclasses import dataclass
from typing import Final

from resources.embedding.protocol import ModelDescription


@dataclass(frozen=True)
class ShownScale:
    """`midpoint`: the cosine of a query and a track that is shown as 50 %. `width`: how much more
    it takes to be shown as 73 %; above 0."""

    midpoint: float
    width: float

    def percent(self, cosine: float) -> int:
        """`cosine` in [-1, 1] as a whole number from 0 to 100, never less for a larger one."""
        return round(100 / (1 + math.exp((self.midpoint - cosine) / self.width)))

    @property
    def parameters(self) -> dict[str, str]:
        """What the search page's script needs, for attributes of the page."""
        return {"similarity-midpoint": f"{self.midpoint}", "similarity-width": f"{self.width}"}


OFFLINE: Final = ShownScale(midpoint=0.29, width=0.05)
"""Fitted by `python -m training.calibrate` to the demo's catalogue and to real samples."""

CLAP: Final = ShownScale(midpoint=0.17, width=0.06)
"""Good matches of CLAP have cosines of 0.2 to 0.5, unrelated pairs of about 0 to 0.1, as its users
report. Not measured here: its published weights were not at hand. Also for every other model, since
those that can be configured are exports of CLAP."""

_SCALES: Final = {"mood-search/offline": OFFLINE}


def shown_scale(model: ModelDescription) -> ShownScale:
    """The scale for cosines between `model`'s texts and sounds."""
    return _SCALES.get(model.id, CLAP)
