"""Fixtures shared by all tests: a real PostgreSQL, and a fresh migrated database for each test."""

import importlib
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import hypothesis
import psycopg
import pytest
from psycopg import sql

from resources.catalogue.database import Database
from resources.catalogue.schema.migrate import migrate
from resources.machine.postgres import EmbeddedPostgres

# Tests say what is right, not how fast; a busy machine must not fail them.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

TEMPLATE = "moodsearch_template"
_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-reliability",
        action="store_true",
        help="write what is observed of faults into docs/reliability.md",
    )


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, although a shell started us in the background:
    what it starts there ignores SIGINT, and so would they."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _import_all_of_anyio()


def _import_all_of_anyio() -> None:
    """It imports its modules when they are first needed, here in servers' threads, and pytest
    parses each to rewrite its asserts: CPython 3.11 may fail when two threads parse at once."""
    for name in dir(anyio):
        getattr(anyio, name)
    importlib.import_module("anyio._backends._asyncio")


@pytest.fixture(scope="session", autouse=True)
def _no_folder_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever looks for the user's own folders finds empty ones, shared by the session's tests:
    caches of libraries are made once."""
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("DATA", "CONFIG", "CACHE", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        yield


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The developer's own configuration has no say in the tests, and no test in another's."""
    prefixes = (
        "MOODSEARCH_",
        "R2_",
        "AWS_",
        "CLAP_",
        "MODAL_",
        "TURBOPUFFER_",
        "REPLICATE_",
        "API_",
    )
    for name in list(os.environ):
        if name.startswith((*prefixes, "DATABASE_URL", "SESSION_SECRET", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MOODSEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the session's own server, whose database is a migrated template."""
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    home = Path(tempfile.mkdtemp(prefix="moodsearch-tests-"))
    try:
        with EmbeddedPostgres(home) as server:
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            migrate(_with_database(server.url, TEMPLATE))
            yield server.url
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database of this test's own."""
    yield from _create_database(postgres_server, "template1")


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """URL of a migrated database of this test's own."""
    yield from _create_database(postgres_server, TEMPLATE)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def _create_database(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        yield _with_database(server, name)
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _with_database(url: str, name: str) -> str:
    return url.replace("/moodsearch?", f"/{name}?")
