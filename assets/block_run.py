"""What the run of every asset on a block has in common: the block's lock, what is pending, what was
read of the block's tables, what an operator is told, and how errors reach Dagster."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import dagster as dg
import pandera.polars as pa
from pydantic import Field

from assets.blocks import block_of
from assets.charges import Charges
from assets.held_block import HeldBlock
from assets.model import backends_of
from assets.outcomes import Failure, Outcome, T, described
from assets.report import PREVIEW_ROWS, Cell, Report, table_of
from assets.tables import BlockTable, UnreadableError
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import Job, PendingTrack
from resources.catalogue.work.records import Computed
from resources.errors import MoodSearchError, UserError
from resources.machine.processes import this_process

RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""For what the world did wrong; the pending work's growing delays come after these."""

PROCESS_TAG: Final = "moodsearch/process"
"""Which process works on a run (`resources.machine.processes`)."""

INDEX_TAG: Final = "moodsearch/index"
"""On which index a run works that is being built."""

Metadata = Mapping[str, dg.MetadataValue]
Columns = Mapping[int, Mapping[str, Cell]]
"""More columns of a preview, by track id."""

if TYPE_CHECKING:
    Materialized = dg.MaterializeResult[None]
else:
    # Where an asset answers checks, Dagster takes nothing but the bare class for one result.
    Materialized = dg.MaterializeResult


class BlockConfig(dg.Config):
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
        "where they mostly wait for another machine.",
    )
    namespace: str | None = Field(
        default=None,
        description="The index to work on, by the name that `moodsearch models list` shows; the "
        "one that answers when unset.",
    )
    force: bool = Field(
        default=False,
        description="Compute again what is there already, for all tracks of the block or those "
        "that `track_ids` names. What is there is used until it is replaced.",
    )


class Progress(Protocol):
    """Told how the work goes on, by the name of the asset."""

    def advance(self, asset: str, tracks: int) -> None: ...


class NoProgress:
    """For runs that are watched in the Dagster UI alone."""

    def advance(self, asset: str, tracks: int) -> None:
        """Does nothing."""


@dataclass
class BlockRun:
    """One asset's run on one block, which is held meanwhile.

    `block_pending`: all that is pending in the block. `finished`: tracks of it for which this asset
    has nothing left to do. `job`: whose list of work the tracks are on.
    """

    context: dg.AssetExecutionContext
    config: BlockConfig
    backends: Backends
    progress: Progress
    held: HeldBlock
    job: Job
    block_pending: list[PendingTrack]
    charges: Charges
    report: Report = field(default_factory=Report)
    finished: set[int] = field(default_factory=set)

    @property
    def block(self) -> Block:
        return self.held.block

    @property
    def answers(self) -> bool:
        """Whether the run works on the index that answers, and not on one that is being built."""
        return self.config.namespace is None

    @property
    def pending(self) -> list[PendingTrack]:
        """What this run is to do, by track id: all that is pending, or what its configuration
        names of it."""
        if self.config.track_ids is None:
            return self.block_pending
        chosen = set(self.config.track_ids)
        return [track for track in self.block_pending if track.track_id in chosen]

    def audio_key(self, track: PendingTrack) -> str:
        """Where the track's audio is in the object store."""
        return self.backends.audio_key(track.audio)

    @contextmanager
    def decoding(self, tracks: Sequence[PendingTrack]) -> Iterator[set[str]]:
        """While the tracks' audio is decoded. Gives the keys of audio that an earlier run decoded
        when its process ended without a word: it may end this one, too."""
        suspects = self.backends.attempts.begin(self.job, [track.track_id for track in tracks])
        try:
            yield {self.audio_key(track) for track in tracks if track.track_id in suspects}
        finally:
            self.backends.attempts.end(self.job, [track.track_id for track in tracks])

    def tried_often(self) -> set[int]:
        """Tracks that have waited so often that they are told apart from an outage."""
        return self.backends.attempts.tried_often(self.job, self.block)

    def tried_with(self, failure: Failure | None) -> str | None:
        """What is recorded of a failure that may be none with other settings."""
        is_certain = failure is None or failure.is_certain
        return None if is_certain else self.backends.tried_with

    def own_table(self, schema: type[pa.DataFrameModel], version: str = "") -> BlockTable:
        """The table that this asset writes. What it holds now is what the report compares with."""
        table = self.held.table(schema, version)
        self.report.known = table.track_ids()
        return table

    def drop(self, table: BlockTable, track_ids: Collection[int]) -> None:
        """Drop the tracks' rows of the asset's own table."""
        table.remove(track_ids)
        self.report.removed = len(self.report.known.intersection(track_ids))

    def stored(self, track_ids: Collection[int]) -> None:
        """Count results that were stored and recorded."""
        self.report.stored(track_ids)
        self.finished.update(track_ids)
        self.progress.advance(self.context.asset_key.to_python_identifier(), len(track_ids))

    def note(self, outcomes: Sequence[Outcome[T]]) -> None:
        """Count tracks without a result, and keep why some of them are waiting."""
        self.report.add(outcomes)
        self.finished.update(o.track.track_id for o in outcomes if o.failure is not None)
        self.backends.attempts.note_errors(self.job, self.report.reasons())

    def preview(
        self, track_ids: Collection[int], columns: Callable[[Sequence[int]], Columns]
    ) -> dg.MetadataValue:
        """Some of the tracks as a table, by title and artist and with more `columns`, which are
        asked for these tracks only: those of this run first, then the latest of the others."""
        chosen = self.report.first_of(track_ids, PREVIEW_ROWS)
        named = self.backends.tracks.public(chosen)
        added = columns(chosen)
        return table_of(
            [
                {
                    "title": named[track_id].title if track_id in named else None,
                    "artist": named[track_id].artist_display_name if track_id in named else None,
                    **added.get(track_id, {}),
                    "track_id": track_id,
                }
                for track_id in chosen
            ]
        )

    def left(self, is_left: Callable[[PendingTrack], bool]) -> int:
        """How many tracks of the whole block this asset has still to do, of those that `is_left`
        names when asked for all that were pending."""
        return sum(
            is_left(track) and track.track_id not in self.finished for track in self.block_pending
        )

    def result(
        self, metadata: Metadata, check_results: Sequence[dg.AssetCheckResult] = ()
    ) -> Materialized:
        """What Dagster is told: the report, and what is the asset's own."""
        report = self.report
        reasons = report.reasons()
        waiting = self.preview(reasons, lambda ids: {id_: {"reason": reasons[id_]} for id_ in ids})
        return dg.MaterializeResult(
            metadata={
                **report.metadata(),
                **({"waiting_because": waiting} if report.waiting else {}),
                **metadata,
            },
            check_results=check_results,
        )


class BlockRuns:
    """Starts the assets' runs on their block. There is one of these in each run of a job.

    The block is held from the start of the first asset until the last has ended, so that what one
    of them has read is still so for the next. When an asset fails, the block is let go of, and its
    next attempt reads everything anew.
    """

    def __init__(self, backends: Backends, progress: Progress) -> None:
        self._backends = backends
        self._progress = progress
        self._held: HeldBlock | None = None

    def close(self) -> None:
        """Let go of the block. Idempotent."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    @contextmanager
    def start(
        self, context: dg.AssetExecutionContext, config: BlockConfig, computes: Computed
    ) -> Iterator[BlockRun]:
        """The run of the asset that `computes` this for each track.

        The Dagster run is tagged with this process, so that it does not count as running when this
        is killed. What only a person can mend fails it at once, with the one line that says how,
        and so does a table that cannot be read, which is looked for by later runs; anything else is
        retried.
        """
        if PROCESS_TAG not in context.run.tags:
            context.instance.add_run_tags(context.run_id, {PROCESS_TAG: this_process()})
        job: Job = "genres" if computes == "genres" else "index"
        block = block_of(context)
        try:
            backends = backends_of(self._backends, config.namespace)
            held = self._hold(block, backends)
            # Once: an attempt that is repeated goes on where the last one failed.
            if config.force and context.retry_number == 0:
                self._forget(held, config, computes, job)
            yield BlockRun(
                context,
                config,
                backends,
                self._progress,
                held,
                job,
                held.take_pending(),
                Charges(self._backends.ledger),
            )
            if computes in ("index", "genres"):
                self._backends.failed_runs.forget(job, block)
        except (UserError, UnreadableError) as error:
            self._fail(job, block, str(error))
            raise dg.Failure(description=str(error), allow_retries=False) from error
        except Exception as error:
            self._fail(job, block, described(error))
            raise
        except BaseException:
            self.close()
            raise

    def _fail(self, job: Job, block: Block, reason: str) -> None:
        self.close()
        with suppress(MoodSearchError):  # Whatever is down, it is no reason to fail otherwise.
            self._backends.failed_runs.note(job, block, reason)

    def _forget(self, held: HeldBlock, config: BlockConfig, computes: Computed, job: Job) -> None:
        """On the list of work, what a killed run leaves is done by the next."""
        backends = held.backends
        track_ids = backends.records.forget(
            computes,
            held.block,
            config.track_ids,
            model=backends.track_model.fingerprint,
            generation=backends.generation.id,
        )
        backends.work.ask_for(job, track_ids)
        held.hand_on(backends.work.pending(held.block))

    def _hold(self, block: Block, backends: Backends) -> HeldBlock:
        if self._held is not None and self._held.backends is not backends:
            self.close()  # Another generation took over between two assets.
        if self._held is None:
            self._held = HeldBlock(backends, block)
        self._held.check()
        return self._held


@dg.resource(
    required_resource_keys={"backends", "progress"},
    description="Holds the block that a run works on, and what was read of it",
)
def block_runs_resource(context: dg.InitResourceContext) -> Iterator[BlockRuns]:
    with closing(BlockRuns(context.resources.backends, context.resources.progress)) as runs:
        yield runs
