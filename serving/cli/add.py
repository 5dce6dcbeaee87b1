"""`moodsearch add`: import audio files as uploads."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.progress import TimeRemainingColumn

from resources.audio.tags import AUDIO_EXTENSIONS
from resources.backends import Backends
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.tracks.uploads import Upload
from resources.errors import BackendError, TrackError
from resources.settings import load_settings
from serving.cli.audio_files import Skipped, find_audio_files
from serving.cli.output import cell, console, table
from serving.cli.progress import progress

THREADS: Final = 4
AHEAD: Final = 4 * THREADS
"""Files handed to the threads before their turn: enough to keep them busy, few enough to stop soon
when the disk is full."""


def run(paths: Sequence[Path]) -> int:
    """Import `paths`. 1 when anything was skipped; the rest is in."""
    found = find_audio_files(paths, AUDIO_EXTENSIONS)
    skipped = found.skipped
    counts: Counter[str] = Counter()
    if found.files:
        with Backends(load_settings()) as backends:
            add = backends.uploads.add
            screen = console(stderr=True)
            disable = len(found.files) < 2 or not screen.is_terminal
            bar = progress(screen, TimeRemainingColumn(), transient=True, disable=disable)
            with bar:
                for path, outcome in bar.track(
                    add_all(add, found.files), len(found.files), description="importing"
                ):
                    if isinstance(outcome, TrackError):
                        skipped.append(Skipped(path, str(outcome)))
                    else:
                        counts["new" if outcome.is_new else "known"] += 1
            # Their names are found at once, also where no API runs that would follow them.
            with suppress(BackendError):  # The API follows later what is not followed now.
                KeywordIndex(backends.database, backends.database_url).follow()
    _report(counts["new"], counts["known"], skipped)
    return 1 if skipped else 0


def add_all(
    add: Callable[[Path], Upload], paths: Sequence[Path]
) -> Iterator[tuple[Path, Upload | TrackError]]:
    """Add every path in a few threads; the outcomes come in the paths' order.

    An error that is not a track's own ends it: what was begun is finished, the rest is left.
    """
    waiting: deque[tuple[Path, Future[Upload]]] = deque()
    remaining = iter(paths)
    with ThreadPoolExecutor(THREADS) as threads:
        try:
            while True:
                while len(waiting) < AHEAD and (path := next(remaining, None)) is not None:
                    waiting.append((path, threads.submit(add, path)))
                if not waiting:
                    return
                path, future = waiting.popleft()
                try:
                    yield path, future.result()
                except TrackError as error:
                    yield path, error
        finally:
            threads.shutdown(cancel_futures=True)


def _report(new: int, known: int, skipped: Sequence[Skipped]) -> None:
    out = console()
    if skipped:
        rows = table("Skipped", "Reason")
        for each in skipped:
            rows.add_row(cell(str(each.path)), cell(each.reason))
        out.print(rows)
    out.print(f"{new} added, {known} already there, {len(skipped)} skipped")
    if new:
        out.print("Next: moodsearch backfill")
    elif not known and not skipped:
        out.print("No audio files found.")
