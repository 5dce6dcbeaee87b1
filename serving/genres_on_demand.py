"""Classifying a track because somebody asks for its tags and none are stored."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.backends import Backends
from resources.catalogue.blocks import Block
from resources.catalogue.overview import Overview
from resources.errors import ConfigurationError, MoodSearchError, TrackError
from resources.genres.protocol import GenrePrediction, GenreRequest
from serving.availability import LOG_INTERVAL_SECONDS
from serving.intervals import AtMostEvery
from serving.search import LiveIndex

CONCURRENT_CLASSIFICATIONS: Final = 8
"""More tracks are turned away until one is done: anybody may ask, and each costs money."""

WAIT_SECONDS: Final = 300
"""For another process that classifies the same track."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Classification:
    """Tags, best first; none where the audio cannot be classified. `reason`: why the classifier
    gave no answer, for the operator; None when it did."""

    predictions: Sequence[GenrePrediction] = ()
    reason: str | None = None


Started = Future[Classification]


class GenresOnDemand:
    """Classifies in threads of its own and stores what it finds, whether or not anybody waits.

    Safe to use from threads. Whoever asks for a track that is being classified gets the same
    future.
    """

    def __init__(self, backends: Backends, index: LiveIndex) -> None:
        self._backends = backends
        self._index = index
        self._running: dict[int, Started] = {}
        self._lock = threading.Lock()
        self._may_log = AtMostEvery(LOG_INTERVAL_SECONDS)

    def start(self, track_id: int) -> Started:
        """The classification of a track, as far as nothing is stored. The future never fails."""
        with self._lock:
            running = self._running.get(track_id)
            if running is not None:
                return running
            future: Started = Future()
            if len(self._running) >= CONCURRENT_CLASSIFICATIONS:
                future.set_result(Classification(reason="too many tracks are being classified"))
                return future
            self._running[track_id] = future
        # A daemon, so that a process can end without waiting for the classifier.
        threading.Thread(
            target=self._work, args=(track_id, future), name="classify", daemon=True
        ).start()
        return future

    def _work(self, track_id: int, future: Started) -> None:
        try:
            # A lock of this one track: other processes serve, too.
            alone = Block(track_id, track_id)
            with self._backends.locks.hold(alone, wait_seconds=WAIT_SECONDS):
                result = self._classify(track_id)
        except MoodSearchError as error:
            reason = " ".join(str(error).split())
            self._log(lambda: logger.warning("genres are not available: %s", reason))
            result = Classification(reason=reason)
        except Exception as error:
            self._log(lambda: logger.exception("classifying track %d failed", track_id))
            result = Classification(reason=f"an unexpected {type(error).__name__}; see the log")
        # Not before it is stored: whoever asks next finds either.
        with self._lock:
            del self._running[track_id]
        future.set_result(result)

    def _classify(self, track_id: int) -> Classification:
        backends, classifier = self._backends, self._backends.classifier
        needs_embedding = classifier.needs_embedding
        # Looked up again: who asked may have looked before an earlier classification was stored.
        track = backends.genres_of_tracks.public(track_id)
        if track is None or track.predictions is not None or track.audio is None:
            return Classification((track and track.predictions) or ())
        vector = self._vector(track_id) if needs_embedding else None
        if not track.may_be_classified(needs_embedding=needs_embedding) or (
            needs_embedding and vector is None
        ):
            return Classification()
        # What cannot be stored would be classified, and paid for, with every request.
        if not Overview(backends.database).may_write_genres():
            raise ConfigurationError("the user of DATABASE_URL lacks UPDATE (extra) ON tracks")
        file_id = track.audio.file_id
        request = GenreRequest(track_id, backends.audio_key(track.audio), vector)
        try:
            predictions = classifier.classify(request)
        except TrackError as error:
            backends.records.genres_failed(track_id, file_id, str(error), classifier.name)
            return Classification()
        backends.records.genres(track_id, file_id, predictions, classifier.name)
        # No run will look at it again.
        backends.auto_tags.apply(Block(track_id, track_id))
        return Classification(predictions)

    def _vector(self, track_id: int) -> NDArray[np.float32] | None:
        """What the index holds for the track; asked for only where it is needed."""
        vectors = self._index.vectors()
        return None if vectors is None else vectors.vector(track_id)

    def _log(self, log: Callable[[], None]) -> None:
        if self._may_log():
            log()
