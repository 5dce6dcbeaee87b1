"""Where a catalogue is kept: one home for a user, one for the demo, and none where nothing but
reading was asked for."""

from pathlib import Path

import platformdirs
import psycopg
import pytest

from resources.settings import Settings, load_settings
from serving.demo.home import demo_command, demo_environment
from tests.serving.command import Command, Outcome

READERS = [
    ("search", "dark techno"),
    ("search", "dark techno", "--json"),
    ("doctor",),
    ("costs",),
    ("flags", "list", "did:x"),
    ("token", "did:x"),
    ("backfill", "--dry-run"),
]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's own, which does not exist yet; and an empty working directory."""
    monkeypatch.delenv("MOODSEARCH_HOME")
    folder = tmp_path / "somewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return platformdirs.user_data_path("moodsearch", appauthor=False)


# Which one


def test_the_home_is_the_users_own_wherever_a_command_is_run(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_settings().moodsearch_home == home
    assert home.is_absolute()
    assert home.is_relative_to(tmp_path), "tests have a user of their own"
    assert capsys.readouterr().err == ""


def test_a_home_in_the_working_directory_is_used_and_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "somewhere" / ".moodsearch"
    here.mkdir()
    for _ in range(2):
        assert load_settings().moodsearch_home == here
    assert capsys.readouterr().err == f"note: using {here}, which is in the working directory\n"


def test_the_variable_goes_before_both_and_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".moodsearch").mkdir()
    monkeypatch.setenv("MOODSEARCH_HOME", "../chosen")
    assert load_settings().moodsearch_home == tmp_path / "somewhere" / ".." / "chosen"
    monkeypatch.setenv("MOODSEARCH_HOME", str(tmp_path / "somewhere" / ".moodsearch"))
    assert load_settings().moodsearch_home == tmp_path / "somewhere" / ".moodsearch"
    assert capsys.readouterr().err == ""


def test_an_empty_variable_counts_as_unset(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODSEARCH_HOME", "")
    assert load_settings().moodsearch_home == home


# The demo's


def test_the_demo_has_a_library_of_its_own_whatever_is_configured(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://host/app")
    monkeypatch.setenv("R2_ENDPOINT_URL", "https://r2.example")
    monkeypatch.setenv("R2_BUCKET", "audio")
    monkeypatch.setenv("R2_PUBLIC_BUCKET_URL", "https://audio.example")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("TURBOPUFFER_ENABLED", "true")
    monkeypatch.setenv("TURBOPUFFER_API_KEY", "key")
    monkeypatch.setenv("CLAP_PRECISION", "fp32")
    for name, value in demo_environment(load_settings()).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.moodsearch_home == home / "demo"
    assert settings.database_url is None
    assert (settings.uses_r2, settings.r2_public_bucket_url) == (False, None)
    assert not settings.turbopuffer_enabled
    assert settings.clap_precision == "fp32"


def test_the_demos_home_is_inside_one_that_was_chosen(tmp_path: Path) -> None:
    environment = demo_environment(Settings(moodsearch_home=tmp_path))
    assert environment == {"MOODSEARCH_HOME": str(tmp_path / "demo")}
    assert demo_command(environment) == f"MOODSEARCH_HOME={tmp_path / 'demo'} moodsearch"
    assert "='with spaces/demo'" in demo_command({"MOODSEARCH_HOME": "with spaces/demo"})


# None where nothing but reading was asked for


def _refusal(outcome: Outcome, *arguments: str) -> str:
    """What a command says on one line, wherever it says it."""
    assert outcome.status == 1, outcome
    if arguments == ("doctor",):
        assert outcome.errors == ""
        return outcome.output
    expected = '{"results":[],"query":"dark techno","available":false}\n'
    assert outcome.output == (expected if "--json" in arguments else "")
    assert outcome.is_one_error_line
    return outcome.errors


@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_a_command_that_reads_says_that_there_is_no_catalogue_and_makes_none(
    home: Path, command_line: Command, arguments: tuple[str, ...]
) -> None:
    said = _refusal(command_line(*arguments), *arguments)
    assert str(home) in said
    assert ("moodsearch up" if arguments[0] == "token" else "moodsearch add PATH") in said
    assert not home.exists()
    assert list(Path.cwd().iterdir()) == []


def _everything_in(url: str) -> set[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        return set(
            connection.execute(
                "SELECT 'schema', nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'"
                " UNION ALL SELECT 'extension', extname FROM pg_extension"
                " UNION ALL SELECT schemaname, tablename FROM pg_tables"
            )
        )


@pytest.mark.parametrize(
    "arguments", [each for each in READERS if each[0] != "token"], ids=" ".join
)
def test_a_database_without_a_catalogue_is_left_as_it_is(
    empty_database_url: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    command_line: Command,
    arguments: tuple[str, ...],
) -> None:
    before = _everything_in(empty_database_url)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    said = _refusal(command_line(*arguments), *arguments)
    assert "holds no catalogue" in said
    assert "moodsearch backfill" in said
    assert _everything_in(empty_database_url) == before
    assert not home.exists()
