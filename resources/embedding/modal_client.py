"""Requests to the embedding service: one pool of connections, turns, attempts and redirects."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx

from resources.errors import BackendError, RefusedTrackError
from resources.web.deadline import CONNECT_SECONDS, Deadline
from resources.web.http import PASSING_ERRORS, PASSING_STATUSES, Backoff, retry_after_seconds

MAX_REDIRECTS: Final = 20
"""Modal answers 303 when a request has taken 150 s, and again for each further 150 s."""

MAX_ANSWER_BYTES: Final = 1 << 20
"""512 numbers in JSON are about 12 KB."""

KEEPALIVE_SECONDS: Final = 60.0
"""How long an idle connection stays open: less than the 350 s after which the balancers and address
translators of the large clouds forget it without a word."""

WAITING: Final = "waiting for earlier requests"

T = TypeVar("T")
NoteRequest = Callable[["Endpoint", float, float], None]
"""Told of each request that reached the service: when it began and ended, seconds since 1970."""

MakeContent = Callable[[], bytes]

Answer = tuple[httpx.Response, bytes]
"""What the service said in the end, whatever the status, and the body of that."""


@dataclass(frozen=True)
class Endpoint:
    """`variable`: the setting that the URL comes from, to be named when it does not work.
    `refusal`: what it means when the service refuses an input."""

    url: httpx.URL
    variable: str
    refusal: type[RefusedTrackError | BackendError]


@dataclass
class _LastTry:
    """Why a call has not all of its answers yet, from those of its requests that were sent."""

    reason: str = WAITING
    asked_seconds: float | None = None

    def begin(self) -> None:
        if self.reason == WAITING:
            self.reason = "no answer yet"


class ModalClient:
    """For tasks of one event loop: at most `concurrency` of them have their turn at once."""

    def __init__(
        self, http: httpx.AsyncClient, concurrency: int, backoff: Backoff, note: NoteRequest
    ) -> None:
        self._http = http
        self._note = note
        self._turns = asyncio.Semaphore(concurrency)
        self._backoff = backoff

    async def post_all(
        self,
        endpoint: Endpoint,
        contents: Sequence[MakeContent],
        read: Callable[[Answer], T],
        deadline: Deadline,
    ) -> list[T]:
        """What `read` makes of the answer to each content, in order.

        Contents are JSON, made when their turn comes, so that few are in memory. Everything counts
        towards `deadline`, waiting for turns included. The first failure, of `read` too, cancels
        the rest. Raises `BackendError` for no answer in time, too long a one, and redirects that
        are not followed.
        """
        last_try = _LastTry()

        async def post(make_content: MakeContent) -> T:
            async with self._turns:
                last_try.begin()
                # In a thread: compressing takes milliseconds, and the loop has others to serve.
                content = await asyncio.to_thread(make_content)
                return read(await self._attempts(endpoint, content, deadline, last_try))

        try:
            async with asyncio.timeout(deadline.remaining_seconds), asyncio.TaskGroup() as group:
                tasks = [group.create_task(post(each)) for each in contents]
        except TimeoutError:
            raise _too_late(endpoint, last_try) from None
        except BaseExceptionGroup as failures:
            first = failures.exceptions[0]
            raise first from first.__cause__
        return [task.result() for task in tasks]

    async def _attempts(
        self, endpoint: Endpoint, content: bytes, deadline: Deadline, last_try: _LastTry
    ) -> Answer:
        for attempt in itertools.count():
            try:
                response, body = await self._noted_exchange(endpoint, content)
            except PASSING_ERRORS as error:
                last_try.reason, last_try.asked_seconds = type(error).__name__, None
            except httpx.HTTPError as error:
                raise BackendError(f"{endpoint.variable}: {type(error).__name__}") from error
            else:
                if response.status_code not in PASSING_STATUSES:
                    return response, body
                last_try.reason = f"answered {response.status_code}"
                last_try.asked_seconds = retry_after_seconds(response.headers)
            # The turn is kept: a service in trouble is not asked more, and its contents stay few.
            seconds = self._backoff.seconds(attempt, last_try.asked_seconds)
            if seconds >= deadline.remaining_seconds:
                raise _too_late(endpoint, last_try)
            await asyncio.sleep(seconds)
        raise AssertionError("unreachable")

    async def _noted_exchange(self, endpoint: Endpoint, content: bytes) -> Answer:
        """Also one that nobody waits for any more keeps a container busy, not one that never got
        there."""
        began, arrived = time.time(), True
        try:
            return await self._exchange(endpoint, content)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            arrived = False
            raise
        finally:
            if arrived:
                self._note(endpoint, began, time.time())

    async def _exchange(self, endpoint: Endpoint, content: bytes) -> Answer:
        """The answer behind Modal's redirects."""
        request = self._http.build_request(
            "POST", endpoint.url, content=content, headers={"Content-Type": "application/json"}
        )
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._http.send(request, stream=True)
            try:
                following = response.next_request
                if following is None:
                    body = await _read_bounded(response)
                    return response, body
            finally:
                await response.aclose()
            # The proxy token must not reach anyone else.
            if _origin(following.url) != _origin(endpoint.url):
                raise BackendError(f"{endpoint.variable}: redirects to {following.url.host}")
            request = following
        raise BackendError(f"{endpoint.variable}: more than {MAX_REDIRECTS} redirects")


@asynccontextmanager
async def open_modal_client(
    headers: dict[str, str],
    concurrency: int,
    backoff: Backoff,
    note: NoteRequest = lambda _endpoint, _began, _ended: None,
) -> AsyncIterator[ModalClient]:
    """`headers` go with every request, and `note` is told of it."""
    async with httpx.AsyncClient(
        # Compressed answers could grow without bound in one step.
        headers={"Accept-Encoding": "identity", **headers},
        # Whatever hangs later is ended by the deadline.
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        # Turns limit the connections in use.
        limits=httpx.Limits(
            max_keepalive_connections=concurrency, keepalive_expiry=KEEPALIVE_SECONDS
        ),
    ) as http:
        yield ModalClient(http, concurrency, backoff, note)


async def _read_bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise BackendError(
                f"{response.url.host} answered with more than {MAX_ANSWER_BYTES} bytes"
            )
    return bytes(body)


def _too_late(endpoint: Endpoint, last_try: _LastTry) -> BackendError:
    return BackendError(
        f"The embedding service {endpoint.url.host} gave no vector in time ({last_try.reason})",
        retry_after_seconds=last_try.asked_seconds,
    )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
