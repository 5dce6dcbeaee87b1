"""`moodsearch costs`: what this catalogue costs, estimated at published prices and as measured."""

import json
from dataclasses import asdict
from typing import Final

import typer
from rich.console import Console

from resources.backends import Backends
from resources.settings import load_settings
from serving.cli.cost_figures import Costs, Line, Measured, costs
from serving.cli.output import about, console, price, table

_AMOUNTS: Final = {
    "predictions": "{} prediction{s}",
    "seconds": "{} s of computing",
    "untimed_predictions": "{} prediction{s} of unknown length",
    "audio_requests": "{} window{s} of audio",
    "text_requests": "{} text{s}",
    "container_seconds": "about {} s of containers",
    "writes": "{} write{s}",
    "written_bytes": "{} bytes written",
    "queries": "{} quer{ies}",
    "returned_bytes": "{} bytes returned",
}
"""What people are shown of the measures; JSON has all of them."""


def run(*, as_json: bool) -> int:
    with Backends(load_settings(), create=False) as backends:
        found = costs(backends)
    if as_json:
        answer = {**asdict(found), "leaves_this_machine": found.leaves_this_machine}
        typer.echo(json.dumps(answer))
    else:
        _print(console(), found)
    return 0


def _print(out: Console, found: Costs) -> None:
    out.print(_first_line(found), soft_wrap=True)
    _print_estimates(out, found)
    _print_left(out, found)
    _print_measured(out, found)


def _first_line(found: Costs) -> str:
    if found.leaves_this_machine:
        return f"At prices published in {found.prices_of}, in US dollars:"
    return (
        "Nothing leaves this machine, so it costs nothing. With the services below it "
        f"would cost, at prices published in {found.prices_of}, in US dollars:"
    )


def _print_estimates(out: Console, found: Costs) -> None:
    headings = ("For", "With", ">Backfill", ">Uploads", ">Queries", ">Storage", ">Minimum")
    rows = table(*headings)
    for line in found.lines:
        estimated = line.estimated
        rows.add_row(
            line.purpose,
            f"{line.backend} *" if line.in_use else line.backend,
            price(estimated.backfill),
            price(estimated.per_1000_tracks, is_most=estimated.is_most),
            price(estimated.per_1000_queries, is_most=estimated.is_most),
            price(estimated.storage_per_month),
            price(estimated.minimum_per_month),
        )
    out.print(rows)
    tracks = "the 1 public track" if found.tracks == 1 else f"all {found.tracks:,} public tracks"
    out.print(
        f"* in use. Backfill: {tracks}, once. Uploads, queries: 1,000 of each. Storage, minimum: a"
        " month.",
        soft_wrap=True,
    )
    for line in found.lines:
        if line.note:
            out.print(f"{line.backend}: {line.note}.", soft_wrap=True)


def _print_left(out: Console, found: Costs) -> None:
    for line in found.lines:
        if line.in_use and line.left:
            cost = f", {about(line.left_dollars)}" if line.service else ""
            tracks = "1 track" if line.left == 1 else f"{line.left:,} tracks"
            out.print(f"Left to do: {line.purpose} of {tracks}{cost}.", soft_wrap=True)


def _print_measured(out: Console, found: Costs) -> None:
    measured = [(line, line.measured) for line in found.lines if line.measured is not None]
    if not measured:
        out.print("Measured so far: nothing was used that costs money.")
        return
    rows = table("Measured", "Since", "What was used", ">Dollars")
    for line, amounts in measured:
        rows.add_row(line.backend, amounts.since, _used(amounts), _paid(line, amounts))
    out.print(rows)


def _used(measured: Measured) -> str:
    shown = []
    for name, text in _AMOUNTS.items():
        amount = round(measured.amounts.get(name, 0.0))
        if amount:
            one = amount == 1
            plural = {"s": "" if one else "s", "ies": "y" if one else "ies"}
            shown.append(text.format(f"{amount:,}", **plural))
    return ", ".join(shown) or "next to nothing"


def _paid(line: Line, measured: Measured) -> str:
    """Months of the minimum are not added: who else uses the account is not known."""
    beside = " and the minimum" if line.estimated.minimum_per_month else ""
    return price(measured.dollars) + beside
