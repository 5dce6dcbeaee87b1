"""How the Replicate client reaches the network here.

The client's own handling does not fit: it waits for as long as a `Retry-After` asks, tries ten
times, and sends predictions and files without any timeout.
"""

import re
from typing import Final

import httpx

from resources.web.connections import keep_deadlines
from resources.web.deadline import CONNECT_SECONDS
from resources.web.http import retry_after_seconds

TRANSFER_SECONDS: Final = 60.0
"""Longest silence while something is sent or received, where the client sets no limit."""

_TIMEOUTS: Final = {
    "connect": CONNECT_SECONDS,
    "read": TRANSFER_SECONDS,
    "write": TRANSFER_SECONDS,
    "pool": TRANSFER_SECONDS,
}

_RESETS_IN: Final = re.compile(r"resets in ~?\s*(\d+(?:\.\d+)?)\s*s")
"""Replicate says when to come back only in the text of a 429."""


class RefusedError(httpx.TransportError):
    """Replicate answered 429 or 5xx; `asked_seconds` is when to come back, if it said so."""

    def __init__(self, status: int, asked_seconds: float | None) -> None:
        super().__init__(f"answered {status}")
        self.status = status
        self.asked_seconds = asked_seconds


class ReplicateTransport(httpx.HTTPTransport):
    """Raises `RefusedError` for what may be tried again, and leaves no request without timeout or
    deadline."""

    def __init__(self) -> None:
        super().__init__()
        keep_deadlines(self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        request.extensions["timeout"] = {
            phase: _TIMEOUTS[phase] if timeouts.get(phase) is None else timeouts[phase]
            for phase in _TIMEOUTS
        }
        response = super().handle_request(request)
        if response.status_code != 429 and response.status_code < 500:
            return response
        try:
            text = response.read().decode(errors="replace")
        finally:
            response.close()
        asked_seconds = retry_after_seconds(response.headers) or _seconds_in(text)
        raise RefusedError(response.status_code, asked_seconds)


def may_be_sent_again(error: httpx.TransportError) -> bool:
    """Whether the request that failed certainly had no effect."""
    if isinstance(error, RefusedError):
        return error.status == 429
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _seconds_in(text: str) -> float | None:
    match = _RESETS_IN.search(text)
    return float(match.group(1)) if match else None
