"""Genres from MTG's effnet-discogs, hosted on Replicate (replicate.com/docs/reference/http)."""

import math
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar
from urllib.request import urlopen

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.errors import BackendError, MoodSearchError, TrackError
from resources.genres.labels import split_labels
from resources.genres.protocol import GenrePrediction, GenreRequest
from resources.genres.replicate_client import NoAnswerError, fetch, translated
from resources.object_store.protocol import ObjectStore
from resources.web.http import Backoff, Deadline, excerpt, printable_secret
from resources.web.rate_limit import RateLimit

EFFNET_DISCOGS_VERSION: Final = "1532dd069fb4f0e27c6833e28815f6b8c194dfec76fd9cd73460540fd720ffe1"
"""replicate.com/mtg/effnet-discogs; earlier versions are disabled. Its licence, CC BY-NC-SA 4.0, is
for non-commercial use."""

DEFAULT_BASE_URL: Final = "https://api.replicate.com"

MAX_UPLOAD_BYTES: Final = 25_000_000
"""Of audio that has no URL. The model reads the whole file: an album is no track."""

LONGEST_HOLD_SECONDS: Final = 60
"""How long Replicate holds a request for a prediction that is not finished (`Prefer: wait`)."""

PREDICTIONS_PER_MINUTE: Final = 500
REQUESTS_PER_MINUTE: Final = 2_500
"""Replicate allows an account 600 and 3,000 (replicate.com/docs/topics/predictions/rate-limits);
other processes ask, too."""

BURST: Final = 10

CLEANUP_SECONDS: Final = 5.0
"""For taking back what was begun, when no time is left."""

_SCORES: Final = TypeAdapter(dict[str, float])


Answer = TypeVar("Answer", bound=BaseModel)


class _Prediction(BaseModel):
    id: str
    status: str
    output: object = None
    error: str | None = None
    metrics: dict[str, Any] | None = None


class _File(BaseModel):
    id: str
    urls: dict[str, str]


class ReplicateClassifier:
    """Sends the audio's URL, or the audio itself where the store has none, and waits.

    A call takes at most `timeout_seconds`, and some more to take back what it began. `poll_seconds`
    lie between two looks at a prediction that is not finished. Calls of all threads together create
    at most `predictions_per_minute`. What they use is noted in `ledger`.
    """

    needs_embedding = False
    is_remote = True
    charges_for = (Measure.REPLICATE_PREDICTIONS, Measure.REPLICATE_SECONDS)
    name = f"effnet-discogs {EFFNET_DISCOGS_VERSION[:8]}"

    def __init__(
        self,
        api_token: str,
        store: ObjectStore,
        top_n: int,
        timeout_seconds: float,
        base_url: str | None = None,
        *,
        poll_seconds: float = 0.5,
        backoff: Backoff | None = None,
        predictions_per_minute: int = PREDICTIONS_PER_MINUTE,
        ledger: Ledger | None = None,
    ) -> None:
        self._store = store
        self._top_n = top_n
        self._timeout_seconds = timeout_seconds
        self._poll_seconds = poll_seconds
        self._backoff = backoff or Backoff()
        self._predictions = RateLimit(predictions_per_minute, BURST)
        self._requests = RateLimit(REQUESTS_PER_MINUTE, BURST)
        self._ledger = ledger or Ledger()
        token = printable_secret("REPLICATE_API_TOKEN", api_token)
        self._api = httpx.Client(
            base_url=base_url or DEFAULT_BASE_URL, headers={"Authorization": f"Bearer {token}"}
        )
        # Outputs may be on any host, so they are fetched by a client without the token.
        self._downloads = httpx.Client(follow_redirects=True)

    def classify(self, request: GenreRequest) -> list[GenrePrediction]:
        deadline = Deadline(self._timeout_seconds)
        with translated(), self._audio_url(request, deadline) as audio_url:
            prediction = self._predict(audio_url, deadline)
        # Replicate erases outputs after an hour.
        output = self._output(prediction, deadline)
        try:
            return split_labels(_SCORES.validate_json(output, strict=True), self._top_n)
        except ValueError as error:
            reason = "no score for each label" if isinstance(error, ValidationError) else error
            raise BackendError(f"Replicate's output is not as documented: {reason}") from error

    @contextmanager
    def _audio_url(self, request: GenreRequest, deadline: Deadline) -> Iterator[str]:
        url = self._store.url(request.audio_key)
        if url is not None:
            yield url
            return
        file = self._upload(request, deadline)
        try:
            yield file.urls["get"]
        finally:
            with suppress(MoodSearchError, NoAnswerError):
                self._call("DELETE", f"/v1/files/{file.id}", Deadline(CLEANUP_SECONDS))

    def _upload(self, request: GenreRequest, deadline: Deadline) -> _File:
        size = self._store.size(request.audio_key)
        if size > MAX_UPLOAD_BYTES:
            raise TrackError(
                f"The audio is too large to send to Replicate: {size / 1e6:.0f} MB of at most"
                f" {MAX_UPLOAD_BYTES / 1e6:.0f} MB"
            )
        suffix = PurePosixPath(request.audio_key).suffix
        content_type = mimetypes.guess_type(f"audio{suffix}")[0] or "application/octet-stream"
        with self._store.open(request.audio_key) as audio:
            content = (f"{request.track_id}{suffix}", audio, content_type)
            answer = self._call("POST", "/v1/files", deadline, files={"content": content})
        return _parsed(_File, answer)

    def _predict(self, audio_url: str, deadline: Deadline) -> _Prediction:
        """The succeeded prediction."""
        hold_seconds = max(1, min(LONGEST_HOLD_SECONDS, int(deadline.remaining_seconds) - 1))
        model_input = {"audio": audio_url, "output_format": "JSON", "top_n": self._top_n}
        answer = self._call(
            "POST",
            "/v1/predictions",
            deadline,
            limit=self._predictions,
            headers={"Prefer": f"wait={hold_seconds}"},
            json={"version": EFFNET_DISCOGS_VERSION, "input": model_input},
        )
        prediction = _parsed(_Prediction, answer)
        path = f"/v1/predictions/{prediction.id}"
        while prediction.status in {"starting", "processing"}:
            if not deadline.sleep(self._poll_seconds):
                self._give_up(prediction)
            # Some more, so that one which is not finished in time is always taken back.
            look = Deadline(deadline.remaining_seconds + CLEANUP_SECONDS)
            prediction = _parsed(_Prediction, self._call("GET", path, look, is_safe=True))
        self._note_usage(prediction)
        _raise_unless_succeeded(prediction)
        return prediction

    def _give_up(self, prediction: _Prediction) -> None:
        with suppress(MoodSearchError, NoAnswerError):
            path = f"/v1/predictions/{prediction.id}/cancel"
            answer = self._call("POST", path, Deadline(CLEANUP_SECONDS))
            prediction = _parsed(_Prediction, answer)
        self._note_usage(prediction)
        raise BackendError(f"Replicate did not finish within {self._timeout_seconds:g} seconds")

    def _call(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        *,
        limit: RateLimit | None = None,
        is_safe: bool = False,
        **content: Any,
    ) -> bytes:
        """As `fetch`, of the API."""
        limit = limit or self._requests
        backoff = self._backoff
        return fetch(
            self._api, method, path, deadline, backoff, is_safe=is_safe, limit=limit, **content
        )

    def _output(self, prediction: _Prediction, deadline: Deadline) -> bytes:
        """JSON with a score for each label, from the URL in a prediction."""
        url = prediction.output
        if not isinstance(url, str):
            raise BackendError("Replicate's prediction succeeded without an output")
        try:
            if url.startswith("data:"):
                with urlopen(url) as content:
                    return bytes(content.read())
            if url.startswith(("https://", "http://")):
                return fetch(self._downloads, "GET", url, deadline, self._backoff, is_safe=True)
        except NoAnswerError as error:
            raise BackendError(
                f"Replicate's output could not be fetched ({error})",
                retry_after_seconds=error.asked_seconds,
            ) from error
        except ValueError as error:
            raise BackendError("Replicate's output is not a data URL that can be read") from error
        raise BackendError("Replicate's output is not the address of a file")

    def _note_usage(self, prediction: _Prediction) -> None:
        seconds = (prediction.metrics or {}).get("predict_time")
        self._ledger.add(Measure.REPLICATE_PREDICTIONS)
        if isinstance(seconds, int | float) and 0 <= seconds < math.inf:
            self._ledger.add(Measure.REPLICATE_SECONDS, seconds)
        elif prediction.status == "succeeded":
            self._ledger.add(Measure.REPLICATE_UNTIMED)


def _parsed(kind: type[Answer], answer: bytes) -> Answer:
    try:
        return kind.model_validate_json(answer)
    except ValidationError as error:
        raise BackendError("Replicate's answer is not as documented") from error


def _raise_unless_succeeded(prediction: _Prediction) -> None:
    """Raise what the final status of a prediction means."""
    reason = excerpt(prediction.error or "no reason given")
    if prediction.status == "failed":
        # Such as "Prediction interrupted; please retry (code: PA)": their machine, not our audio.
        if "retry" in reason.lower():
            raise BackendError(f"Replicate interrupted the classification: {reason}")
        raise TrackError(f"Replicate could not classify the audio: {reason}")
    if prediction.status != "succeeded":
        raise BackendError(f"Replicate's classification was {prediction.status}")
