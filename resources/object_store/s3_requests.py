"""How botocore's requests reach the network here.

botocore signs, repeats and reads them; its own sender knows no deadline, only timeouts for silence.
"""

import io
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)

from resources.web.connections import with_deadlines

CONNECT_SECONDS: Final = 5.0
SENT_AT_ONCE: Final = 64 * 1024
MOST_IDLE_CONNECTIONS: Final = 32
IDLE_SECONDS: Final = 30.0
"""How long one is kept for the next request: a player asks for more every few seconds."""


class BoundedRequests:
    """Sends for all of an S3 client's operations, from any thread: see `Deadline.bounds`.

    `silence_seconds`: for one attempt; a request that meets with silence is worth another one.
    """

    def __init__(self, client: Any, silence_seconds: float, ca_bundle: str | None) -> None:
        """`client`: botocore's, which sends through this from now on. `ca_bundle`: a file to check
        certificates by, instead of the usual ones."""
        self._http = with_deadlines(
            httpx.Client(
                verify=httpx.create_ssl_context(ca_bundle) if ca_bundle else True,
                timeout=httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS, pool=None),
                limits=httpx.Limits(
                    max_connections=None,
                    max_keepalive_connections=MOST_IDLE_CONNECTIONS,
                    keepalive_expiry=IDLE_SECONDS,
                ),
            )
        )
        client.meta.events.register("before-send.s3", self._send)

    def _send(self, request: Any, **_event: object) -> Any:
        """botocore's answer to a signed request."""
        with _as_botocore_says(request.url):
            response = self._http.send(_prepared(request), stream=True)
        body = _Body(response, request.url)
        answer = AWSResponse(request.url, response.status_code, dict(response.headers), body)
        if not request.stream_output:
            _ = answer.content  # Read now, so that what breaks off is asked for again.
        return answer


class DeadlineExecutor(ThreadPoolExecutor):
    """Threads that keep to the deadlines of those who give them something to do."""

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        return super().submit(copy_context().run, function, *arguments, **options)


class _Body(io.RawIOBase):
    """An answer's body, as `AWSResponse` and `StreamingBody` read it."""

    def __init__(self, response: httpx.Response, url: str) -> None:
        self._response = response
        self._url = url
        self._chunks = response.iter_raw()
        self._left = b""

    def stream(self) -> Iterator[bytes]:
        """All that has not been read."""
        yield self.read()

    def read(self, size: int | None = -1) -> bytes:
        """Exactly `size` bytes, unless the body ends before."""
        pieces, length = [self._left], len(self._left)
        wanted = sys.maxsize if size is None or size < 0 else size
        with _as_botocore_says(self._url):
            while length < wanted and (chunk := next(self._chunks, None)) is not None:
                pieces.append(chunk)
                length += len(chunk)
        data = b"".join(pieces)
        if length <= wanted:
            self._left = b""
            return data
        self._left = data[wanted:]
        return data[:wanted]

    def close(self) -> None:
        self._response.close()
        super().close()


def _prepared(request: Any) -> httpx.Request:
    body = request.body
    if hasattr(body, "read"):
        body = iter(partial(body.read, SENT_AT_ONCE), b"")
    # No answer is waited for before the body is sent.
    headers = [header for header in request.headers.items() if header[0].lower() != "expect"]
    url = urlsplit(request.url)
    return httpx.Request(
        request.method,
        request.url,
        headers=[*headers, ("Accept-Encoding", "identity")],
        content=body,
        # As it was signed: httpx may write an address in another way.
        extensions={"target": urlunsplit(("", "", url.path or "/", url.query, "")).encode("ascii")},
    )


@contextmanager
def _as_botocore_says(url: str) -> Iterator[None]:
    """Raise botocore's errors in place of httpx's: by these it knows what to ask for again."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise ConnectTimeoutError(endpoint_url=url, error=error) from error
    except httpx.TimeoutException as error:
        raise ReadTimeoutError(endpoint_url=url, error=error) from error
    except httpx.ConnectError as error:
        raise EndpointConnectionError(endpoint_url=url, error=error) from error
    except httpx.NetworkError as error:
        raise ConnectionClosedError(endpoint_url=url, error=error) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HTTPClientError(error=error) from error
