"""Tables and amounts for people: colours where the output is a terminal, foreign text never read as
markup."""

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from serving.cli.text import printable

_CENT: Final = 0.01


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


def about(dollars: float) -> str:
    """An estimate inside a sentence: `nothing`, `less than $0.01`, `about $1,234.50`."""
    if dollars == 0:
        return "nothing"
    return f"about {price(dollars)}" if dollars >= _CENT else "less than $0.01"


def price(dollars: float, *, is_most: bool = False) -> str:
    """`$0`, `<$0.01`, `$1,234.50`, `≤$10.54` for an upper bound."""
    if dollars == 0:
        return "$0"
    if dollars < _CENT:
        return "<$0.01"
    return f"{'≤' if is_most else ''}${dollars:,.2f}"
