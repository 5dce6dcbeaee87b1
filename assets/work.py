"""What every asset's run has in common: which tracks it looks at, who sees its progress, and how
its errors reach Dagster."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import dagster as dg
from pydantic import Field

from resources.backends import Backends
from resources.catalogue.blocks import Block
from resources.catalogue.work import PendingTrack
from resources.errors import BackendError, UserError

RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For what the world did wrong; the pending work's growing delays come after these."""


class WorkConfig(dg.Config):
    """What a run works on, within its block."""

    track_ids: list[int] | None = Field(
        default=None, description="Only these tracks; all pending ones of the block when unset."
    )
    concurrency: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="Tracks that are fetched and decoded at once.",
    )


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


def stop_when_all_wait(reasons: Sequence[str | None]) -> None:
    """Raise `BackendError` when not one of several tracks could be reached (None: it could): what
    is outside is down, and the run should say so and be tried again soon."""
    if len(reasons) > 1 and None not in reasons:
        raise BackendError(str(reasons[0]))


@contextmanager
def working_on(backends: Backends, block: Block) -> Iterator[None]:
    """Hold the block for this asset.

    What only a person can mend fails the run at once, with the one line that says how; anything
    else is retried.
    """
    try:
        with backends.work.lock(block):
            yield
    except UserError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
