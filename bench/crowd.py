"""Many clients at once, each on a connection of its own: how long answers and refusals take."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final
from urllib.parse import urlencode

from bench.api import Api

TIMEOUT_SECONDS: Final = 30


@dataclass
class Crowd:
    """Seconds of each answer and of each refusal (503), and how often there was neither."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    errors: int = 0


def ask_at_once(api: Api, queries: Sequence[str], clients: int, each: int) -> Crowd:
    """`clients` that ask `each` queries one after the other; one that is refused waits as long as
    it was told before it asks its next."""
    crowd = Crowd()

    async def ask_all() -> None:
        asked = [list(islice(cycle(queries), number, number + each)) for number in range(clients)]
        await asyncio.gather(*(_client(api, each_asked, crowd) for each_asked in asked))

    asyncio.run(ask_all())
    return crowd


async def _client(api: Api, queries: Sequence[str], crowd: Crowd) -> None:
    for query in queries:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status, wait_seconds = await _ask(api, query)
        except (OSError, EOFError, TimeoutError):
            crowd.errors += 1
            continue
        elapsed = time.perf_counter() - started
        if status == 200:
            crowd.answered.append(elapsed)
        elif status == 503:
            crowd.refused.append(elapsed)
            await asyncio.sleep(wait_seconds)
        else:
            crowd.errors += 1


async def _ask(api: Api, query: str) -> tuple[int, float]:
    """The status, and what `Retry-After` says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        path = f"/search/semantic?{urlencode({'q': query})}"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = await reader.read()
    finally:
        writer.close()
    status = int(head.split(" ", 2)[1])
    if status == 200 and b'"available":true' not in body:
        raise OSError(f"the API answered {body[:200]!r}")
    lines = [line for line in head.splitlines() if line.startswith("retry-after:")]
    return status, float(lines[0].split(":")[1]) if lines else 0.0
