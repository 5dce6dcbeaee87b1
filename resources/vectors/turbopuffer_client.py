"""Calls to turbopuffer that end in time, and errors that say what to do and never show the key.

The SDK's own retries are off: it sleeps as long as a Retry-After header says, up to half an hour.
"""

import itertools
from collections.abc import Callable
from json import JSONDecodeError
from typing import Any, Final, NoReturn, TypeVar

import turbopuffer

from resources.errors import BackendError, ConfigurationError
from resources.web.connections import with_deadlines
from resources.web.deadline import Deadline, OverdueError
from resources.web.http import Backoff, excerpt, printable_secret, retry_after_seconds

Answer = TypeVar("Answer", bound=turbopuffer.BaseModel)

BACKOFF: Final = Backoff(first_seconds=0.25, longest_seconds=60.0)
"""Longer than calls may take, so that one which is asked to come back later than that fails at once
instead of asking early."""

RETRIED_STATUSES: Final = frozenset({408, 409, 429})
"""Besides every 5xx: what the SDK retries. Every call here has the same effect when repeated."""

OUR_MISTAKES: Final = frozenset({400, 413, 422})
"""The service understood the request and refuses it: these crash loudly."""


class NamespaceMissingError(Exception):
    """The namespace does not exist (yet)."""


class TurbopufferClient:
    """One long-lived client, `sdk`. Safe to use from threads. The key is in no message.

    `base_url` may contain `{region}`. Raises `ConfigurationError` for a key that cannot be one.
    """

    def __init__(self, *, api_key: str, region: str, base_url: str | None) -> None:
        self._api_key = printable_secret("TURBOPUFFER_API_KEY", api_key)
        address = base_url or "https://{region}.turbopuffer.com"
        if "{region}" not in address:
            # The SDK refuses an address without a place for the region whenever there is a region,
            # also one from the environment: give it a place for nothing.
            address, region = address + "{region}", ""
        self.address = address.replace("{region}", region)
        self.sdk = turbopuffer.Turbopuffer(
            api_key=api_key,
            region=region,
            base_url=address,
            max_retries=0,
            telemetry=False,
            http_client=with_deadlines(turbopuffer.DefaultHttpxClient()),
        )

    def call(
        self,
        send: Callable[..., Answer],
        answer: type[Answer],
        deadline: Deadline,
        **content: Any,
    ) -> Answer:
        """Call `send` with `content` and the time it has, again while that may help, until it
        answers.

        Ends at `deadline`. Half of the time is one attempt's, so that one lost connection does not
        use it up. Raises `NamespaceMissingError`, `ConfigurationError` for a refused key and
        `BackendError`.
        """
        share_seconds = deadline.remaining_seconds / 2
        for attempt in itertools.count():
            timeout = turbopuffer.Timeout(**deadline.timeout(share_seconds).as_dict())
            try:
                with deadline.bounds():
                    result = send(**content, timeout=timeout)
                if isinstance(result, answer):
                    return result
                # The SDK hands on whatever came: text, a list, null.
                failure = self.not_turbopuffer()
            except turbopuffer.TurbopufferError as error:
                failure = self._retryable(error)
            except JSONDecodeError:
                failure = self.not_turbopuffer()
            if not BACKOFF.pause(attempt, deadline, failure.retry_after_seconds):
                raise failure from None
        raise AssertionError("unreachable")

    def not_turbopuffer(self) -> BackendError:
        return BackendError(f"{self.address} does not answer as turbopuffer does")

    def _retryable(self, error: turbopuffer.TurbopufferError) -> BackendError:
        """What to raise when no time is left. Raises at once where trying again cannot help.

        Without the SDK's error as the cause: it holds the request, whose headers hold the key.
        """
        if isinstance(error, turbopuffer.APIStatusError):
            status = error.status_code
            if status in RETRIED_STATUSES or status >= 500:
                return BackendError(
                    f"turbopuffer answers {status}: {self._reason(error)}",
                    retry_after_seconds=retry_after_seconds(error.response.headers),
                )
            self._raise_final(error)
        if isinstance(error, turbopuffer.APITimeoutError) or isinstance(
            error.__cause__, OverdueError
        ):
            return BackendError(f"turbopuffer does not answer in time ({self.address})")
        if isinstance(error, turbopuffer.APIConnectionError):
            return BackendError(
                f"turbopuffer cannot be reached at {self.address}; is TURBOPUFFER_REGION right?"
            )
        return self.not_turbopuffer()

    def _raise_final(self, error: turbopuffer.APIStatusError) -> NoReturn:
        status = error.status_code
        if status == 404:
            raise NamespaceMissingError from None
        if status in {401, 403}:
            raise ConfigurationError(
                f"TURBOPUFFER_API_KEY: turbopuffer refuses it ({status}): {self._reason(error)}"
            ) from None
        if status in OUR_MISTAKES:
            raise RuntimeError(
                f"turbopuffer refuses a request ({status}): {self._reason(error)}"
            ) from None
        raise BackendError(f"turbopuffer answers {status}: {self._reason(error)}") from None

    def _reason(self, error: turbopuffer.APIStatusError) -> str:
        """What the service says, on one short line; it may quote the key."""
        text = error.body.get("error") if isinstance(error.body, dict) else None
        return excerpt(str(text or "no reason given").replace(self._api_key, "***"))
