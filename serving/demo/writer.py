"""The catalogue on disk: composes what is missing, several pieces at a time."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from .catalogue import DEMO_PIECES
from .composer import compose
from .encode import encode
from .pieces import DemoPiece

Progress = Callable[[int, int], None]

_MOST_WORKERS: Final = 8


def write_catalogue(
    folder: Path,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    pieces: Sequence[DemoPiece] = DEMO_PIECES,
) -> list[Path]:
    """Make sure that every piece has its file in ``folder``; returns the paths in catalogue order.

    A piece whose file exists is left alone; the recipe's version is part of each file name, so a
    changed recipe is composed anew, and the file of the older one is removed. ``progress`` is told
    how many files of how many are there. ``workers`` processes share the work (by default one per
    processor this process may use); with one, or where processes cannot be started, all of it
    happens in this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for piece in pieces:
        _remove_older(piece, folder)
    report = progress or (lambda _done, _total: None)
    paths = [folder / piece.file_name for piece in pieces]
    missing = [piece for piece, path in zip(pieces, paths, strict=True) if not path.exists()]
    report(len(pieces) - len(missing), len(pieces))
    count = min(workers or _processors(), len(missing), _MOST_WORKERS)
    if count > 1:
        try:
            _write_in_processes(missing, folder, count, report, len(pieces))
        except (BrokenProcessPool, OSError):
            # A sandbox without semaphores or process creation: slower, but the same files.
            missing = [piece for piece in missing if not (folder / piece.file_name).exists()]
        else:
            return paths
    for index, piece in enumerate(missing):
        write_piece(piece, folder)
        report(len(pieces) - len(missing) + index + 1, len(pieces))
    return paths


def write_piece(piece: DemoPiece, folder: Path) -> Path:
    """Compose and encode one piece; the file appears under its name only when it is complete."""
    path = folder / piece.file_name
    unfinished = folder / f".{piece.file_name}.{os.getpid()}.part"
    try:
        encode(piece, compose(piece), unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _write_in_processes(
    missing: list[DemoPiece], folder: Path, count: int, report: Progress, total: int
) -> None:
    # "spawn" because a forked child of a process with threads can deadlock.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(write_piece, piece, folder) for piece in missing]
        for done, future in enumerate(as_completed(running), start=1):
            future.result()
            report(total - len(missing) + done, total)


def _remove_older(piece: DemoPiece, folder: Path) -> None:
    name = piece.file_name.partition(".v")[0]
    for path in folder.glob(f"{name}.v[0-9]*.*"):
        if path.name != piece.file_name:
            path.unlink()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
