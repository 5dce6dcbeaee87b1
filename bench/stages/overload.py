"""More clients than there is room for: those that are answered, and those that are refused."""

from itertools import product
from typing import Final

import numpy as np

from bench.api import running_api
from bench.catalogues import Mixture, fill
from bench.crowd import Crowd, ask_at_once
from bench.figures import Figure, single
from bench.workplace import Workplace

CROWDS: Final = (64, 300)
QUERIES: Final = tuple(
    f"{mood} {genre}"
    for mood, genre in product(
        ("dark", "warm", "calm", "euphoric", "dreamy"), ("techno", "piano", "jazz", "folk", "house")
    )
)


def measure(workplace: Workplace) -> list[Figure]:
    """Each crowd on a fresh server. Over few tracks: what is measured is the queue."""
    count = 1_000
    figures = []
    with workplace.installation("overload") as backends:
        vectors = Mixture.seeded(1).draw(count, np.random.default_rng(2))
        fill(backends, range(1, count + 1), vectors, with_tables=False)
    for clients in CROWDS:
        with running_api(workplace, "overload") as api:
            ask_at_once(api, QUERIES, 4, 5)
            crowd = ask_at_once(api, QUERIES, clients, workplace.choose(3, 5))
        figures += _figures(f"{clients} clients", crowd)
    return figures


def _figures(name: str, crowd: Crowd) -> list[Figure]:
    figures = [single(f"{name}: errors", "", crowd.errors)]
    for what, seconds in (("answers", crowd.answered), ("refusals", crowd.refused)):
        figures.append(single(f"{name}: {what}", "", len(seconds)))
        if seconds:
            quantiles = {"p50": 0.5, "p99": 0.99}
            figures += [
                single(f"{name}: {what}, {label}", "ms", 1_000 * float(np.quantile(seconds, at)))
                for label, at in quantiles.items()
            ]
    return figures
