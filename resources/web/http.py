"""What clients of HTTP services share: delays between attempts, bounded answers."""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from resources.errors import BackendError, ConfigurationError, one_line
from resources.web.deadline import Deadline

PASSING_ERRORS: Final = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)
"""Failures without an answer after which another attempt may succeed."""

PASSING_STATUSES: Final = frozenset({429, 500, 502, 503, 504})

ABOUT_THE_INPUT: Final = frozenset({400, 413, 415, 422})
"""The rest of 4xx, such as a 404 for an app that was stopped, is no fault of the audio's."""

UNDECODED: Final = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What services' own clients raise for an answer of another shape: most take it apart unseen."""

LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0

_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Backoff:
    """Delays between attempts: exponential with full jitter (Marc Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015), or what the service asked for, up to `longest_seconds`.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 30.0

    def seconds(self, attempt: int, asked_seconds: float | None = None) -> float:
        """The delay before the attempt after `attempt` (from 0)."""
        if asked_seconds is None:
            # So many doublings are beyond every limit, and more of them beyond every float.
            ceiling = min(self.longest_seconds, self.first_seconds * 2 ** min(attempt, 32))
            return random.uniform(0, ceiling)
        # A little later than asked, so that those who were refused together part.
        return min(self.longest_seconds, asked_seconds) + random.uniform(0, self.first_seconds)

    def pause(self, attempt: int, deadline: Deadline, asked_seconds: float | None = None) -> bool:
        """Wait for as long in this thread; False, at once, if the time is up by then."""
        return deadline.sleep(self.seconds(attempt, asked_seconds))


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, as seconds or as a date (RFC 9110 section 10.2.3), or in
    milliseconds `Retry-After-Ms`. `headers` are case-insensitive. At most a day, whatever a broken
    or hostile service says."""
    milliseconds, value = headers.get("Retry-After-Ms", ""), headers.get("Retry-After", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return min(float(milliseconds) / 1000, LONGEST_RETRY_AFTER_SECONDS)
    if _NUMBER.fullmatch(value):
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    try:
        date = parsedate_to_datetime(value)
        # HTTP's dates are in GMT (RFC 9110 section 5.6.7); one that says `-0000` has no zone here.
        date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
        seconds = (date.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):  # No date, or one beyond the calendar.
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def read_bounded(response: httpx.Response, limit_bytes: int) -> bytes:
    """The body of a streamed answer. Raises `BackendError` if it is too long."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > limit_bytes:
            raise BackendError(f"{response.url.host} answered with more than {limit_bytes} bytes")
    return bytes(body)


@contextmanager
def streamed(
    client: httpx.Client, request: httpx.Request, deadline: Deadline
) -> Iterator[httpx.Response]:
    """Send `request` and close its answer, whose body is still to be read, until `deadline`."""
    request.extensions["timeout"] = deadline.timeout().as_dict()
    with deadline.bounds():
        response = client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()


def excerpt(text: str, limit: int = 200) -> str:
    """A service's message on one line of at most `limit` characters, fit for a line of ours."""
    line = one_line(text)
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def printable_secret(variable: str, secret: str) -> str:
    """`secret`, if it can be sent in a header; else `ConfigurationError`, which does not show it.

    Clients put a header that they cannot send into their own error messages.
    """
    if not re.fullmatch(r"[!-~]+", secret):
        raise ConfigurationError(
            f"{variable} is empty or has spaces, control or non-ASCII characters"
        )
    return secret
