"""What comes of each track that is worked on: a result, a reason why there will be none, or a
reason why there is none yet. Free of Dagster."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Final, Generic, TypeVar

from resources.catalogue.work.pending import PendingTrack
from resources.errors import (
    BackendError,
    MoodSearchError,
    ObjectNotFoundError,
    RefusedTrackError,
    TrackError,
    UserError,
    first_line,
)

CHUNK_TRACKS: Final = 64
"""Tracks worked on and not yet stored: the most work that a kill may undo."""

MOST_AHEAD: Final = CHUNK_TRACKS // 2

COMPUTING_THREADS: Final = 2
"""Decoders hold the interpreter between packets: 41 windows a second decoded and embedded by one
thread, 56 by two, 35 by four and 16 by eight, on four cores. Many tracks are embedded by processes
instead (`assets.embedding_processes`)."""

WAITING_THREADS: Final = 8

SEVERAL: Final = 3
"""So many tracks that come to nothing in the same way, with none going well, are not to blame."""

LONGEST_REASON: Final = 300
"""Characters of an error that nobody foresaw."""

T = TypeVar("T")
Item = TypeVar("Item")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why there will be no result. `is_certain`: the audio's own fault; otherwise it may be another
    with another configuration or version, and is tried again then."""

    reason: str
    is_certain: bool = True


@dataclass(frozen=True)
class Waiting:
    """Why a track cannot be worked on at present. `is_outage`: something outside is down, which
    concerns other tracks too."""

    reason: str
    is_outage: bool


@dataclass(frozen=True)
class Doubt:
    """Why there is no result, when the track or what works on it may be to blame. `is_refusal`: by
    a service."""

    reason: str
    is_refusal: bool


AUDIO_IS_MISSING: Final = Waiting("the audio file is not in the object store", is_outage=False)


@dataclass(frozen=True, eq=False)
class Outcome(Generic[T]):
    """A track's result, or why there is none: `failure` for good, `waiting` at present, or `doubt`,
    for `Judge`, which of these it is."""

    track: PendingTrack
    result: T | None = None
    failure: Failure | None = None
    waiting: Waiting | None = None
    doubt: Doubt | None = None


def outcome_of(track: PendingTrack, work: Callable[[PendingTrack], T]) -> Outcome[T]:
    """What comes of `work` on the track. Raises `UserError`, which concerns every track."""
    try:
        return Outcome(track, work(track))
    except UserError:
        raise
    except RefusedTrackError as error:
        return Outcome(track, doubt=Doubt(str(error), is_refusal=True))
    except TrackError as error:
        return Outcome(track, failure=Failure(str(error)))
    except ObjectNotFoundError:
        return Outcome(track, waiting=AUDIO_IS_MISSING)
    except BackendError as error:
        return Outcome(track, waiting=Waiting(str(error), is_outage=True))
    except Exception as error:
        logger.warning("track %d met an unexpected error", track.track_id, exc_info=True)
        return _unforeseen(track, error)


def not_taken(track: PendingTrack, error: Exception) -> Outcome[T]:
    """Of a track that has to wait because of an error that nobody foresaw."""
    logger.warning("track %d met an unexpected error", track.track_id, exc_info=error)
    return Outcome(track, waiting=Waiting(described(error), is_outage=False))


def described(error: Exception) -> str:
    """The error in a line: as we raised it on purpose, or with its type, without which many others'
    messages say nothing."""
    line = first_line(error)
    if not isinstance(error, MoodSearchError):
        line = f"{type(error).__name__}: {line}"
    return line[:LONGEST_REASON]


def _unforeseen(track: PendingTrack, error: Exception) -> Outcome[T]:
    reason = described(error)
    if isinstance(error, OSError | MemoryError):
        # This machine's trouble: a full disk, too many open files.
        return Outcome(track, waiting=Waiting(reason, is_outage=True))
    return Outcome(track, doubt=Doubt(reason, is_refusal=False))


class Judge(Generic[T]):
    """Decides for one run, chunk by chunk, whether tracks are to blame that came to nothing in an
    unexpected way.

    An unexpected error is met by a second try with `again`, after the rest of its chunk. If it
    fails as well, the track has failed, unless several do and none ever went well: then they wait.
    `has_worked`: one did before this run.

    A track that a service refuses has failed where the service takes others. As long as it takes
    none, and when it stops taking any, the tracks wait. Those of `tried_often` have waited enough.
    """

    def __init__(
        self,
        again: Callable[[PendingTrack], T],
        *,
        has_worked: bool,
        tried_often: Collection[int] = (),
    ) -> None:
        self._again = again
        self._has_worked = has_worked
        self._tried_often = tried_often
        self._is_accepted = False
        self._unexpected = 0

    def settled(self, outcomes: Sequence[Outcome[T]]) -> list[Outcome[T]]:
        """The outcomes of a chunk, in order, without doubt."""
        outcomes = [self._second(outcome) for outcome in outcomes]
        waiting = self._refused_in_an_outage(outcomes)
        is_well = any(outcome.result is not None for outcome in outcomes)
        self._has_worked |= is_well
        self._is_accepted |= is_well
        self._unexpected += sum(_is_unexpected(outcome) for outcome in outcomes)
        return [self._judged(outcome, waiting) for outcome in outcomes]

    def _second(self, outcome: Outcome[T]) -> Outcome[T]:
        return outcome_of(outcome.track, self._again) if _is_unexpected(outcome) else outcome

    def _refused_in_an_outage(self, outcomes: Sequence[Outcome[T]]) -> set[int]:
        """Ids of tracks that were refused when the service took no other any more."""
        latest = takewhile(lambda outcome: outcome.result is None, reversed(outcomes))
        refused = {
            outcome.track.track_id
            for outcome in latest
            if outcome.doubt is not None and outcome.doubt.is_refusal
        }
        was_accepted = self._is_accepted or any(o.result is not None for o in outcomes)
        return refused if len(refused) >= SEVERAL or not was_accepted else set()

    def _judged(self, outcome: Outcome[T], waiting: set[int]) -> Outcome[T]:
        doubt = outcome.doubt
        if doubt is None:
            return outcome
        if doubt.is_refusal:
            waits = outcome.track.track_id in waiting
        else:
            waits = not self._has_worked and self._unexpected >= SEVERAL
        if waits and outcome.track.track_id not in self._tried_often:
            # Beside an unexpected error of some tracks, others may go well.
            reason = Waiting(doubt.reason, is_outage=doubt.is_refusal)
            return replace(outcome, doubt=None, waiting=reason)
        return replace(outcome, doubt=None, failure=Failure(doubt.reason, is_certain=False))


def threads_for(concurrency: int | None, *, waits: bool) -> int:
    """As many threads as configured; else by whether they mostly wait for another machine."""
    return concurrency or (WAITING_THREADS if waits else COMPUTING_THREADS)


def outcomes_in_chunks(
    tracks: Sequence[PendingTrack],
    work: Callable[[PendingTrack], T],
    threads: int,
    judge: Judge[T],
    *,
    interrupt: Callable[[], None] = lambda: None,
) -> Generator[list[Outcome[T]], None, None]:
    """Work on the tracks, `threads` at once, and yield what came of them, in order, in chunks to be
    stored before the next is asked for. Stops early in an outage.

    `interrupt` is called at the end, before what is still worked on is waited for.
    """
    ahead = min(2 * threads, MOST_AHEAD)
    with (
        ThreadPoolExecutor(threads, thread_name_prefix="work") as pool,
        closing(mapped(pool, lambda track: outcome_of(track, work), tracks, ahead)) as outcomes,
    ):
        try:
            while chunk := list(islice(outcomes, CHUNK_TRACKS - ahead)):
                settled = judge.settled(chunk)
                yield settled
                if is_outage(settled):
                    return
        finally:
            interrupt()


def mapped(
    pool: ThreadPoolExecutor, work: Callable[[Item], T], items: Iterable[Item], ahead: int
) -> Generator[T, None, None]:
    """Like `map`, with at most `ahead` results not yet consumed. Those that were not begun are left
    when `work` raises or the generator is closed."""
    waiting: deque[Future[T]] = deque()
    try:
        for item in items:
            if len(waiting) == ahead:
                yield waiting.popleft().result()
            waiting.append(pool.submit(work, item))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def is_outage(outcomes: Sequence[Outcome[T]]) -> bool:
    """Whether not one of several tracks could be worked on and something outside is to blame: going
    on would only wait for each of the others, too."""
    return len(outcomes) > 1 and all(
        outcome.waiting is not None and outcome.waiting.is_outage for outcome in outcomes
    )


def _is_unexpected(outcome: Outcome[T]) -> bool:
    return outcome.doubt is not None and not outcome.doubt.is_refusal
