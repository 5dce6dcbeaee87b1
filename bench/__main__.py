"""`python -m bench`: measure, print a table, and on request write it into the documentation."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import report
from bench.apart import run_apart
from bench.figures import MEBIBYTE, single
from bench.machine import describe
from bench.sounds import make_sounds
from bench.stages import TITLES, Stage, measure_stage
from bench.workplace import Workplace, forget_configuration
from resources.machine.postgres import EmbeddedPostgres


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="A smoke run: every stage, small; figures mean little.")
    ] = False,
    only: Annotated[list[Stage] | None, typer.Option(help="Only this stage; repeatable.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the table into docs/performance.md.")
    ] = False,
) -> None:
    """Measure time, throughput and memory of every stage on this machine."""
    console = Console()
    forget_configuration()
    with _workplace(quick) as workplace:
        machine = describe(workplace.server)
        for name, value in machine.items():
            console.print(f"{name + ':':<14}{value}", highlight=False)
        run_apart(make_sounds, workplace.folder / "sounds", workplace.track_seconds)
        sections = list(_sections(console, workplace, only or list(Stage)))
    if write:
        report.write(report.markdown(_command(quick, only), machine, sections))


def _sections(
    console: Console, workplace: Workplace, names: Sequence[Stage]
) -> Iterator[report.Section]:
    for name in names:
        started = time.monotonic()
        outcome = run_apart(measure_stage, name, workplace)
        peak = single("peak memory of this stage's process", "MiB", outcome.peak_bytes / MEBIBYTE)
        # What these measure is in other processes.
        elsewhere = name in (Stage.MEMORY, Stage.SEARCH, Stage.OVERLOAD, Stage.STARTUP)
        figures = outcome.result if elsewhere else [*outcome.result, peak]
        section = report.Section(TITLES[name], figures)
        report.show(console, section)
        console.print(f"{time.monotonic() - started:.0f} s\n", style="dim")
        yield section


@contextmanager
def _workplace(quick: bool) -> Iterator[Workplace]:
    # PostgreSQL runs as another user when started by root: the folder must let it through.
    folder = Path(tempfile.mkdtemp(prefix="moodsearch-bench-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres(folder / "server") as server:
            yield Workplace(folder, server.url, quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(quick: bool, only: Sequence[str] | None) -> str:
    options = ["--quick"] if quick else []
    return " ".join(["python -m bench", *options, *(f"--only {name}" for name in only or [])])


if __name__ == "__main__":
    typer.run(main)
