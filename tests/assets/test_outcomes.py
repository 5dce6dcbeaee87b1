"""Who is to blame when a track comes to nothing: its audio, the service that refuses it, or what
works on all of them."""

from collections.abc import Callable, Sequence

import pytest

from assets.outcomes import (
    CHUNK_TRACKS,
    SEVERAL,
    Doubt,
    Failure,
    Judge,
    Outcome,
    Waiting,
    is_outage,
    outcome_of,
    outcomes_in_chunks,
)
from resources.catalogue.work.pending import PendingTrack
from resources.errors import BackendError, ConfigurationError, RefusedTrackError, TrackError
from tests.assets.tracks import pending

CHUNK = CHUNK_TRACKS - 2
"""With one thread, two tracks are worked on ahead."""

Work = Callable[[PendingTrack], str]


def _raising(errors: dict[int, Exception]) -> Work:
    def work(track: PendingTrack) -> str:
        if track.track_id in errors:
            raise errors[track.track_id]
        return f"result {track.track_id}"

    return work


def _outcomes(
    tracks: Sequence[PendingTrack], work: Work, *, has_worked: bool = False
) -> list[Outcome[str]]:
    judge = Judge(work, has_worked=has_worked)
    return [each for chunk in outcomes_in_chunks(tracks, work, 1, judge) for each in chunk]


def _tracks(count: int) -> list[PendingTrack]:
    return [pending(number) for number in range(count)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TrackError("no audio stream"), Outcome(pending(0), failure=Failure("no audio stream"))),
        (BackendError("it is down"), Outcome(pending(0), waiting=Waiting("it is down", True))),
        (
            OSError(28, "No space left on device"),
            Outcome(
                pending(0),
                waiting=Waiting("OSError: [Errno 28] No space left on device", is_outage=True),
            ),
        ),
        (
            RefusedTrackError("400"),
            Outcome(pending(0), doubt=Doubt("400", is_refusal=True)),
        ),
        (
            ZeroDivisionError("division by zero"),
            Outcome(
                pending(0),
                doubt=Doubt("ZeroDivisionError: division by zero", is_refusal=False),
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_says_who_is_to_blame(error: Exception, expected: Outcome[str]) -> None:
    outcome = outcome_of(pending(0), _raising({0: error}))
    assert outcome.result is None
    assert (outcome.failure, outcome.waiting, outcome.doubt) == (
        expected.failure,
        expected.waiting,
        expected.doubt,
    )


def test_what_concerns_every_track_is_not_a_tracks() -> None:
    with pytest.raises(ConfigurationError):
        outcome_of(pending(0), _raising({0: ConfigurationError("CLAP_MODEL is unknown")}))


def test_a_refused_track_has_failed_where_the_service_takes_others() -> None:
    outcomes = _outcomes(_tracks(4), _raising({1: RefusedTrackError("400: no audio in it")}))
    assert outcomes[1].failure == Failure("400: no audio in it", is_certain=False)
    assert [outcome.result is not None for outcome in outcomes] == [True, False, True, True]


@pytest.mark.parametrize("count", [1, 2, 64, 200])
def test_a_service_that_takes_no_track_is_out_of_order(count: int) -> None:
    """Two addresses were swapped, say: 400 for all."""
    errors: dict[int, Exception] = {n: RefusedTrackError("400: give text") for n in range(count)}
    outcomes = _outcomes(_tracks(count), _raising(errors))
    assert len(outcomes) == min(count, CHUNK)  # An outage is not gone through track by track.
    for outcome in outcomes:
        assert outcome.waiting == Waiting("400: give text", is_outage=True)


def test_a_service_that_takes_no_track_any_more_is_out_of_order() -> None:
    errors: dict[int, Exception] = {n: RefusedTrackError("404") for n in range(40, 200)}
    outcomes = _outcomes(_tracks(200), _raising(errors))
    assert [outcome.result is not None for outcome in outcomes[:41]] == [True] * 40 + [False]
    assert all(outcome.failure is None for outcome in outcomes)
    assert all(outcome.waiting is not None for outcome in outcomes[40:])
    assert len(outcomes) == 2 * CHUNK


def test_refusals_between_tracks_that_the_service_takes_are_the_tracks_own() -> None:
    errors: dict[int, Exception] = {n: RefusedTrackError("400") for n in range(10, 30)}
    outcomes = _outcomes(_tracks(40), _raising(errors))
    assert [outcome.failure is not None for outcome in outcomes] == (
        [False] * 10 + [True] * 20 + [False] * 10
    )


def test_one_refusal_after_the_last_track_that_was_taken_is_the_tracks_own() -> None:
    outcomes = _outcomes(_tracks(3), _raising({2: RefusedTrackError("400")}))
    assert outcomes[2].failure is not None


def test_who_has_waited_often_enough_has_failed() -> None:
    """Alone, no track shows that the service takes others."""
    track = pending(7)
    work = _raising({7: RefusedTrackError("400: too short")})
    judge = Judge(work, has_worked=False, tried_often={7})
    ((outcome,),) = outcomes_in_chunks([track], work, 1, judge)
    assert outcome.failure == Failure("400: too short", is_certain=False)


def test_an_unexpected_error_of_a_single_track_is_its_own() -> None:
    (outcome,) = _outcomes(_tracks(1), _raising({0: KeyError("rate")}))
    assert outcome.failure == Failure("KeyError: 'rate'", is_certain=False)


def test_an_error_that_every_track_meets_blames_none_of_them() -> None:
    """A library that cannot be loaded, say. All are tried: it may not be every one's."""
    errors: dict[int, Exception] = {n: ImportError("libavcodec") for n in range(100)}
    outcomes = _outcomes(_tracks(100), _raising(errors))
    assert len(outcomes) == 100
    for outcome in outcomes:
        assert outcome.waiting == Waiting("ImportError: libavcodec", is_outage=False)


@pytest.mark.parametrize("has_worked", [True, False])
def test_many_odd_tracks_do_not_keep_the_others_waiting(has_worked: bool) -> None:
    """The first chunk is odd from end to end."""
    errors: dict[int, Exception] = {n: ZeroDivisionError() for n in range(80)}
    outcomes = _outcomes(_tracks(100), _raising(errors), has_worked=has_worked)
    assert sum(outcome.result is not None for outcome in outcomes) == 20
    odd = outcomes[:80]
    assert all((o.failure is not None) == has_worked for o in odd[:CHUNK])
    assert all(o.failure is not None for o in odd[CHUNK:])


def test_several_is_more_than_a_coincidence() -> None:
    errors: dict[int, Exception] = {n: ZeroDivisionError() for n in range(SEVERAL - 1)}
    outcomes = _outcomes(_tracks(SEVERAL - 1), _raising(errors))
    assert all(outcome.failure is not None for outcome in outcomes)
    assert not is_outage(outcomes)


def test_an_error_that_nobody_foresaw_is_shortened() -> None:
    (outcome,) = _outcomes(_tracks(1), _raising({0: ValueError("x" * 10_000 + "\nmore")}))
    assert outcome.failure is not None
    assert len(outcome.failure.reason) == 300
