"""What a request may cost."""

from dataclasses import dataclass
from typing import Final

MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of one request and of all at once; the defaults fit 2 CPUs and 4 GB.

    `audio_body_bytes`, `text_body_bytes`: a request's JSON. `body_seconds`: until all of it has
    arrived. `text_characters`: a description. `fetched_bytes`: read from an `audio_url`, by ranges
    or whole; whole files go to a temporary file. `fetch_seconds`: for all of that, redirects
    included; `stall_seconds`: for one silence in it.

    `audio_requests`, `text_requests`: answered at once, others are asked to come back. Of these,
    `fetches` wait for other hosts at once, and `workers` compute.
    """

    audio_body_bytes: int = 64 * MEBIBYTE
    text_body_bytes: int = 64 * 1024
    body_seconds: float = 60.0
    text_characters: int = 2_000
    fetched_bytes: int = 256 * MEBIBYTE
    fetch_seconds: float = 60.0
    stall_seconds: float = 15.0
    audio_requests: int = 16
    text_requests: int = 64
    fetches: int = 8
    workers: int = 2


def readable_size(count: int) -> str:
    """Bytes as people write them."""
    return f"{count / MEBIBYTE:g} MiB" if count >= MEBIBYTE else f"{count / 1024:g} KiB"
