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
import pytest

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
