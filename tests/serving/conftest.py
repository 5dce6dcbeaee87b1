"""A real database and pgvector index, an embedding service over real HTTP, and the command line."""

import os
import sys
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel
from resources.settings import load_settings
from serving.api.app import create_app
from serving.cli import main
from serving.search.semantic import SemanticSearch
from tests.fakes.loopback import Host
from tests.serving.command import Command, Outcome, restore_signals
from tests.serving.moods import EMBED_TEXT, answers, embedder

SECRET = "a secret that is long enough for HS256"


@pytest.fixture
def model_host() -> Iterator[Host]:
    with Host() as host:
        host.on(EMBED_TEXT, answers())
        yield host


@pytest.fixture
def model(model_host: Host) -> Iterator[EmbeddingModel]:
    model = embedder(model_host.url)
    yield model
    model.close()


@pytest.fixture
def backends(
    database_url: str, model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backends]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    with Backends(load_settings()) as backends:
        backends.local_model = model
        yield backends


@pytest.fixture
def search(backends: Backends) -> SemanticSearch:
    return SemanticSearch(backends)


@pytest.fixture
def client(backends: Backends) -> Iterator[TestClient]:
    with TestClient(create_app(backends)) as client:
        yield client


@pytest.fixture
def moodsearch(
    database_url: str, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> Command:
    """The command line in this process, on this test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return command_line


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """The command line in this process."""
    monkeypatch.setenv("COLUMNS", "200")
    restore = restore_signals()

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["moodsearch", *arguments])
        environment = os.environ.copy()
        with pytest.raises(SystemExit) as end:
            main()
        # As a process of its own would leave it.
        os.environ.clear()
        os.environ.update(environment)
        captured = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Outcome(end.value.code, captured.out, captured.err)

    yield run
    restore()
