"""Classifying a track because somebody asks for its tags and none are stored."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from resources.backends import Backends
from resources.catalogue.database import ANSWER_SECONDS
from resources.catalogue.tracks.audio_files import AudioFile
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.overview import Overview
from resources.errors import (
    ConfigurationError,
    MoodSearchError,
    RefusedTrackError,
    TrackError,
    one_line,
)
from resources.genres.protocol import GenreClassifier, GenrePrediction, GenreRequest
from serving.availability import LOG_INTERVAL_SECONDS, AtMostEvery
from serving.search.live_index import LiveIndex

CONCURRENT_CLASSIFICATIONS: Final = 8
"""More tracks are turned away until one is done: anybody may ask, and each costs money."""

WAIT_SECONDS: Final = 300
"""For another process that classifies the same track."""

STATEMENT_SECONDS: Final = ANSWER_SECONDS
"""That a statement may take here: these threads share their connections with listeners."""

MOST_UNSAVED: Final = 1_000
"""Results that could not be stored and are kept in memory, the latest: a few kB each."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Classification:
    """Tags, best first; none where the audio cannot be classified. `reason`: why the classifier
    gave no answer, for the operator; None when it did."""

    predictions: Sequence[GenrePrediction] = ()
    reason: str | None = None


@dataclass(frozen=True)
class _Heard:
    """What a classifier said of a track's file: predictions, or why it cannot be classified
    (`tried_with`: see `AudioRecord`)."""

    classifier: str
    file_id: str
    predictions: Sequence[GenrePrediction]
    failure: str | None
    tried_with: str | None = None


Started = Future[Classification]


class GenresOnDemand:
    """Classifies in threads of its own and stores what it finds, whether or not anybody waits.

    Safe to use from threads. Whoever asks for a track that is being classified gets the same
    future. What the database does not take is kept in memory, and stored when somebody asks for the
    track again: nothing is paid for twice.
    """

    def __init__(self, backends: Backends, index: LiveIndex) -> None:
        self._backends = backends
        self._index = index
        self._running: dict[int, Started] = {}
        self._unsaved: dict[int, _Heard] = {}
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
        thread = threading.Thread(
            target=self._work, args=(track_id, future), name="classify", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # The system has no more threads.
            self._finish(track_id, future, Classification(reason=str(error)))
        return future

    def _work(self, track_id: int, future: Started) -> None:
        try:
            # A lock of this one track: other processes serve, too.
            alone = Block(track_id, track_id)
            with self._backends.locks.hold(alone, wait_seconds=WAIT_SECONDS):
                result = self._classify(track_id)
        except MoodSearchError as error:
            reason = one_line(error)
            if self._may_log():
                logger.warning("genres are not available: %s", reason)
            result = Classification(reason=reason)
        except Exception as error:
            if self._may_log():
                logger.exception("classifying track %d failed", track_id)
            result = Classification(reason=f"an unexpected {type(error).__name__}; see the log")
        # Not before it is stored: whoever asks next finds either.
        self._finish(track_id, future, result)

    def _finish(self, track_id: int, future: Started, result: Classification) -> None:
        with self._lock:
            del self._running[track_id]
        future.set_result(result)

    def _classify(self, track_id: int) -> Classification:
        backends = self._backends
        needs_embedding = backends.classifier.needs_embedding
        # Looked up again: who asked may have looked before an earlier classification was stored.
        track = backends.genres_of_tracks.public(track_id)
        if track is None or track.predictions is not None or track.audio is None:
            self._forget(track_id)
            return Classification((track and track.predictions) or ())
        heard = self._unsaved.get(track_id)
        if heard is None or heard.file_id != track.audio.file_id:
            classifier, vector = backends.classifier, None
            if needs_embedding:
                serving = self._index.serving()
                classifier = serving.backends.classifier
                index = serving.vectors
                vector = None if index is None else index.vector(track_id)
            if not track.may_be_classified(needs_embedding=needs_embedding) or (
                needs_embedding and vector is None
            ):
                return Classification()
            # What can never be stored would be paid for by every process, and after every start.
            if not Overview(backends.database).may_write_genres(within=STATEMENT_SECONDS):
                raise ConfigurationError("the user of DATABASE_URL lacks UPDATE (extra) ON tracks")
            heard = self._hear(track_id, track.audio, classifier, vector)
        self._store(track_id, heard)
        return Classification(heard.predictions)

    def _hear(
        self,
        track_id: int,
        audio: AudioFile,
        classifier: GenreClassifier,
        vector: NDArray[np.float32] | None,
    ) -> _Heard:
        request = GenreRequest(track_id, self._backends.audio_key(audio), vector)
        try:
            return _Heard(classifier.name, audio.file_id, classifier.classify(request), None)
        except TrackError as error:
            # It may have been paid for, so it is not asked for again before settings change.
            is_certain = not isinstance(error, RefusedTrackError)
            tried_with = None if is_certain else self._backends.tried_with
            return _Heard(classifier.name, audio.file_id, (), str(error), tried_with)

    def _store(self, track_id: int, heard: _Heard) -> None:
        """In the catalogue, or else in memory: whatever the database has against it, who asked gets
        what was paid for."""
        try:
            self._write(track_id, heard)
        except Exception as error:
            with self._lock:
                self._unsaved.pop(track_id, None)
                self._unsaved[track_id] = heard
                while len(self._unsaved) > MOST_UNSAVED:
                    del self._unsaved[next(iter(self._unsaved))]
            # A mistake of ours, or an app's trigger, is no better a reason to pay twice.
            is_ours = not isinstance(error, MoodSearchError)
            if self._may_log():
                logger.warning(
                    "genres could not be stored: %s; they will be when somebody asks again",
                    one_line(error),
                    exc_info=is_ours,
                )
        else:
            self._forget(track_id)

    def _write(self, track_id: int, heard: _Heard) -> None:
        records, classifier = self._backends.records, heard.classifier
        file_id, failure, within = heard.file_id, heard.failure, STATEMENT_SECONDS
        if failure is not None:
            records.genres_failed(
                track_id,
                file_id,
                failure,
                classifier,
                tried_with=heard.tried_with,
                within=within,
            )
            return
        records.genres(track_id, file_id, heard.predictions, classifier, within=within)
        # No run will look at it again.
        self._backends.auto_tags.apply(Block(track_id, track_id), within=within)

    def _forget(self, track_id: int) -> None:
        with self._lock:
            self._unsaved.pop(track_id, None)
