"""What comes of each track that is worked on: a result, a reason why there will be none, or a
reason why there is none yet. Free of Dagster."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

from resources.catalogue.work.pending import PendingTrack
from resources.errors import BackendError, ObjectNotFoundError, TrackError

CHUNK_TRACKS: Final = 64
"""Tracks worked on and not yet stored: the most work that a kill may undo."""

MOST_AHEAD: Final = CHUNK_TRACKS // 2

COMPUTING_THREADS: Final = 2
"""Decoders hold the interpreter between packets: 41 windows a second decoded and embedded by one
thread, 56 by two, 35 by four and 16 by eight, on four cores. Many tracks are embedded by processes
instead (`assets.embedding_processes`)."""

WAITING_THREADS: Final = 8

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True)
class Waiting:
    """Why a track cannot be worked on at present. `is_outage`: something outside is down, which
    concerns other tracks too."""

    reason: str
    is_outage: bool


AUDIO_IS_MISSING: Final = Waiting("the audio file is not in the object store", is_outage=False)


@dataclass(frozen=True, eq=False)
class Outcome(Generic[T]):
    """A track's result, or why there is none: `failure` for good, `waiting` at present."""

    track: PendingTrack
    result: T | None = None
    failure: str | None = None
    waiting: Waiting | None = None


def outcome_of(track: PendingTrack, work: Callable[[PendingTrack], T]) -> Outcome[T]:
    """What comes of `work` on the track. Raises `UserError`, which concerns every track."""
    try:
        return Outcome(track, work(track))
    except TrackError as error:
        return Outcome(track, failure=str(error))
    except ObjectNotFoundError:
        return Outcome(track, waiting=AUDIO_IS_MISSING)
    except BackendError as error:
        return Outcome(track, waiting=Waiting(str(error), is_outage=True))


def threads_for(concurrency: int | None, *, waits: bool) -> int:
    """As many threads as configured; else by whether they mostly wait for another machine."""
    return concurrency or (WAITING_THREADS if waits else COMPUTING_THREADS)


def outcomes_in_chunks(
    tracks: Sequence[PendingTrack],
    work: Callable[[PendingTrack], T],
    threads: int,
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
                yield chunk
                if is_outage(chunk):
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
