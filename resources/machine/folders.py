"""Folders of ours, closed to the machine's other users: a home holds music that is nobody else's,
listeners' flags and what is logged of runs."""

import os
import stat
from pathlib import Path
from typing import Final

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_private(path: Path) -> None:
    """Make `path` and the missing folders above it, each open to this user alone. One that is there
    stays as it is: it may be meant for others, too. Raises `OSError`."""
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)


def make_passable(path: Path) -> None:
    """Let a program that this user starts as another user pass through the folders above `path`, by
    name and without listing them. It keeps this user's groups, so where a folder is of one of them,
    that group alone may pass; else everybody."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & _passing(folder):
            folder.chmod(mode | _passing(folder))


def open_to_others(path: Path) -> bool:
    """Whether other users may do more in `path` than pass through it, where that is needed: root's
    embedded PostgreSQL runs as a user of its own."""
    needed = _passing(path) if os.geteuid() == 0 else 0
    return bool(path.stat().st_mode & OTHERS & ~needed)


def _passing(folder: Path) -> int:
    is_of_ours = folder.stat().st_gid in {os.getegid(), *os.getgroups()}
    return stat.S_IXGRP if is_of_ours else stat.S_IXOTH
