"""A client of `GET /search/` on a connection that is kept open."""

import json
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from itertools import pairwise
from urllib.parse import urlencode

from bench.api import Api


class KeywordClient:
    """Asks one query after the other."""

    def __init__(self, api: Api) -> None:
        self._connection = HTTPConnection("127.0.0.1", api.port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def tracks(self, query: str) -> list[str]:
        """Titles of the tracks among the results of `query`."""
        results = json.loads(self._search(query))["results"]
        return [result["title"] for result in results if result["type"] == "track"]

    def seconds(self, queries: Sequence[str]) -> list[float]:
        """Seconds that each of `queries` takes."""
        marks = [time.perf_counter()]
        for query in queries:
            self._search(query)
            marks.append(time.perf_counter())
        return [after - before for before, after in pairwise(marks)]

    def count(self, query: str) -> int:
        """How many results `query` has."""
        return len(json.loads(self._search(query))["results"])

    def _search(self, query: str) -> bytes:
        self._connection.request("GET", f"/search/?{urlencode({'q': query})}")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"the API answered {response.status}: {body!r}")
        return body
