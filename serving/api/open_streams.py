"""How many answers one client may be reading at the same time."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

from fastapi import HTTPException, Request

from resources.settings import Settings
from serving.api.clients import UnknownProxies, client_key

STREAMS_OF_A_CLIENT: Final = 16
"""A player reads one answer, and for a moment two when it seeks. The others are for who shares the
address: players send no token."""

RETRY_AFTER_SECONDS: Final = 5


class OpenStreams:
    """A FastAPI dependency that answers 429 to who reads `most` answers already; an answer counts
    until it is sent or its reader is gone. Each application counts for itself.

    API_RATE_LIMIT_PER_MINUTE=0 switches it off, too. Not safe to use from threads: dependencies
    that are coroutines run in the application's one.
    """

    def __init__(self, settings: Settings, secret: str, most: int = STREAMS_OF_A_CLIENT) -> None:
        """`secret` verifies the users' tokens."""
        self._secret = secret
        self._is_off = settings.api_rate_limit_per_minute == 0
        self._proxies = UnknownProxies(settings)
        self._most = most
        self._open: Counter[str] = Counter()

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        if self._is_off:
            yield
            return
        client = client_key(request, self._secret)
        if self._open[client] >= self._most:
            self._proxies.suspect(request)
            raise HTTPException(
                429,
                f"{self._most} tracks are being played already; end one of them first",
                {"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]
