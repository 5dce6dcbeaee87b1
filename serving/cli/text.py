"""Text for a terminal: what comes from outside made harmless, and errors on one line."""

import sys
from typing import Final

import typer

from resources.errors import one_line

_JOINERS: Final = "\u200c\u200d"
"""Invisible, but parts of words and emoji; they move nothing."""


def printable(text: str) -> str:
    """`text` on one line without control characters, direction marks or halves of surrogate pairs:
    those are shown as escapes, so that a file's name or a tag cannot steer the terminal."""
    return "".join(c if c.isprintable() or c in _JOINERS else _escape(c) for c in text)


def print_error(message: str) -> None:
    """One line on standard error, red on a terminal."""
    sys.stdout.flush()
    typer.secho(f"error: {printable(one_line(message))}", fg="red", err=True)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
