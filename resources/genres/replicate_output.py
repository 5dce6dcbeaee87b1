"""Fetching what the classifier on Replicate wrote: a JSON file with a score for each label."""

import base64
import binascii
import itertools
import json
from typing import Final
from urllib.parse import unquote_to_bytes

import httpx

from resources.errors import BackendError
from resources.web.deadline import Deadline
from resources.web.http import (
    PASSING_ERRORS,
    PASSING_STATUSES,
    Backoff,
    read_bounded,
    retry_after_seconds,
    streamed,
)

MAX_OUTPUT_BYTES: Final = 1 << 20
"""400 labels with a score each are about 20 KB."""


def fetch_scores(
    client: httpx.Client, output: object, deadline: Deadline, backoff: Backoff
) -> dict[str, float]:
    """Label -> score, from a prediction's output, a URL.

    `client` must not hold the API token: the file may be on any host. Raises `BackendError` when
    there is no output (any more), or it is not what the model documents.
    """
    if not isinstance(output, str):
        raise BackendError("Replicate's prediction succeeded without an output")
    if output.startswith("data:"):
        return _parse(_decode_data_uri(output))
    if not output.startswith(("https://", "http://")):
        raise BackendError("Replicate's output is not the address of a file")
    return _parse(_download(client, output, deadline, backoff))


def _download(client: httpx.Client, url: str, deadline: Deadline, backoff: Backoff) -> bytes:
    for attempt in itertools.count():
        asked_seconds = None
        try:
            with streamed(client, client.build_request("GET", url), deadline) as response:
                if response.status_code == 200:
                    return read_bounded(response, MAX_OUTPUT_BYTES)
                reason = f"answered {response.status_code}"
                passing = response.status_code in PASSING_STATUSES
                asked_seconds = retry_after_seconds(response.headers)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            reason, passing = type(error).__name__, isinstance(error, PASSING_ERRORS)
        if not passing or not backoff.pause(attempt, deadline, asked_seconds):
            raise BackendError(
                f"Replicate's output could not be fetched ({reason})",
                retry_after_seconds=asked_seconds,
            )
    raise AssertionError("unreachable")


def _decode_data_uri(uri: str) -> bytes:
    """RFC 2397."""
    header, _, payload = uri.partition(",")
    if not header.endswith(";base64"):
        return unquote_to_bytes(payload)
    try:
        return base64.b64decode(payload, validate=True)
    except binascii.Error:
        raise BackendError("Replicate's output is not valid base64") from None


def _parse(content: bytes) -> dict[str, float]:
    try:
        scores = json.loads(content)
    except (ValueError, RecursionError):
        raise BackendError("Replicate's output is not JSON") from None
    if not isinstance(scores, dict) or not all(map(_is_number, scores.values())):
        raise BackendError("Replicate's output is not a score for each label")
    return scores


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
