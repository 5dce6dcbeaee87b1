"""Dagster's storage is where the settings say, in every program of Dagster, without a variable."""

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ASSETS = "{ assetNodes { assetKey { path } } runsOrError { __typename } }"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Not under pytest's folders: they are closed to the other user that Postgres runs as for
    root."""
    home = Path(tempfile.mkdtemp(prefix="moodsearch-tests-"))
    monkeypatch.setenv("MOODSEARCH_HOME", str(home))
    yield home
    shutil.rmtree(home, ignore_errors=True)


def test_the_embedded_server_runs_as_long_as_an_instance_needs_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0
        assert (home / "postgres" / "postmaster.pid").exists()
    del instance
    gc.collect()
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_no_secret_is_in_what_an_instance_hands_to_its_processes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    with dg.DagsterInstance.get() as instance:
        assert "postgresql" not in str(instance.get_ref())


@pytest.fixture
def instance(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    with dg.DagsterInstance.get() as instance:
        yield instance


def _ask_each_part(instance: dg.DagsterInstance) -> None:
    """Runs, events and ticks are kept by three parts of the storage."""
    assert instance.get_runs_count() == 0
    assert instance.all_asset_keys() == []
    assert instance.get_ticks("origin", "selector") == []


def _connections(database_url: str) -> set[int]:
    """Process ids of the server, one for each of the others' connections."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchall()
    return {pid for (pid,) in rows}


def test_questions_to_dagsters_storage_open_no_new_connection(
    instance: dg.DagsterInstance, database_url: str
) -> None:
    _ask_each_part(instance)
    opened = _connections(database_url)
    assert len(opened) == 3
    for _ in range(5):
        _ask_each_part(instance)
    assert _connections(database_url) == opened


def test_dagsters_storage_answers_after_its_connections_were_lost(
    instance: dg.DagsterInstance, database_url: str
) -> None:
    _ask_each_part(instance)
    lost = _connections(database_url)
    with psycopg.connect(database_url) as connection:
        for pid in lost:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    _ask_each_part(instance)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_dagster_dev_works_in_the_checkout_as_it_is(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "-p", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}) as dev:
        try:
            answer = _ask(f"http://127.0.0.1:{port}/graphql", ASSETS, within_seconds=240)
        finally:
            dev.send_signal(signal.SIGINT)
            dev.wait(timeout=120)
    shown = {"/".join(node["assetKey"]["path"]) for node in answer["data"]["assetNodes"]}
    assert {"tracks", "track_audio", "search_index", "search_api"} <= shown
    assert answer["data"]["runsOrError"]["__typename"] == "Runs"
    assert (home / "postgres").is_dir()


def _ask(url: str, query: str, within_seconds: float) -> Any:
    data = json.dumps({"query": query}).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
