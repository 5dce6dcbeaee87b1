"""Local files that are to be stored."""

import os
from errno import EIO
from pathlib import Path
from typing import BinaryIO

from resources.errors import UserError


def open_source(path: Path) -> BinaryIO:
    """Open a local file for reading; `UserError` when that is not possible."""
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(f"Could not read {path}: {os.strerror(error.errno or EIO)}") from error
