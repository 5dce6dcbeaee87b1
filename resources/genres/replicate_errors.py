"""What Replicate's errors mean here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from replicate.exceptions import ReplicateError
from replicate.prediction import Prediction

from resources.errors import (
    BackendError,
    ConfigurationError,
    MoodSearchError,
    ObjectNotFoundError,
    RefusedTrackError,
    TrackError,
)
from resources.genres.replicate_transport import RefusedError
from resources.web.http import excerpt

_ABOUT_THE_INPUT: Final = frozenset({400, 413, 415, 422})
"""The rest of 4xx, such as a 404 for a version that was withdrawn, is no fault of the track's."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise this project's errors in place of the client's."""
    try:
        yield
    except RefusedError as error:
        raise BackendError(
            f"Replicate answered {error.status}", retry_after_seconds=error.asked_seconds
        ) from error
    except httpx.HTTPError as error:
        raise BackendError(f"Replicate did not answer ({type(error).__name__})") from error
    except ReplicateError as error:
        raise _from_answer(error) from error
    except ObjectNotFoundError as error:
        raise TrackError("There is no audio file to classify") from error


def _from_answer(error: ReplicateError) -> MoodSearchError:
    detail = excerpt(error.detail or error.title or "no reason given")
    if error.status in {401, 403}:
        return ConfigurationError("REPLICATE_API_TOKEN is refused by Replicate")
    if error.status == 402:
        return BackendError("Replicate: the account's credit is used up")
    if error.status in _ABOUT_THE_INPUT and "version" not in detail.lower():
        return RefusedTrackError(f"Replicate refused the audio: {detail}")
    return BackendError(f"Replicate answered {error.status}: {detail}")


def raise_unless_succeeded(prediction: Prediction) -> None:
    """Raise what the final status of a prediction means."""
    reason = excerpt(prediction.error or "no reason given")
    if prediction.status == "failed":
        # Such as "Prediction interrupted; please retry (code: PA)": their machine, not our audio.
        if "retry" in reason.lower():
            raise BackendError(f"Replicate interrupted the classification: {reason}")
        raise RefusedTrackError(f"Replicate could not classify the audio: {reason}")
    if prediction.status != "succeeded":
        raise BackendError(f"Replicate's classification was {prediction.status}")
