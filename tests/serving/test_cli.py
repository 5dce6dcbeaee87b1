"""The command line: exit codes, errors at the edge, and the short commands."""

import os
import subprocess

import pytest

from resources.catalogue.database import Database
from resources.catalogue.flags import Flags
from serving.cli.text import printable
from serving.tokens import verify_token
from tests.imports import loaded_by
from tests.serving.command import MODULE, ROOT, Command, run_program
from tests.serving.conftest import SECRET

UNREACHABLE = "postgresql://somebody:hunter2@127.0.0.1:1/nowhere"


def test_help_needs_no_heavy_module() -> None:
    heavy = ["dagster", "numpy", "onnxruntime", "psycopg", "fastapi", "pydantic", "rich", "httpx"]
    program = (
        "from typer.testing import CliRunner; from serving.cli.app import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0"
    )
    assert loaded_by(program, heavy) == []


def test_a_search_loads_neither_the_orchestrator_nor_a_service_that_is_not_configured(
    database_url: str,
) -> None:
    heavy = [
        *("dagster", "sqlalchemy", "alembic", "fastapi", "polars", "pandera", "matplotlib"),
        *("av", "onnxruntime", "boto3", "turbopuffer", "replicate", "modal", "huggingface_hub"),
        *("httpx", "tokenizers"),
    ]
    program = "from serving.cli.search import run; run('calm piano', 3, as_json=True)"
    assert loaded_by(program, heavy, DATABASE_URL=database_url) == []


def test_the_program_shows_its_version() -> None:
    outcome = run_program("--version")
    assert outcome.status == 0
    assert outcome.output.startswith("moodsearch ")


def test_wrong_usage_exits_with_2(moodsearch: Command) -> None:
    for arguments in (
        ["nonsense"],
        ["add"],
        ["search"],
        ["search", "ab"],
        ["search", "x" * 201],
        ["search", "    "],
        ["search", "dark techno", "--limit", "0"],
        ["search", "dark techno", "--limit", "51"],
        ["serve", "--port", "70000"],
        ["flags", "grant", "did:x"],
        ["flags", "grant", "did:x", "two words"],
        ["flags", "grant", "did:x", "x" * 65],
        ["flags", "list", "a\x1bb"],
        ["token", ""],
        ["backfill", "--limit", "0"],
    ):
        outcome = moodsearch(*arguments)
        assert outcome.status == 2, arguments
        assert outcome.output == "", arguments


def test_a_wrong_setting_is_one_line_that_names_the_variable(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURBOPUFFER_ENABLED", "true")
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert outcome.is_one_error_line
    assert "TURBOPUFFER_API_KEY" in outcome.errors


def test_an_unreachable_database_is_one_line_without_the_password(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", UNREACHABLE)
    outcome = moodsearch("flags", "list", "did:x")
    assert outcome.status == 1
    assert outcome.is_one_error_line
    assert "hunter2" not in outcome.errors


def test_a_search_without_a_database_is_not_available_and_still_json(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", UNREACHABLE)
    outcome = moodsearch("search", "dark techno", "--json")
    assert outcome.status == 1
    assert outcome.output == '{"results":[],"query":"dark techno","available":false}\n'
    assert outcome.is_one_error_line


def test_the_doctor_says_that_the_database_is_down_and_no_secret(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", UNREACHABLE)
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    outcome = moodsearch("doctor")
    assert outcome.status == 1
    assert "nowhere at 127.0.0.1:1" in outcome.output
    assert "does not answer" in outcome.output
    assert "SESSION_SECRET set" in outcome.output
    assert "hunter2" not in outcome.output + outcome.errors
    assert SECRET not in outcome.output + outcome.errors


def test_a_reader_who_has_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*MODULE, "--help"], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == b""


def test_flags_are_granted_listed_and_revoked(moodsearch: Command, database: Database) -> None:
    for _ in range(2):
        assert moodsearch("flags", "grant", "did:x", "vibe-search").status == 0
    assert moodsearch("flags", "list", "did:x").output == "vibe-search\n"
    assert Flags(database).of("did:x") == ["vibe-search"]
    for _ in range(2):
        assert moodsearch("flags", "revoke", "did:x", "vibe-search").status == 0
    assert moodsearch("flags", "list", "did:x").output == ""


@pytest.mark.parametrize(
    ("page", "before"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
        ("https://music.example/search/?q=rain#top", "https://music.example/search/?q=rain"),
    ],
)
def test_a_page_is_opened_with_the_token_where_no_server_sees_it(
    moodsearch: Command, monkeypatch: pytest.MonkeyPatch, page: str, before: str
) -> None:
    monkeypatch.setenv("SESSION_SECRET", "s" * 32)
    outcome = moodsearch("token", "me", "--page", page)
    assert outcome.status == 0
    address, _, token = outcome.output.strip().partition("#token=")
    assert address == before
    assert verify_token("s" * 32, token) == "me"


@pytest.mark.parametrize("page", ["", "127.0.0.1:8000", "javascript:alert(1)", "http://[", "x y"])
def test_a_page_that_is_no_address_is_refused(moodsearch: Command, page: str) -> None:
    outcome = moodsearch("token", "me", "--page", page)
    assert outcome.status == 2
    assert "--page" in outcome.errors


def test_a_token_proves_its_user(moodsearch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    outcome = moodsearch("token", "did:plc:abc")
    assert outcome.status == 0
    assert verify_token(SECRET, outcome.output.strip()) == "did:plc:abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ambient Waves", "Ambient Waves"),
        ("夜の音楽 🎵 👩\u200d🎤", "夜の音楽 🎵 👩\u200d🎤"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[31mred\x9b", r"\x1b[31mred\x9b"),
        ("txt\u202egnp.mp3", r"txt\u202egnp.mp3"),
        ("half \ud800", r"half \ud800"),
        ("line\u2028break", r"line\u2028break"),
    ],
)
def test_text_that_would_steer_the_terminal_is_shown_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_up_wants_a_port_for_each_of_its_servers(moodsearch: Command) -> None:
    outcome = moodsearch("up", "--port", "8123", "--dagster-port", "8123")
    assert outcome.status == 1
    assert "both 8123" in outcome.errors
