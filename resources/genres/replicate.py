"""Genres from MTG's effnet-discogs, hosted on Replicate."""

import itertools
import math
import mimetypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import Final, NoReturn, TypeVar

import httpx
from replicate.client import Client
from replicate.exceptions import ReplicateException
from replicate.file import File
from replicate.prediction import Prediction

from resources.costs.ledger import Ledger
from resources.costs.measures import Measure
from resources.errors import BackendError, TrackError
from resources.genres.labels import split_labels
from resources.genres.protocol import GenrePrediction, GenreRequest
from resources.genres.replicate_errors import raise_unless_succeeded, translated
from resources.genres.replicate_output import fetch_scores
from resources.genres.replicate_transport import (
    RefusedError,
    ReplicateTransport,
    may_be_sent_again,
)
from resources.object_store.protocol import ObjectStore
from resources.web.connections import with_deadlines
from resources.web.deadline import Deadline, OverdueError
from resources.web.http import UNDECODED, Backoff, printable_secret
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

CLEAN_UP_SECONDS: Final = 5.0
"""For telling Replicate what is not needed any more, also when the time is up."""

T = TypeVar("T")


class ReplicateClassifier:
    """Sends the audio's URL, or the audio itself where the store has none, and waits.

    A call takes at most `timeout_seconds`, and `CLEAN_UP_SECONDS`. `poll_seconds` lie between two
    looks at a prediction that is not finished. Calls of all threads together create at most
    `predictions_per_minute`. What they use is noted in `ledger`.
    """

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
        self._client = Client(
            api_token=printable_secret("REPLICATE_API_TOKEN", api_token),
            base_url=base_url or DEFAULT_BASE_URL,
            transport=ReplicateTransport(),
        )
        # Outputs may be on any host, so they are fetched by a client without the token.
        self._download_client = with_deadlines(httpx.Client(follow_redirects=True))

    @property
    def name(self) -> str:
        return f"effnet-discogs {EFFNET_DISCOGS_VERSION[:8]}"

    @property
    def needs_embedding(self) -> bool:
        return False

    @property
    def is_remote(self) -> bool:
        return True

    @property
    def charges_for(self) -> Sequence[Measure]:
        return (Measure.REPLICATE_PREDICTIONS, Measure.REPLICATE_SECONDS)

    def classify(self, request: GenreRequest) -> list[GenrePrediction]:
        deadline = Deadline(self._timeout_seconds)
        with translated(), self._audio_url(request, deadline) as audio_url:
            prediction = self._predict(audio_url, deadline)
            # Replicate erases outputs after an hour.
            scores = fetch_scores(self._download_client, prediction.output, deadline, self._backoff)
        try:
            return split_labels(scores, self._top_n)
        except ValueError as error:
            raise BackendError(f"Replicate's output is not as documented: {error}") from error

    @contextmanager
    def _audio_url(self, request: GenreRequest, deadline: Deadline) -> Iterator[str]:
        url = self._store.url(request.audio_key)
        if url is not None:
            yield url
            return
        file = self._upload(request, deadline)
        try:
            if "get" not in file.urls:
                raise BackendError("Replicate does not say where it keeps the audio")
            yield file.urls["get"]
        finally:
            with _cleaning_up():
                self._client.files.delete(file.id)

    def _upload(self, request: GenreRequest, deadline: Deadline) -> File:
        size = self._store.size(request.audio_key)
        if size > MAX_UPLOAD_BYTES:
            raise TrackError(
                f"The audio is too large to send to Replicate: {size / 1e6:.0f} MB of at most"
                f" {MAX_UPLOAD_BYTES / 1e6:.0f} MB"
            )
        suffix = PurePosixPath(request.audio_key).suffix
        content_type = mimetypes.guess_type(f"audio{suffix}")[0] or "application/octet-stream"
        with self._store.open(request.audio_key) as audio:
            return self._call(
                lambda: self._client.files.create(
                    audio, filename=f"{request.track_id}{suffix}", content_type=content_type
                ),
                deadline,
                self._requests,
                may_be_sent_again,
            )

    def _predict(self, audio_url: str, deadline: Deadline) -> Prediction:
        """The succeeded prediction."""
        model_input = {"audio": audio_url, "output_format": "JSON", "top_n": self._top_n}
        prediction = self._call(
            lambda: self._client.predictions.create(
                version=EFFNET_DISCOGS_VERSION,
                input=model_input,
                wait=max(1, min(LONGEST_HOLD_SECONDS, int(deadline.remaining_seconds))),
            ),
            deadline,
            self._predictions,
            may_be_sent_again,
        )
        poll = partial(self._client.predictions.get, prediction.id)
        while prediction.status in {"starting", "processing"}:
            if not deadline.sleep(self._poll_seconds):
                self._give_up(prediction)
            try:
                prediction = self._call(poll, deadline, self._requests, lambda _error: True)
            except OverdueError:
                self._give_up(prediction)
        self._note_usage(prediction)
        raise_unless_succeeded(prediction)
        return prediction

    def _give_up(self, prediction: Prediction) -> NoReturn:
        with _cleaning_up():
            prediction = self._client.predictions.cancel(prediction.id)
        self._note_usage(prediction)
        raise BackendError(f"Replicate did not finish within {self._timeout_seconds:g} seconds")

    def _note_usage(self, prediction: Prediction) -> None:
        seconds = (prediction.metrics or {}).get("predict_time")
        self._ledger.add(Measure.REPLICATE_PREDICTIONS)
        if isinstance(seconds, int | float) and 0 <= seconds < math.inf:
            self._ledger.add(Measure.REPLICATE_SECONDS, seconds)
        elif prediction.status == "succeeded":
            self._ledger.add(Measure.REPLICATE_UNTIMED)

    def _call(
        self,
        request: Callable[[], T],
        deadline: Deadline,
        limit: RateLimit,
        is_worth_repeating: Callable[[httpx.TransportError], bool],
    ) -> T:
        for attempt in itertools.count():
            if not limit.wait(deadline):
                raise BackendError("Replicate is asked as often as it allows; this has to wait")
            try:
                with deadline.bounds():
                    return request()
            except httpx.TransportError as error:
                asked_seconds = error.asked_seconds if isinstance(error, RefusedError) else None
                if not is_worth_repeating(error) or not self._backoff.pause(
                    attempt, deadline, asked_seconds
                ):
                    raise
            except UNDECODED as error:
                raise BackendError(
                    "Replicate's answer is not what its client expects; the prediction may have"
                    " been aborted"
                ) from error
        raise AssertionError("unreachable")


@contextmanager
def _cleaning_up() -> Iterator[None]:
    """Nothing depends on it."""
    with (
        suppress(httpx.HTTPError, ReplicateException, OverdueError, *UNDECODED),
        Deadline(CLEAN_UP_SECONDS).bounds(),
    ):
        yield
