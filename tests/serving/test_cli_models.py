"""`moodsearch models`, and the model that a person chooses for their own library."""

import shutil
from pathlib import Path

import pytest

from resources.backends import Backends
from resources.settings import load_settings
from tests.audio.files import float_wav, noise
from tests.serving.command import ROOT, Command

FIXTURE = ROOT / "tests" / "embedding" / "clap_fixture"


@pytest.fixture
def clap(tmp_path: Path) -> str:
    """A folder with a second model: CLAP's towers, small."""
    return str(shutil.copytree(FIXTURE, tmp_path / "clap"))


@pytest.fixture
def indexed(moodsearch: Command, tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    path.write_bytes(float_wav(noise(0.5, 48_000, 1, 1), 48_000))
    assert moodsearch("add", str(path)).status == 0
    assert moodsearch("backfill").status == 0


def rows(moodsearch: Command) -> list[str]:
    """Of the list, below its headings."""
    lines = [line.strip() for line in moodsearch("models", "list").output.splitlines()]
    rule = next(at for at, line in enumerate(lines) if line.startswith("─"))
    return [line for line in lines[rule + 1 :] if line]


def states(moodsearch: Command) -> list[str]:
    """The last column of the list."""
    return [row.split("  ")[-1].strip() for row in rows(moodsearch)]


def test_before_anything_is_indexed_there_is_no_model(moodsearch: Command) -> None:
    with Backends(load_settings()):
        assert moodsearch("models", "list").output == "Nothing was indexed yet.\n"


@pytest.mark.slow
@pytest.mark.usefixtures("indexed")
def test_a_model_is_built_answers_is_rolled_back_and_dropped(
    moodsearch: Command, clap: str
) -> None:
    assert states(moodsearch) == ["answers"]
    built = moodsearch("models", "build", clap)
    assert built.status == 0, built.errors
    assert "is built beside that of mood-search/offline" in built.output
    assert built.output.rstrip().endswith("answers from now on.")
    first, second = states(moodsearch)
    assert first == "answers"
    assert second.startswith("replaced")
    assert moodsearch("search", "white noise").status == 0
    assert moodsearch("models", "rollback").status == 0
    assert rows(moodsearch)[0].startswith("offline")
    assert moodsearch("models", "drop", "offline").status == 1
    assert moodsearch("models", "promote", clap).status == 0
    dropped = moodsearch("models", "drop", "offline")
    assert dropped.status == 0
    assert "building it again embeds nothing" in dropped.output
    assert states(moodsearch) == ["answers"]
    assert moodsearch("models", "rollback").status == 1


@pytest.mark.slow
@pytest.mark.usefixtures("indexed")
def test_an_incomplete_index_is_not_promoted(moodsearch: Command, clap: str) -> None:
    with Backends(load_settings(clap_model=clap)) as other:
        other.generations.start_building(other.track_model)
    refused = moodsearch("models", "promote", clap)
    assert refused.status == 1
    assert refused.is_one_error_line
    assert "lacks 1 tracks" in refused.errors
    assert "1 tracks to go" in moodsearch("models", "list").output
    assert moodsearch("models", "drop", clap).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("promote", "none"), "there is no index of none"),
        (("drop", "none"), "there is no index of none"),
        (("rollback",), "no index was replaced"),
        (("build", "nonsense"), "CLAP_MODEL: must be offline, owner/name"),
        (("build", "offline", "--precision", "int3"), "CLAP_PRECISION"),
        (("build", "/no/such/folder"), "/no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    moodsearch: Command, arguments: tuple[str, ...], said: str
) -> None:
    with Backends(load_settings()) as backends:
        backends.generations.open(backends.track_model)
    outcome = moodsearch("models", *arguments)
    assert outcome.status == 1
    assert outcome.is_one_error_line, outcome.errors
    assert said in outcome.errors


def test_beside_an_app_nobody_chooses_a_model_for_a_library_of_their_own(
    moodsearch: Command,
) -> None:
    outcome = moodsearch("up", "--model", "clap")
    assert outcome.status == 1
    assert outcome.is_one_error_line
    assert "moodsearch models build" in outcome.errors
