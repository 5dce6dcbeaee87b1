"""Keyword search through the API over HTTP, over a catalogue of realistic names."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from bench.api import Api, running_api
from bench.figures import MEBIBYTE, Figure, single, timed
from bench.keyword_client import KeywordClient
from bench.names import Names
from bench.workplace import Workplace
from bench.writer import writing
from resources.backends import Backends
from resources.catalogue.database import Connection
from resources.catalogue.names.index import KeywordIndex

QUERIES: Final = 300
MISSPELT: Final = "misspelt"
NOTHING: Final = "matching nothing"

Row = tuple[object, ...]


def measure(workplace: Workplace) -> list[Figure]:
    """A catalogue that was there before its names were searched: they are copied, then asked."""
    names = Names(seed=1)
    with workplace.installation("keyword") as backends:
        titles = _fill(backends, names, workplace.choose(10_000, 1_000_000))
        index = KeywordIndex(backends.database, backends.database_url)
        with writing(backends.database_url, len(titles)) as before:
            time.sleep(workplace.choose(1, 10))
        with writing(backends.database_url, len(titles)) as meanwhile:
            figures = [single("names copied and indexed", "s", timed(index.keep))]
        figures += _writes("a track renamed before that", before)
        figures += _writes("a track renamed meanwhile", meanwhile)
        with backends.database.own_connection() as connection:
            connection.execute("VACUUM ANALYZE")
        figures.append(single("size, indexes included", "MiB", _bytes(backends) / MEBIBYTE))
        with running_api(workplace, "keyword") as api:
            classes = _queries(names, titles)
            for name, queries in classes.items():
                figures += _speed(workplace, api, name, queries)
            figures += _found(api, _drawn(titles)[1][:QUERIES], classes[MISSPELT])
    return figures


def _writes(name: str, seconds: list[float]) -> list[Figure]:
    quantiles = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return [
        single(f"{name}: {label}", "ms", 1_000 * float(np.quantile(seconds, quantile)))
        for label, quantile in quantiles.items()
    ]


def _fill(backends: Backends, names: Names, tracks: int) -> list[str]:
    """A tenth as many artists as tracks, a twentieth albums and playlists, a fiftieth tags."""
    random = np.random.default_rng(2)
    artists, albums, tags = tracks // 10, tracks // 20, tracks // 50
    titles = names.draw(tracks)
    words = list(dict.fromkeys(name.lower() for name in names.draw(4 * tags)))[:tags]

    def artist() -> str:
        return f"did:plc:{random.integers(artists):024d}"

    with backends.database.transaction() as connection:
        # As an app's catalogue is found: nobody has told of its names yet.
        connection.execute("SET LOCAL session_replication_role = replica")
        _copy(
            connection,
            "artists (did, handle, display_name)",
            ((f"did:plc:{n:024d}", f"a{n}.example", d) for n, d in enumerate(names.draw(artists))),
        )
        _copy(
            connection,
            "albums (id, artist_did, slug, title)",
            ((f"album-{n}", artist(), f"s{n}", d) for n, d in enumerate(names.draw(albums))),
        )
        _copy(
            connection,
            "tracks (title, artist_did, album_id, file_id, file_type)",
            (
                (d, artist(), f"album-{n % albums}", f"{n:064x}", "mp3")
                for n, d in enumerate(titles)
            ),
        )
        _copy(connection, "tags (name)", ((word,) for word in words))
        _copy(
            connection,
            "track_tags (track_id, tag_id)",
            ((n + 1, n % len(words) + 1) for n in range(tracks)),
        )
        _copy(
            connection,
            "playlists (owner_did, name, show_on_profile)",
            ((artist(), name, True) for name in names.draw(albums)),
        )
        connection.execute("UPDATE moodsearch.search_sources SET compared_at = NULL")
    return titles


def _copy(connection: Connection, into: str, rows: Iterator[Row]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY public.{into} FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _bytes(backends: Backends) -> int:
    rows = backends.database.rows(
        "SELECT sum(pg_total_relation_size(inhrelid))::bigint AS bytes FROM pg_inherits"
        " WHERE inhparent = 'moodsearch.search_texts'::regclass"
    )
    return int(rows[0]["bytes"])


def _drawn(titles: list[str]) -> tuple[list[str], list[str]]:
    """Some of the titles, and those of them that have five characters or more."""
    random = np.random.default_rng(3)
    drawn = [titles[n] for n in random.integers(len(titles), size=4 * QUERIES)]
    return drawn, [title for title in drawn if len(title) >= 5]


def _queries(names: Names, titles: list[str]) -> dict[str, list[str]]:
    """Queries of 2 to 100 characters, of each class."""
    random = np.random.default_rng(5)
    drawn, long = _drawn(titles)
    shuffled = ["".join(random.permutation(list(title.lower()))).strip() for title in long]
    return {
        "two letters": [title[:2] for title in drawn if title[:2].strip()][:QUERIES],
        "typical": [t[: random.integers(3, len(t) + 1)].strip()[:100] for t in long][:QUERIES],
        MISSPELT: names.misspell(long[:QUERIES]),
        NOTHING: shuffled,
    }


def _speed(workplace: Workplace, api: Api, name: str, queries: list[str]) -> list[Figure]:
    """One client; the first round warms up."""
    client = KeywordClient(api)
    # Some shuffled letters happen to be like a name.
    is_wanted = (lambda count: count == 0) if name == NOTHING else (lambda _count: True)
    wanted = (query for query in queries if len(query) >= 2 and is_wanted(client.count(query)))
    asked = list(islice(wanted, workplace.choose(30, QUERIES)))
    rounds = [1_000 * np.array(client.seconds(asked)) for _ in range(workplace.choose(1, 3))]
    client.close()
    return [
        Figure(f"{name}: p50", "ms", tuple(float(np.median(each)) for each in rounds)),
        Figure(f"{name}: p99", "ms", tuple(float(np.quantile(each, 0.99)) for each in rounds)),
    ]


def _found(api: Api, titles: list[str], misspelt: list[str]) -> list[Figure]:
    """How often the title that was misspelt is among the twenty tracks that are found."""
    client = KeywordClient(api)
    found: dict[str, list[bool]] = {"5 to 14 characters": [], "15 and more": []}
    for title, query in zip(titles, misspelt, strict=True):
        # Those that were renamed meanwhile begin with it.
        is_there = any(each.startswith(title) for each in client.tracks(query[:100]))
        found["15 and more" if len(title) >= 15 else "5 to 14 characters"].append(is_there)
    client.close()
    return [
        single(f"{MISSPELT}, {length}: the title is found", "%", 100 * float(np.mean(each)))
        for length, each in found.items()
    ]
