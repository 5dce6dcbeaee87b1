"""How often one client may ask for what costs money: a query is embedded and looked up by services
that are paid for, and a track is classified by another. More often, but not without end, for what
costs computing alone: a track is decoded. And how many answers it may be reading at once."""

import math
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import HTTPException, Request

from resources.settings import Settings
from resources.web.rate_limit import RateLimit
from serving.api.clients import UnknownProxies, client_key
from serving.api.models import Problem

BURST_SECONDS: Final = 15
"""Requests that may come at once: as many as are allowed in this time. Who types sends no more than
two searches in a second, for the page waits half a second for the next letter; the burst is for
what is clicked meanwhile, and for those who share an address."""

KEPT_CLIENTS: Final = 20_000
"""Clients remembered, the ones that asked last: about 6 MB when full. Who is forgotten has waited
longer than 20,000 others, and begins anew."""

STREAMS_OF_A_CLIENT: Final = 16
"""A player reads one answer, and for a moment two when it seeks. The others are for who shares the
address: players send no token."""

RETRY_AFTER_SECONDS: Final = 5

LIMITED_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    429: {
        "model": Problem,
        "description": "Too many requests of one client.",
        "headers": {
            "Retry-After": {
                "description": "Seconds until the next request is answered.",
                "schema": {"type": "integer", "minimum": 1},
            }
        },
    }
}


class RequestLimit:
    """A FastAPI dependency that answers 429 to who asks too often; all routes that depend on it
    count together. Safe to use from threads. `times`: as often as API_RATE_LIMIT_PER_MINUTE says.

    A client's allowance fills evenly with time and holds `BURST_SECONDS` of it.
    """

    def __init__(
        self, settings: Settings, secret: str, *, times: int = 1, kept_clients: int = KEPT_CLIENTS
    ) -> None:
        """`secret` verifies the users' tokens."""
        self._secret = secret
        self._proxies = UnknownProxies(settings)
        per_minute = times * settings.api_rate_limit_per_minute
        burst = max(1, per_minute * BURST_SECONDS // 60)
        self._turns = RateLimit(per_minute, burst, kept_keys=kept_clients) if per_minute else None

    async def __call__(self, request: Request) -> None:
        if self._turns is None:
            return
        seconds_to_wait = self._turns.take(client_key(request, self._secret))
        if seconds_to_wait is None:
            return
        self._proxies.suspect(request)
        seconds = max(1, math.ceil(seconds_to_wait))
        raise HTTPException(
            429, f"too many requests; try again in {seconds} s", {"Retry-After": str(seconds)}
        )


class OpenStreams:
    """A FastAPI dependency that answers 429 to who reads `STREAMS_OF_A_CLIENT` answers already. An
    answer counts until it is sent or its reader is gone. Each application counts for itself.

    API_RATE_LIMIT_PER_MINUTE=0 switches it off, too. Not safe to use from threads: dependencies
    that are coroutines run in the application's one.
    """

    def __init__(self, settings: Settings, secret: str) -> None:
        """`secret` verifies the users' tokens."""
        self._secret = secret
        self._is_off = settings.api_rate_limit_per_minute == 0
        self._proxies = UnknownProxies(settings)
        self._open: Counter[str] = Counter()

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        if self._is_off:
            yield
            return
        client = client_key(request, self._secret)
        if self._open[client] >= STREAMS_OF_A_CLIENT:
            self._proxies.suspect(request)
            raise HTTPException(
                429,
                f"{STREAMS_OF_A_CLIENT} tracks are being played already; end one of them first",
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
