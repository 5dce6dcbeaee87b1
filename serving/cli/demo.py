"""`moodsearch demo`: a catalogue of our own making, searchable by mood."""

import os
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from pipelines.backfill import plan
from pipelines.reconcile import index_differs, reconcile_index
from resources.backends import Backends
from resources.machine.postgres import cannot_write
from resources.settings import load_settings
from serving.cli import up
from serving.cli.backfill import run_plan
from serving.cli.progress import progress
from serving.demo import DEMO_PIECES, DEMO_QUERIES, write_catalogue
from serving.demo.home import demo_command, demo_environment
from serving.search.semantic import SearchAnswer, SemanticSearch
from serving.search.shown_similarity import ShownScale, shown_scale

TOP: Final = 5
_STYLES: Final = {piece.title: piece.style for piece in DEMO_PIECES}


def run(serve: bool) -> int:
    """Returns the exit code: 1 when the demo catalogue could not be indexed or found."""
    console = Console()
    environment = demo_environment(load_settings())
    os.environ.update(environment)  # For the programs that up starts, too.
    with Backends(load_settings()) as backends:
        files = _write(console, backends.settings.moodsearch_home / "pieces")
        _add(console, backends, files)
        if index_differs(backends):
            differed = reconcile_index(backends)
            console.print(f"{differed} tracks of the index were not as recorded.")
        wanted = plan(backends)
        code = run_plan(console, backends, wanted, None) if wanted else 0
        if not wanted:
            console.print("Everything is indexed already.")
        if not _search(console, backends):
            code = 1
    if serve and code == 0:
        return up.run("127.0.0.1", 8000, 3000, command=demo_command(environment))
    if code == 0:
        console.print(
            "Next: moodsearch demo --serve, for the page where all this is searched and heard."
        )
    return code


def _write(console: Console, folder: Path) -> list[Path]:
    """Write the pieces' files that are not there yet."""
    styles = len({piece.style for piece in DEMO_PIECES})
    console.print(
        f"{len(DEMO_PIECES)} short pieces in {styles} styles,"
        " made by this project's own synthesisers:"
    )
    with progress(console, TimeElapsedColumn()) as bar:
        task = bar.add_task("Writing", total=len(DEMO_PIECES))
        try:
            return write_catalogue(
                folder, progress=lambda done, total: bar.update(task, completed=done, total=total)
            )
        except OSError as error:
            raise cannot_write(folder, error) from None


def _add(console: Console, backends: Backends, files: list[Path]) -> None:
    with progress(console, TimeElapsedColumn()) as bar:
        for file in bar.track(files, description="Adding "):
            backends.uploads.add(file)


def _search(console: Console, backends: Backends) -> bool:
    """Whether every query found something."""
    search = SemanticSearch(backends)
    scale = shown_scale(search.model)
    found = True
    for query in DEMO_QUERIES:
        answer = search.search(query.query, TOP)
        _print_answer(console, answer, scale)
        found = found and bool(answer.results)
    return found


def _print_answer(console: Console, answer: SearchAnswer, scale: ShownScale) -> None:
    if not answer.results:
        reason = answer.reason or "nothing was found"
        console.print(Text(f'"{answer.query}": {reason}', style="red"))
        return
    numbers = [Column(heading, justify="right") for heading in ("#", "similarity")]
    headings = (numbers[0], "title", "artist", "composed as", numbers[1])
    title = Text(f'"{answer.query}"')
    table = Table(*headings, title=title, title_justify="left", min_width=64)
    for rank, result in enumerate(answer.results, start=1):
        table.add_row(
            str(rank),
            Text(result.title),
            Text(result.artist_display_name),
            _STYLES.get(result.title, ""),
            f"{scale.percent(result.similarity)} %",
        )
    console.print(table)
