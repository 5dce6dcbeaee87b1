"""Which files an import looks at."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path


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
