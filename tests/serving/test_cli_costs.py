"""`moodsearch costs`."""

import json

import pytest

from resources.backends import Backends
from resources.costs.ledger import Usage
from resources.costs.measures import Measure
from resources.settings import load_settings
from serving.cli.output import about, price
from tests.catalogue.rows import add_track
from tests.fakes.replicate import TOKEN
from tests.serving.command import Command


def add_tracks(count: int) -> None:
    with Backends(load_settings()) as backends:
        for number in range(count):
            add_track(backends.database, file_id=f"file-{number}")


def on_replicate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLICATE_ENABLED", "true")
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)


def rows(output: str) -> list[list[str]]:
    """Words of the lines of tables."""
    return [line.split() for line in output.splitlines() if line.startswith(" ")]


def test_with_the_defaults_nobody_charges(moodsearch: Command) -> None:
    add_tracks(2)
    outcome = moodsearch("costs")
    assert outcome.status == 0, outcome.errors
    assert outcome.output.startswith("Nothing leaves this machine")
    assert ["genres", "zero-shot", "*", "$0", "$0", "$0", "$0", "$0"] in rows(outcome.output)
    assert ["genres", "Replicate", "<$0.01", "$0.20", "$0", "$0", "$0"] in rows(outcome.output)
    assert "all 2 public tracks" in outcome.output
    assert "Left to do: embedding of 2 tracks." in outcome.output
    assert "nothing was used that costs money" in outcome.output


def test_it_fits_a_terminal_of_80_columns(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    on_replicate(monkeypatch)
    output = moodsearch("costs").output
    assert ["genres", "Replicate", "*", "$0", "$0.20", "$0", "$0", "$0"] in rows(output)
    assert [line for line in rows(output) if line and line[0] == "vectors"][1][1] == "turbopuffer"


def test_what_is_left_has_a_price(moodsearch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    on_replicate(monkeypatch)
    add_tracks(60)
    outcome = moodsearch("costs")
    assert outcome.output.startswith("At prices published in")
    assert "Left to do: genres of 60 tracks, about $0.01." in outcome.output


def test_what_was_used_is_shown_with_what_it_cost_even_after_it_was_switched_off(
    moodsearch: Command,
) -> None:
    with Backends(load_settings()) as backends:
        used = {Measure.REPLICATE_PREDICTIONS: 575.0, Measure.REPLICATE_SECONDS: 1150.0}
        Usage(backends.database).add(used)
        Usage(backends.database).add({Measure.MODAL_TEXT_REQUESTS: 1.0}, [(1000.0, 1002.0)])
    outcome = moodsearch("costs")
    assert "575 predictions, 1,150 s of computing" in outcome.output
    assert "$0.12" in outcome.output
    assert "1 texts" not in outcome.output
    assert "1 text, about 302 s of containers" in outcome.output


def test_json_has_the_same_figures_without_rounding(moodsearch: Command) -> None:
    with Backends(load_settings()) as backends:
        Usage(backends.database).add({Measure.REPLICATE_SECONDS: 3.0})
    add_tracks(1)
    outcome = moodsearch("costs", "--json")
    assert outcome.status == 0
    found = json.loads(outcome.output)
    assert (found["tracks"], found["leaves_this_machine"]) == (1, False)
    (line,) = [line for line in found["lines"] if line["service"] == "replicate"]
    assert line["in_use"] is False
    assert line["estimated"]["backfill"] == pytest.approx(0.0002)
    assert line["measured"]["amounts"] == {"seconds": 3.0}
    assert line["measured"]["dollars"] == pytest.approx(0.0003)


def test_a_database_that_is_down_is_one_line_and_a_wrong_option_is_usage(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert moodsearch("costs", "--jsno").status == 2
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@127.0.0.1:1/app")
    outcome = moodsearch("costs")
    assert outcome.status == 1
    assert outcome.is_one_error_line


def test_no_secret_is_shown(moodsearch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    on_replicate(monkeypatch)
    assert TOKEN not in moodsearch("costs").output + moodsearch("costs", "--json").output


def test_a_dry_run_says_the_price_and_what_would_be_classified_again(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tracks(60)
    assert "At published prices" not in moodsearch("backfill", "--dry-run").output
    on_replicate(monkeypatch)
    outcome = moodsearch("backfill", "--dry-run", "--reclassify")
    assert outcome.status == 0
    assert "At published prices this costs about $0.01" in outcome.output


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [(0.0, "$0"), (0.0001, "<$0.01"), (0.01, "$0.01"), (1234.5, "$1,234.50")],
)
def test_prices_are_written_as_people_do(dollars: float, shown: str) -> None:
    assert price(dollars) == shown


def test_estimates_read_as_a_sentence() -> None:
    assert [about(dollars) for dollars in (0.0, 0.001, 2.0)] == [
        "nothing",
        "less than $0.01",
        "about $2.00",
    ]


def test_an_upper_bound_is_marked() -> None:
    assert price(10.5, is_most=True) == "≤$10.50"
    assert price(0.0, is_most=True) == "$0"
