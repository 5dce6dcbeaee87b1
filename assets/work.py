"""What every asset's run has in common: which tracks it looks at, who sees its progress, and how
its errors reach Dagster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import dagster as dg
from pydantic import Field

from assets.model import refuse_unfit_model
from assets.tags import PROCESS_TAG
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack
from resources.errors import UserError
from resources.machine.processes import this_process

RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For what the world did wrong; the pending work's growing delays come after these."""


CHUNK_TRACKS: Final = 64
"""Tracks between two notes of what was done: the most work that a kill may undo."""


COMPUTING_THREADS: Final = 2
"""Decoders hold the interpreter between packets: 41 windows a second decoded and embedded by one
thread, 56 by two, 35 by four and 16 by eight, on four cores. Many tracks are embedded by processes
instead (`assets.embedding_processes`)."""

WAITING_THREADS: Final = 8


class WorkConfig(dg.Config):
    """What a run works on, within its block."""

    track_ids: list[int] | None = Field(
        default=None, description="Only these tracks; all pending ones of the block when unset."
    )
    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Tracks that are worked on at once; when unset, as many as there are cores "
        "that no other run has taken where processes embed them, 2 where threads compute and 8 "
        "where they mostly wait for somebody else.",
    )

    def threads(self, *, waits: bool) -> int:
        """How many threads to use; `waits`: whether they mostly wait for an outside system."""
        if self.concurrency is not None:
            return self.concurrency
        return WAITING_THREADS if waits else COMPUTING_THREADS


class Progress(Protocol):
    """Told how the work goes on, by the name of the asset."""

    def advance(self, asset: str, tracks: int) -> None: ...


class NoProgress:
    """For runs that nobody watches but the Dagster UI."""

    def advance(self, asset: str, tracks: int) -> None:
        """Nobody listens."""


def pending_tracks(backends: Backends, block: Block, config: WorkConfig) -> list[PendingTrack]:
    """What is to be done in `block`, by track id."""
    pending = backends.work.pending(block)
    if config.track_ids is None:
        return pending
    chosen = set(config.track_ids)
    return [track for track in pending if track.track_id in chosen]


@dataclass(frozen=True)
class Waiting:
    """Why a track cannot be worked on at present. `is_outage`: something outside is down, which
    concerns other tracks too."""

    reason: str
    is_outage: bool


AUDIO_IS_MISSING = Waiting("the audio file is not in the object store", is_outage=False)


def chunks(tracks: Sequence[PendingTrack], size: int) -> Iterator[Sequence[PendingTrack]]:
    """The tracks in order, `size` at a time."""
    for start in range(0, len(tracks), size):
        yield tracks[start : start + size]


def is_outage(waiting: Sequence[Waiting | None]) -> bool:
    """Whether not one of several tracks could be worked on (None: it could) and something outside
    is to blame: going on would only wait for each of the others, too."""
    return len(waiting) > 1 and all(item is not None and item.is_outage for item in waiting)


@contextmanager
def working_on(
    context: dg.AssetExecutionContext, backends: Backends, block: Block
) -> Iterator[Callable[[], None]]:
    """Hold the block for this asset; yields what to call before anything is written.

    The run is tagged with this process, so that it does not count as running when this is killed.

    What only a person can mend fails the run at once, with the one line that says how; anything
    else is retried.
    """
    if PROCESS_TAG not in context.run.tags:
        context.instance.add_run_tags(context.run_id, {PROCESS_TAG: this_process()})
    try:
        refuse_unfit_model(backends)
        with backends.locks.hold(block) as check_lock:
            yield check_lock
    except UserError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
