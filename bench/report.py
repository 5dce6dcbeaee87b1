"""The figures as a table: on the terminal, and in the documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, readable

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN: Final = "<!-- bench: begin (written by `python -m bench --write`) -->"
END: Final = "<!-- bench: end -->"
_HEADINGS: Final = ("", "median", "unit", "lowest – highest", "n")


@dataclass(frozen=True)
class Section:
    """A stage's figures."""

    title: str
    figures: Sequence[Figure]


def show(console: Console, section: Section) -> None:
    """Print one stage."""
    table = Table(title=section.title, title_justify="left")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right" if heading in ("median", "n") else "left")
    for figure in section.figures:
        table.add_row(*_cells(figure))
    console.print(table)


def markdown(command: str, machine: Mapping[str, str], sections: Sequence[Section]) -> str:
    """All stages, with the machine and the command."""
    lines = [f"`{command}`", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    for section in sections:
        lines += ["", f"### {section.title}", ""]
        lines += [f"| {' | '.join(_HEADINGS)} |", "|---|---:|---|---|---:|"]
        lines += [f"| {' | '.join(_cells(figure))} |" for figure in section.figures]
    return "\n".join(lines)


def write(text: str, document: Path = DOCUMENT) -> None:
    """Replace what is between the document's markers. Raises `ValueError` when it has none."""
    old = document.read_text()
    if BEGIN not in old or END not in old:
        raise ValueError(f"{document.name} has no place for the figures")
    before, rest = old.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    return (
        figure.name,
        readable(figure.median),
        figure.unit,
        figure.spread,
        str(len(figure.values)),
    )
