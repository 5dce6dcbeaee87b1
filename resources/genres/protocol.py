"""What every genre classifier offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from resources.costs.measures import Measure


@dataclass(frozen=True)
class GenrePrediction:
    """A tag with how sure the classifier is, in [0, 1]."""

    name: str
    confidence: float


@dataclass(frozen=True, eq=False)
class GenreRequest:
    """What a classifier may look at: the track's audio by key, or its embedding (512,) float32,
    which is None unless the classifier needs it."""

    track_id: int
    audio_key: str
    vector: NDArray[np.float32] | None = None


class GenreClassifier(Protocol):
    """Safe to call from several threads."""

    @property
    def name(self) -> str:
        """Recorded and shown beside the predictions, e.g. `effnet-discogs 1532dd06`: one that
        predicts otherwise, such as another version, has another name."""

    @property
    def needs_embedding(self) -> bool:
        """Whether `GenreRequest.vector` must be given."""

    @property
    def is_remote(self) -> bool:
        """Whether classifying mostly waits for another machine, so that more callers than cores
        pay off."""

    @property
    def charges_for(self) -> Sequence[Measure]:
        """What classifying is charged by; nothing where it runs here."""

    def classify(self, request: GenreRequest) -> Sequence[GenrePrediction]:
        """Tags, best first, lower case, without duplicates.

        Raises `TrackError` when this track's audio cannot be classified and `BackendError` when the
        classifier does not answer.
        """
