"""`moodsearch backfill`: do everything that is pending, now, with the assets that Dagster runs."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TaskID, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pipelines.backfill import BackfillResult, backfill, plan, reclassify
from pipelines.models import begin, begin_by_itself, begins_by_itself, kept_equal, wanted
from pipelines.reconcile import index_differs, reconcile_index
from resources.backends import Backends
from resources.catalogue.work.generations import OtherModel
from resources.catalogue.work.pending import PendingTrack, Step
from resources.settings import load_settings
from serving.cli.cost_figures import PaidSteps, cost_of
from serving.cli.output import about, cell
from serving.cli.progress import progress

LISTED: Final = 20
"""Rows of the dry run's and the failures' lists; the rest is counted."""

_WHAT: Final[dict[Step | None, str]] = {
    "probe": "read, embed and index",
    "embed": "embed and index",
    "index": "index again (title, artist or index changed)",
    "remove": "remove from the index",
    None: "classify genres",
}

_SHARE: Final = {"track_audio": 0.1, "clap_embeddings": 0.8, "search_index": 0.1}
"""About how much of a track's time each asset takes, for the bar."""


def run(
    *,
    dry_run: bool,
    limit: int | None,
    concurrency: int | None,
    retry_failed: bool,
    genres_again: bool,
) -> int:
    """`limit`: most tracks to work on; `concurrency`: of them at once. Returns the exit code: 1
    when something that was to be done was not."""
    console = Console()
    with Backends(load_settings(), create=not dry_run) as backends:
        if not dry_run:
            tried_with = None if retry_failed else backends.tried_with
            backends.records.forget_failures(but_tried_with=tried_with)
        again, codes = 0, []
        for each in _to_be_complete(console, backends, dry_run=dry_run):
            if index_differs(each):
                _say_that_the_index_differs(console, each, dry_run)
            if genres_again and _is_live(each):
                again = reclassify(each, limit, dry_run=dry_run)
            tracks = plan(each, limit)
            if dry_run:
                _print_plan(console, tracks, again)
                _print_costs(console, each, tracks, again)
            elif tracks or not _is_live(each):
                codes.append(run_plan(console, each, tracks, concurrency))
        if not dry_run and not codes:
            console.print("Nothing is pending: the index is up to date.")
            _print_failures(console, backends)
        return max(codes, default=0)


def _to_be_complete(console: Console, backends: Backends, *, dry_run: bool) -> list[Backends]:
    """Those of each index to be completed: of what answers, and of what is being built."""
    if backends.generations.live() is None:
        if not dry_run:
            begin(backends)
        return [backends]
    model = wanted(backends)
    other = backends.generations.other_model(model.track_model)
    is_new = model.generations.find(model.track_model) is None and begins_by_itself(backends)
    if is_new and not dry_run:
        begin_by_itself(backends)
    if other is not None:
        _say_what_is_built(console, other, is_new, dry_run)
    return [*kept_equal(backends), *([model] if is_new and dry_run else [])]


def _is_live(backends: Backends) -> bool:
    found = backends.generations.find(backends.track_model)
    return found is None or found.is_live


def _say_what_is_built(console: Console, other: OtherModel, is_new: bool, dry_run: bool) -> None:
    """Before a backfill that may take hours and replaces what answers."""
    said = f"{other}."
    if is_new:
        said = (
            f"Searches are answered by {other.live.name}. An index of {other.configured_name}"
            f" {'would be' if dry_run else 'is'} built beside it, and takes over when complete."
        )
    console.print(Text(said), soft_wrap=True)


def _say_that_the_index_differs(console: Console, backends: Backends, dry_run: bool) -> None:
    if dry_run:
        console.print("The index does not match the records; a backfill would repair it.")
        return
    differed = reconcile_index(backends)
    console.print(f"{differed} tracks of the index were not as recorded; they are indexed again.")


def run_plan(
    console: Console, backends: Backends, wanted: Sequence[PendingTrack], concurrency: int | None
) -> int:
    """Work on `wanted` behind a progress bar and print what was done. Returns the exit code."""
    started = time.monotonic()
    with progress(console, _TracksPerSecond(), TimeRemainingColumn()) as shown:
        bar = _Bar(shown, shown.add_task("Indexing", total=len(wanted)))
        result = backfill(
            backends, list(wanted), progress=bar, concurrency=concurrency, block_done=bar.block_done
        )
    waiting = _still_pending(backends, wanted)
    _print_summary(console, backends, waiting, result, time.monotonic() - started)
    return 1 if result.errors or waiting else 0


@dataclass
class _Bar:
    """Tells a progress bar which tracks are `done`."""

    shown: Progress
    task: TaskID
    done: int = 0

    def advance(self, asset: str, tracks: int) -> None:
        self.shown.advance(self.task, _SHARE.get(asset, 0.0) * tracks)

    def block_done(self, tracks: int) -> None:
        """Steps that a track did not need were not counted: set the bar right."""
        self.done += tracks
        self.shown.update(self.task, completed=self.done)


class _TracksPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} tracks/s", style="cyan")


def _print_plan(console: Console, wanted: Sequence[PendingTrack], again: int) -> None:
    if again:
        console.print(f"{again:,} tracks that another classifier classified would be done again.")
    if not wanted:
        if not again:
            console.print("Nothing is pending: the index is up to date.")
        return
    table = Table(
        "track", "title", "what would be done", title=f"{len(wanted)} tracks would be worked on"
    )
    for track in wanted[:LISTED]:
        table.add_row(str(track.track_id), cell(track.title or "(deleted)"), _WHAT[track.step])
    console.print(table)
    for step, count in Counter(track.step for track in wanted).items():
        console.print(f"{count:>8}  {_WHAT[step]}")
    listed = f"The first {LISTED} are listed. " if len(wanted) > LISTED else ""
    console.print(f"{listed}Nothing was changed.")


def _still_pending(backends: Backends, wanted: Sequence[PendingTrack]) -> list[PendingTrack]:
    """Of what was to be done, what could not be."""
    planned = {track.track_id for track in wanted}
    blocks = {backends.work.block_of(track_id) for track_id in planned}
    left = (track for block in sorted(blocks) for track in backends.work.pending(block))
    return [track for track in left if track.track_id in planned and track.step is not None]


def _print_summary(
    console: Console,
    backends: Backends,
    waiting: Sequence[PendingTrack],
    result: BackfillResult,
    seconds: float,
) -> None:
    done = result.planned - len(waiting)
    rate = done / seconds if seconds else 0.0
    console.print(
        f"{done} of {result.planned} tracks done in {seconds:.1f} s ({rate:.1f} tracks/s), "
        f"{result.embedded} embedded, {backends.vectors.count()} in the index."
    )
    for block, reason in result.errors.items():
        console.print(Text(f"Block {block} failed: {reason}", style="red"), soft_wrap=True)
    if waiting:
        console.print(f"{len(waiting)} tracks are still pending; `moodsearch doctor` says why.")
        for reason in _reasons(backends, waiting):
            console.print(cell(f"  {reason}"), soft_wrap=True)
    _print_failures(console, backends)


def _print_costs(
    console: Console, backends: Backends, wanted: Sequence[PendingTrack], again: int
) -> None:
    """Nothing where nobody would be paid."""
    dollars = cost_of(backends.settings, PaidSteps.of(wanted, reclassified=again))
    if dollars:
        console.print(f"At published prices this costs {about(dollars)}: moodsearch costs.")


def _reasons(backends: Backends, waiting: Sequence[PendingTrack]) -> list[str]:
    """Why tracks are waiting, each reason once."""
    blocks = {backends.work.block_of(track.track_id) for track in waiting}
    found = {
        reason
        for block in blocks
        for reason in backends.attempts.tried_in_vain("index", block).values()
    }
    return sorted(found)[:LISTED]


def _print_failures(console: Console, backends: Backends) -> None:
    failed = backends.records.failed(limit=LISTED + 1)
    if not failed:
        return
    table = Table("track", "title", "reason", title="Audio that cannot be used")
    for track in failed[:LISTED]:
        table.add_row(str(track.track_id), cell(track.title), cell(track.reason))
    console.print(table)
    if len(failed) > LISTED:
        console.print(f"The first {LISTED} are listed.")
    console.print("They are tried again when their file changes, or by: backfill --retry-failed")
