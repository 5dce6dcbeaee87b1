"""The real API in a process of its own, and clients on loopback."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle, islice, pairwise
from pathlib import Path
from urllib.parse import urlencode

from bench.apart import peak_memory
from bench.workplace import Workplace

_START_SECONDS = 60


@dataclass(frozen=True)
class Api:
    """A running server."""

    port: int
    pid: int

    @property
    def peak_bytes(self) -> int:
        """Most memory it ever held."""
        return peak_memory(self.pid)


class Client:
    """A connection that is kept open, as a browser's or a proxy's is."""

    def __init__(self, api: Api) -> None:
        self._connection = HTTPConnection("127.0.0.1", api.port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def search(self, query: str, limit: int = 10) -> list[int]:
        """Ids of the tracks found, best first."""
        parameters = urlencode({"q": query, "limit": limit})
        self._connection.request("GET", f"/search/semantic?{parameters}")
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200 or not answer["available"]:
            raise RuntimeError(f"the API answered {response.status}: {answer}")
        return [result["id"] for result in answer["results"]]

    def seconds(self, queries: Sequence[str]) -> list[float]:
        """Seconds that each of `queries` takes, one after the other."""
        marks = [time.perf_counter()]
        for query in queries:
            self.search(query)
            marks.append(time.perf_counter())
        return [after - before for before, after in pairwise(marks)]


def queries_per_second(api: Api, queries: Sequence[str], clients: int, each: int) -> float:
    """With `clients` that ask `each` queries one after the other, all at once."""
    connections = [Client(api) for _ in range(clients)]
    asked = [list(islice(cycle(queries), number, number + each)) for number in range(clients)]
    with ThreadPoolExecutor(clients) as threads:
        for client in connections:
            client.search(queries[0])
        started = time.perf_counter()
        list(threads.map(Client.seconds, connections, asked))
        elapsed = time.perf_counter() - started
    for client in connections:
        client.close()
    return clients * each / elapsed


@contextmanager
def running_api(workplace: Workplace, name: str) -> Iterator[Api]:
    """`moodsearch serve` on a free port of loopback, over the installation `name`."""
    log = workplace.folder / f"{name}.log"
    environment = {
        **os.environ,
        "API_RATE_LIMIT_PER_MINUTE": "0",  # More is asked here in a second.
        "MOODSEARCH_HOME": str(workplace.home(name)),
        "DATABASE_URL": workplace.database_url(name),
    }
    command = [sys.executable, "-m", "serving.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stderr=output)
    try:
        yield Api(_port(log, process), process.pid)
    finally:
        process.terminate()
        process.wait()


def _port(log: Path, process: "subprocess.Popen[bytes]") -> int:
    """The port that the server says it listens on, once it answers."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"is at http://127\.0\.0\.1:(\d+)", log.read_text())
        if found is not None:
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"the API did not start: {log.read_text()[-500:]}")
