"""Doing everything that is pending now, in this process, with the assets that Dagster runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import dagster as dg

from assets.block_run import INDEX_TAG, Progress
from assets.blocks import TRACK_BLOCKS
from assets.model import take_over_when_fit
from pipelines.definitions import defs
from pipelines.instance import dagster_instance
from pipelines.jobs import JOB_NAMES, JOBS, config_of_run
from pipelines.models import begin
from pipelines.runs import LAUNCHED_BY_TAG, fail_dead_runs, process_tags
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import Job, PendingTrack
from resources.errors import first_line

LAUNCHED_BY: Final = "moodsearch backfill"
"""Who launched the runs, for Dagster's list of runs."""


@dataclass
class BackfillResult:
    """What a backfill did. `errors`: why a block's run failed, by its key."""

    planned: int = 0
    embedded: int = 0
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Counting:
    """Passes progress on and counts what was embedded."""

    listener: Progress
    counts: Counter[str]

    def advance(self, asset: str, tracks: int) -> None:
        self.counts[asset] += tracks
        self.listener.advance(asset, tracks)


def plan(backends: Backends, limit: int | None = None) -> list[PendingTrack]:
    """What a backfill would do, by track id. Changes nothing."""
    return backends.work.pending_everywhere(limit)


def reclassify(backends: Backends, limit: int | None = None, *, dry_run: bool = False) -> int:
    """Ask for the genres of tracks that another classifier than the configured one classified, up
    to `limit` tracks together with what is pending anyway. Returns how many; a `dry_run` asks for
    nothing.

    Only a backfill does so: a changed setting must not pay for a whole catalogue again. What was
    asked for stays pending until it is done, whoever does it.
    """
    pending = set() if limit is None else {track.track_id for track in plan(backends, limit)}
    room = None if limit is None else limit - len(pending)
    tracks = backends.classified_by.others_than(backends.classifier.name, room)
    if not dry_run:
        backends.classified_by.ask_again(tracks)
    return len(tracks)


def backfill(
    backends: Backends,
    tracks: list[PendingTrack],
    *,
    progress: Progress,
    concurrency: int | None = None,
    block_done: Callable[[int], None] = lambda _: None,
) -> BackfillResult:
    """Work on `tracks` (from `plan`), block by block, then on their genres.

    `concurrency`: tracks fetched and decoded at once. `block_done` is told how many tracks of the
    plan were in each block that was worked on. A block whose run fails does not stop the others.

    Where the live index is another model's, the one of the backends' model is built beside it and
    takes over when it is complete; genres are those of the live one. Raises as `begin` does.
    """
    generation = begin(backends)
    common: dict[str, object] = {}
    tags = process_tags() | {LAUNCHED_BY_TAG: LAUNCHED_BY}
    if generation.is_building:
        common["namespace"] = tags[INDEX_TAG] = generation.namespace
    if concurrency is not None:
        common["concurrency"] = concurrency
    jobs: Sequence[Job] = ("index", "genres") if generation.is_live else ("index",)
    result = BackfillResult(planned=len(tracks))
    counts: Counter[str] = Counter()
    overrides = {"backends": backends, "progress": _Counting(progress, counts)}
    with dagster_instance(backends) as instance:
        fail_dead_runs(instance)
        while backends.work.absorb_changes():
            pass  # What is done below must not be asked for again by the sensors.
        by_block = groupby(tracks, key=lambda track: backends.work.block_of(track.track_id))
        blocks = {block: list(group) for block, group in by_block}
        instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), [block.key for block in blocks])
        for block, group in blocks.items():
            config = {**common, "track_ids": [track.track_id for track in group]}
            for job in jobs:
                error = _run(instance, job, block, config, tags, overrides)
                if error is not None:
                    result.errors[block.key] = error
                    break
            block_done(len(group))
    # Also where nothing was left that only the live index holds: no run says so.
    take_over_when_fit(backends)
    result.embedded = counts["clap_embeddings"]
    return result


def _run(
    instance: dg.DagsterInstance,
    job: Job,
    block: Block,
    config: Mapping[str, object],
    tags: Mapping[str, str],
    overrides: dict[str, object],
) -> str | None:
    """Run a job on the tracks of one block; returns why it failed."""
    outcome = defs.resolve_job_def(JOB_NAMES[job]).execute_in_process(
        instance=instance,
        partition_key=block.key,
        run_config={
            **config_of_run(JOBS[job], config),
            # Who runs this watches `progress`; the event log is in Dagster's UI.
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        resources=overrides,
        tags=dict(tags),
        raise_on_error=False,
    )
    return None if outcome.success else _why(outcome)


def _why(outcome: dg.ExecuteInProcessResult) -> str:
    """The innermost reason of the first step that failed, in one line."""
    for event in outcome.all_events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        if data.user_failure_data is not None and data.user_failure_data.description:
            return str(data.user_failure_data.description)
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return first_line(error.message)
    return "the run failed; the Dagster UI shows why"
