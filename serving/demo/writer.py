"""The catalogue on disk: copies the shipped files, or transcodes them to another format."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import av

from .catalogue import DEMO_PIECES, DemoPiece
from .encode import FORMATS, encode

Progress = Callable[[int, int], None]

SHIPPED: Final = Path(__file__).parent / "audio"
"""One Opus file for each piece, with its tags."""


def write_catalogue(
    folder: Path,
    *,
    progress: Progress | None = None,
    pieces: Sequence[DemoPiece] = DEMO_PIECES,
) -> list[Path]:
    """Make sure that every piece has its file in `folder`; returns the paths in catalogue order.

    Leaves a piece whose file exists alone, and removes files of the piece in other versions.
    `progress` is told how many files of how many are there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / piece.file_name for piece in pieces]
    for done, (piece, path) in enumerate(zip(pieces, paths, strict=True), start=1):
        _remove_other_versions(piece, folder)
        if not path.exists():
            _write(piece, path)
        if progress:
            progress(done, len(pieces))
    return paths


def _write(piece: DemoPiece, path: Path) -> None:
    """Write one file, which appears under its name only when it is complete."""
    shipped = SHIPPED / piece.shipped_name
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if piece.extension == "opus":
            shutil.copyfile(shipped, unfinished)
        else:
            _transcode(shipped, piece, unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _transcode(shipped: Path, piece: DemoPiece, path: Path) -> None:
    with av.open(str(shipped)) as container:
        stream = container.streams.audio[0]
        encode(container.decode(stream), stream.layout.name, FORMATS[piece.extension], piece, path)


def _remove_other_versions(piece: DemoPiece, folder: Path) -> None:
    for path in folder.glob(f"{piece.name}.v[0-9]*.*"):
        if path.name != piece.file_name:
            path.unlink()
