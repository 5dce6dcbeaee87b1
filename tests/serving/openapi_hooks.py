"""What Schemathesis is told about the catalogue that it asks (it loads this by name). Of all ids,
queries and headers that the document allows, hardly any leads to something that exists; about every
second request gets one that does. Which ones is up to the requests: the seed says it all."""

import os
import zlib
from collections.abc import MutableMapping, Sequence
from itertools import cycle
from typing import Any

import schemathesis
from schemathesis import GenerationMode

TOKEN = "MOODSEARCH_TEST_TOKEN"
"""The variable that a listener's token comes in."""

TRACKS = range(1, 8)
"""Ids of tracks that exist."""

COVER = "00112233445566778899aabbccddeeff.png"
"""The name of the cover that each of them has."""

QUERIES = ("silver", "Silver Rain", "dark techno", "silvr", "lullaby", "piano")
RANGES = ("bytes=0-99", "bytes=100-", "bytes=-50", "bytes=0-9999999", "bytes=5-2")

_authorizations = cycle((None, f"Bearer {os.environ.get(TOKEN)}", "Bearer nonsense", "Basic eA=="))


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: dict[str, Any]) -> None:
    # It makes up no token where none is needed.
    if case.path == "/me" and (authorization := next(_authorizations)):
        case.headers["Authorization"] = authorization
    # What is wrong on purpose must stay wrong.
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        number = zlib.crc32(
            f"{case.path_parameters} {case.query} {case.headers}".encode(errors="replace")
        )
        _replace(case.path_parameters, "track_id", TRACKS, number)
        _replace(case.path_parameters, "name", (COVER,), number)
        _replace(case.query, "q", QUERIES, number)
        _replace(case.headers, "Range", RANGES, number)


def _replace(
    parameters: MutableMapping[str, Any], name: str, known: Sequence[Any], number: int
) -> None:
    if name in parameters and number % 2:
        parameters[name] = known[number // 2 % len(known)]
