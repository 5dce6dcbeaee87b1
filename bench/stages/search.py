"""Semantic search through the API over HTTP, at three sizes of the catalogue."""

from itertools import cycle, islice, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.api import Api, Client, queries_per_second, running_api
from bench.catalogues import CENTRES, Mixture, fill, unit
from bench.figures import MEBIBYTE, Figure, single
from bench.workplace import Workplace
from resources.backends import Backends
from resources.genres.names import GENRE_NAMES

TOP: Final = 10
CLIENTS: Final = 8
_MOODS: Final = ("dark", "warm", "melancholic", "euphoric", "dreamy", "aggressive", "calm", "eerie")
_GENRES: Final = (
    *("ambient techno", "piano", "drum and bass", "jazz", "folk guitar", "string quartet"),
    *("house with vocals", "drone", "hip hop beat", "synth pop", "field recording", "metal"),
)
_DESCRIBED: Final = ("slow", "fast", "soft", "loud", "bright")
DESCRIPTION_COSINE: Final = 0.4
"""Between a cluster's centre and the text that describes it: what matches score in joint spaces."""

QUERIES: Final = tuple(f"{mood} {genre}" for mood, genre in product(_MOODS, _GENRES))


def measure(workplace: Workplace) -> list[Figure]:
    """One catalogue that grows; a fresh server at each size."""
    sizes = (1_000,) if workplace.quick else (1_000, 10_000, 100_000)
    figures = []
    built_seconds, filled = 0.0, 0
    with workplace.installation("search") as backends:
        mixture = _mixture(backends)
        vectors = mixture.draw(sizes[-1], np.random.default_rng(2))
        for size in sizes:
            new = range(filled + 1, size + 1)
            part = vectors[filled:size]
            built_seconds += fill(backends, new, part, with_tables=False)
            filled = size
            name = f"{size:,} tracks"
            figures.append(single(f"{name}: index built, from nothing", "s", built_seconds))
            figures.append(_recall(backends, mixture, name, vectors[:size]))
            with running_api(workplace, "search") as api:
                figures += _speed(workplace, api, name)
                figures.append(_recall_of_answers(backends, api, name, vectors[:size]))
                peak = api.peak_bytes / MEBIBYTE
                figures.append(single(f"{name}: peak memory of the API", "MiB", peak))
    return figures


def _mixture(backends: Backends) -> Mixture:
    """200 clusters, each of music that a text describes. The queries are other texts."""
    names = GENRE_NAMES[:: max(1, len(GENRE_NAMES) * len(_DESCRIBED) // CENTRES)]
    texts = [f"{word} {name}" for name, word in product(names, _DESCRIBED)][:CENTRES]
    embedded = np.concatenate([backends.text_model.embed_text([text]) for text in texts])
    return Mixture.around(embedded, DESCRIPTION_COSINE, seed=1)


def _speed(workplace: Workplace, api: Api, name: str) -> list[Figure]:
    """One client for the latency, eight at once for the throughput, in rounds."""
    each, rounds = workplace.choose(50, 400), workplace.choose(1, 5)
    queries = list(islice(cycle(QUERIES), each))
    client = Client(api)
    client.seconds(queries[:20])
    milliseconds = [1_000 * np.array(client.seconds(queries)) for _ in range(rounds)]
    client.close()
    throughput = [queries_per_second(api, QUERIES, CLIENTS, each // 4) for _ in range(rounds)]
    return [
        Figure(f"{name}: p50, 1 client", "ms", tuple(float(np.median(x)) for x in milliseconds)),
        Figure(
            f"{name}: p99, 1 client", "ms", tuple(float(np.quantile(x, 0.99)) for x in milliseconds)
        ),
        Figure(f"{name}: {CLIENTS} clients", "queries/s", tuple(throughput)),
    ]


def _recall_of_answers(
    backends: Backends, api: Api, name: str, vectors: NDArray[np.float32]
) -> Figure:
    """Of the exact ten nearest tracks to a text, how many the API answers."""
    client = Client(api)
    answers = [client.search(query, TOP) for query in QUERIES]
    client.close()
    exact = _exact_ids(
        np.concatenate([backends.text_model.embed_text([q]) for q in QUERIES]), vectors
    )
    return single(f"{name}: recall@10, texts through the API", "", _overlap(answers, exact))


def _recall(
    backends: Backends, mixture: Mixture, name: str, vectors: NDArray[np.float32]
) -> Figure:
    """Of the exact ten nearest tracks to a place within the clusters, how many the index finds."""
    wanted = mixture.draw(len(QUERIES), np.random.default_rng(3))
    found = [[m.track_id for m in backends.vectors.query(vector, TOP)] for vector in wanted]
    overlap = _overlap(found, _exact_ids(wanted, vectors))
    return single(f"{name}: recall@10, vectors within the clusters", "", overlap)


def _exact_ids(wanted: NDArray[np.float32], vectors: NDArray[np.float32]) -> list[list[int]]:
    """The ten nearest by brute force; ids begin at 1."""
    cosines = unit(wanted) @ vectors.T
    nearest = np.argpartition(-cosines, TOP, axis=1)[:, :TOP] + 1
    return [row.tolist() for row in nearest]


def _overlap(found: list[list[int]], exact: list[list[int]]) -> float:
    shared = [len(set(a) & set(b)) for a, b in zip(found, exact, strict=True)]
    return float(np.mean(shared)) / TOP
