"""Requests to Replicate: in time, again where that may help, and what its refusals mean."""

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from resources.errors import (
    BackendError,
    ConfigurationError,
    MoodSearchError,
    ObjectNotFoundError,
    TrackError,
)
from resources.web.http import (
    ABOUT_THE_INPUT,
    PASSING_ERRORS,
    Backoff,
    Deadline,
    excerpt,
    exchange,
    retry_after_seconds,
)
from resources.web.rate_limit import RateLimit

MAX_ANSWER_BYTES: Final = 1 << 20
"""400 labels with a score each are about 20 KB."""

_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_RESETS_IN: Final = re.compile(r"resets in ~?\s*(\d+(?:\.\d+)?)\s*s")
"""Replicate says when to come back only in the text of a 429."""


class NoAnswerError(Exception):
    """There is no answer, or it is no success. `status`: None for no answer. `asked_seconds`: when
    to come back, where that was said."""

    def __init__(self, reason: str, status: int | None = None, text: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.text = text
        self.asked_seconds: float | None = None


def fetch(
    client: httpx.Client,
    method: str,
    url: str,
    deadline: Deadline,
    backoff: Backoff,
    *,
    is_safe: bool,
    limit: RateLimit | None = None,
    **content: Any,
) -> bytes:
    """The body of the answer. `is_safe`: a request that may have had its effect may be sent again.

    Raises `NoAnswerError`, and `BackendError` for an answer that is too long or comes too late, and
    when `limit` has no turn in time.
    """
    for attempt in itertools.count():
        if limit is not None and not limit.wait(deadline):
            raise BackendError("Replicate is asked as often as it allows; this has to wait")
        try:
            request = client.build_request(method, url, **content)
            response, body = exchange(client, request, MAX_ANSWER_BYTES, deadline)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            failure = NoAnswerError(type(error).__name__)
            may_help = isinstance(error, PASSING_ERRORS if is_safe else _NEVER_SENT)
        else:
            if response.is_success:
                return body
            failure = _refusal(response, body.decode(errors="replace"))
            may_help = response.status_code == 429 or (is_safe and response.status_code >= 500)
        if not may_help or not backoff.pause(attempt, deadline, failure.asked_seconds):
            raise failure
    raise AssertionError("unreachable")


def _refusal(response: httpx.Response, text: str) -> NoAnswerError:
    refusal = NoAnswerError(f"answered {response.status_code}", response.status_code, text)
    refusal.asked_seconds = retry_after_seconds(response.headers)
    if refusal.asked_seconds is None and (found := _RESETS_IN.search(text)):
        refusal.asked_seconds = float(found[1])
    return refusal


@contextmanager
def translated() -> Iterator[None]:
    """Raise this project's errors in place of `NoAnswerError`, and for audio that is missing."""
    try:
        yield
    except NoAnswerError as error:
        raise _meaning(error) from error
    except ObjectNotFoundError as error:
        raise TrackError("There is no audio file to classify") from error


def _meaning(error: NoAnswerError) -> MoodSearchError:
    if error.status is None:
        return BackendError(f"Replicate did not answer ({error})")
    if error.status in {401, 403}:
        return ConfigurationError("REPLICATE_API_TOKEN is refused by Replicate")
    if error.status == 402:
        return BackendError("Replicate: the account's credit is used up")
    detail = _detail(error.text)
    if error.status in ABOUT_THE_INPUT and "version" not in detail.lower():
        return TrackError(f"Replicate refused the audio: {detail}")
    message = f"Replicate answered {error.status}: {detail}"
    return BackendError(message, retry_after_seconds=error.asked_seconds)


def _detail(text: str) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    fields = answer if isinstance(answer, dict) else {}
    return excerpt(str(fields.get("detail") or fields.get("title") or "no reason given"))
