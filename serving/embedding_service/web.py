"""One GET at a time: redirects by hand, each address checked, errors in the service's words."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpcore
import httpx

from resources.web.deadline import OverdueError
from serving.embedding_service.refusal import RefusalError, SourceError

MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PART: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


@dataclass(frozen=True)
class RemoteResponse:
    """What a host answered behind its redirects, at `url`; the body is still to be read."""

    url: httpx.URL
    status: int
    headers: httpx.Headers
    chunks: Iterator[bytes]

    @property
    def version(self) -> str | None:
        """What changes with the file; None from hosts that do not tell."""
        found = self.headers.get("ETag") or self.headers.get("Last-Modified")
        return None if found is None else str(found)

    @property
    def part(self) -> tuple[int, int, int] | None:
        """First byte, last byte and size of the whole, where this is one range of a file."""
        match = _PART.fullmatch(self.headers.get("Content-Range", ""))
        if self.status != 206 or match is None:
            return None
        first, last, size = (int(number) for number in match.groups())
        return first, last, size

    @property
    def announced_bytes(self) -> int | None:
        """The body's length, if the host says so."""
        announced = self.headers.get("Content-Length", "")
        return int(announced[:20]) if announced.isdecimal() else None

    def failure(self) -> RefusalError:
        """For a status that brings no file."""
        message = f"{self.url.host} answered {self.status}"
        passing = self.status == 429 or self.status >= 500
        return SourceError(message) if passing else RefusalError(422, message)


@contextmanager
def get(
    pool: httpcore.ConnectionPool,
    url: httpx.URL,
    headers: Mapping[str, str],
    stall_seconds: float,
) -> Iterator[RemoteResponse]:
    """What `url` answers to GET, whatever the status, behind its redirects.

    Raises `RefusalError` for a redirect that is not allowed (422) and for silence of
    `stall_seconds` (504), `SourceError` for a host that cannot be read; also inside the block.
    """
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), stall_seconds)
    for _ in range(MAX_REDIRECTS + 1):
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        sent = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", **headers}
        request = pool.stream(
            "GET", target, headers=list(sent.items()), extensions={"timeout": timeout}
        )
        with _translated(url), request as response:
            received = httpx.Headers(response.headers)
            location = received.get("Location")
            if response.status not in _REDIRECTS or location is None:
                yield RemoteResponse(url, response.status, received, response.iter_stream())
                return
        url = checked(location, url)
    raise RefusalError(422, f"more than {MAX_REDIRECTS} redirects")


def checked(address: str, base: httpx.URL | None = None) -> httpx.URL:
    """`address`, which may be relative to `base`. Raises `RefusalError` (422) for no web address.

    Where it leads is checked when a connection is made.
    """
    try:
        url = httpx.URL(address) if base is None else base.join(address)
        usable = url.port is None or 0 < url.port < 65_536
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise RefusalError(422, "audio_url is not a usable web address")
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise RefusalError(422, "audio_url must begin with https:// or http://")
    if url.userinfo:
        raise RefusalError(422, "audio_url must not contain a user name or a password")
    return url


@contextmanager
def _translated(url: httpx.URL) -> Iterator[None]:
    """What goes wrong on the way, without the address: it may carry a signature."""
    try:
        yield
    except (httpcore.TimeoutException, OverdueError):
        raise RefusalError(504, f"{url.host} did not answer in time") from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise SourceError(f"{url.host} cannot be read ({type(error).__name__})") from None
