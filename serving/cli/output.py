"""Tables for people: colours where the output is a terminal, foreign text never read as markup."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from serving.cli.text import printable


def cell(text: str, style: str = "") -> Text:
    """Foreign text for a table, never read as markup."""
    return Text(printable(text), style=style, overflow="fold")


def table(*headings: str) -> Table:
    """A table with `headings`; those that begin with `>` are aligned to the right."""
    found = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        number = heading.startswith(">")
        found.add_column(
            heading.removeprefix(">"), justify="right" if number else "left", overflow="fold"
        )
    return found


def console(*, stderr: bool = False) -> Console:
    """Plain and without colour when the stream is not a terminal."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
