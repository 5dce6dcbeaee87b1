"""How many containers on Modal requests needed, and when. Free of I/O."""

import math
from collections.abc import Sequence
from typing import Final

from resources.costs.ledger import Span
from resources.costs.prices import MODAL_MOST_CONTAINERS, MODAL_REQUESTS_AT_ONCE

_ENDS: Final = -1
_BEGINS: Final = 1


def needed_containers(requests: Sequence[Span]) -> list[list[Span]]:
    """For each container, the first one first, when it was needed, in order.

    Modal starts another container when those that run have `MODAL_REQUESTS_AT_ONCE` requests each.
    Which one answers a request is not known. Here it is always the first that is free, so that
    later ones fall idle as soon as they can: no other choice needs fewer containers at a time.
    """
    # One that took no time was open nevertheless.
    events = [(began, _BEGINS) for began, _ in requests]
    events += [(max(ended, math.nextafter(began, math.inf)), _ENDS) for began, ended in requests]
    needed: list[list[Span]] = []
    woken: list[float] = []
    opened = 0
    # Of what happens at the same moment ends come first: the next request takes that place.
    for moment, change in sorted(events):
        opened += change
        containers = min(math.ceil(opened / MODAL_REQUESTS_AT_ONCE), MODAL_MOST_CONTAINERS)
        while len(woken) < containers:
            woken.append(moment)
        while len(woken) > containers:
            began = woken.pop()
            needed += [[] for _ in range(len(woken) + 1 - len(needed))]
            needed[len(woken)].append((began, moment))
    return needed
