"""`moodsearch add`: import audio files as uploads."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.progress import TimeRemainingColumn

from assets.outcomes import described, mapped
from resources.audio.tags import AUDIO_EXTENSIONS
from resources.backends import Backends
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.tracks.uploads import Upload
from resources.errors import BackendError, ExcludedError, MoodSearchError, TrackError
from resources.settings import load_settings
from serving.cli.output import cell, console, table
from serving.cli.progress import progress

logger = logging.getLogger(__name__)

THREADS: Final = 4
AHEAD: Final = 4 * THREADS
"""Files handed to the threads before their turn: enough to keep them busy, few enough to stop soon
when the disk is full."""


@dataclass(frozen=True)
class Skipped:
    """A path that is not imported, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FoundFiles:
    """What to import, in order, and what cannot be looked at."""

    files: list[Path] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def run(paths: Sequence[Path]) -> int:
    """Import `paths`. 1 when anything was skipped but what was forgotten; the rest is in."""
    found = find_audio_files(paths, AUDIO_EXTENSIONS)
    skipped = found.skipped
    excluded: list[Skipped] = []
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
                    if isinstance(outcome, ExcludedError):
                        excluded.append(Skipped(path, str(outcome)))
                    elif isinstance(outcome, TrackError):
                        skipped.append(Skipped(path, str(outcome)))
                    else:
                        counts["new" if outcome.is_new else "known"] += 1
            # Their names are found at once, also where no API runs that would follow them.
            with suppress(BackendError):  # The API follows later what is not followed now.
                KeywordIndex(backends.database, backends.database_url).follow()
    _report(counts["new"], counts["known"], skipped, excluded)
    return 1 if skipped else 0


def find_audio_files(paths: Iterable[Path], extensions: Collection[str]) -> FoundFiles:
    """The named files as they are, and the files under the named folders whose lower-case
    extension is among `extensions`, sorted; each once.

    Hidden files and folders inside a named folder are left out: they hold settings, other systems'
    notes on a file (`._song.mp3`), and our own object store.
    """
    found = FoundFiles()
    for path in paths:
        if path.is_dir():
            _walk(path, extensions, found)
        elif path.is_file():
            found.files.append(path)
        else:
            reason = "is not a file" if os.path.lexists(path) else "does not exist"
            found.skipped.append(Skipped(path, reason))
    once = list(dict.fromkeys(found.files))
    return FoundFiles(once, found.skipped)


def _walk(folder: Path, extensions: Collection[str], found: FoundFiles) -> None:
    def unreadable(error: OSError) -> None:
        reason = f"cannot be read: {error.strerror}"
        found.skipped.append(Skipped(Path(error.filename or folder), reason))

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in extensions:
                continue
            if path.is_file():
                found.files.append(path)


def add_all(
    add: Callable[[Path], Upload], paths: Sequence[Path]
) -> Iterator[tuple[Path, Upload | TrackError]]:
    """Add every path in a few threads; the outcomes come in the paths' order.

    What only a person can mend, or a backend that is down, ends it: what was begun is finished, the
    rest is left. Anything else that a file meets is the file's.
    """

    def outcome(path: Path) -> tuple[Path, Upload | TrackError]:
        try:
            return path, add(path)
        except TrackError as error:
            return path, error
        except MoodSearchError:
            raise
        except OSError as error:  # It went away, or its disk fails.
            return path, TrackError(f"cannot be read: {error.strerror or error}")
        except Exception as error:
            logger.warning("%s met an unexpected error", path, exc_info=True)
            return path, TrackError(described(error))

    with (
        ThreadPoolExecutor(THREADS) as threads,
        closing(mapped(threads, outcome, paths, AHEAD)) as outcomes,
    ):
        yield from outcomes


def _report(new: int, known: int, skipped: Sequence[Skipped], excluded: Sequence[Skipped]) -> None:
    out = console()
    if skipped or excluded:
        rows = table("Skipped", "Reason")
        for each in [*skipped, *excluded]:
            rows.add_row(cell(str(each.path)), cell(each.reason))
        out.print(rows)
    forgotten = f", {len(excluded)} forgotten" if excluded else ""
    out.print(f"{new} added, {known} already there, {len(skipped)} skipped{forgotten}")
    if new:
        out.print("Next: moodsearch backfill")
    elif not known and not skipped and not excluded:
        out.print("No audio files found.")
