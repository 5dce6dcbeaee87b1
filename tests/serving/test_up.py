"""`moodsearch up`: everything as one program, an upload found by itself, and programs that die."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from resources.postgres import EmbeddedPostgres
from tests.pipelines.conftest import write_noise

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Up:
    """A running `moodsearch up` on ports and a home of its own."""

    def __init__(self, home: Path) -> None:
        self.port, self.dagster_port = _free_port(), _free_port()
        self.environment = {**os.environ, "MOODSEARCH_HOME": str(home), "COLUMNS": "200"}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "serving.cli", "up"),
                *("--port", str(self.port), "--dagster-port", str(self.dagster_port)),
            ],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "serving.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def get(self, path: str) -> dict[str, object]:
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            found: dict[str, object] = json.load(answer)
            return found

    def wait_for(self, path: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.get(path)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def wait_until_found(self, track_id: int, seconds: float = 120) -> float:
        """Seconds until a search finds the track."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            results = self.get("/search/semantic?q=white+noise&limit=50")["results"]
            assert isinstance(results, list)
            if track_id in {result["id"] for result in results}:
                return time.monotonic() - started
            time.sleep(0.2)
        pytest.fail("".join(["the track was not found:\n", *self.lines[-60:]]))

    def upload(self, path: Path) -> int:
        added = self.run("add", str(path))
        assert added.returncode == 0, added.stdout + added.stderr
        return self._newest_track()

    def _newest_track(self) -> int:
        with (
            EmbeddedPostgres(Path(self.environment["MOODSEARCH_HOME"])) as server,
            psycopg.connect(server.url) as connection,
        ):
            row = connection.execute("SELECT max(id) FROM public.tracks").fetchone()
        assert row is not None
        return int(row[0])

    def program(self, name: str) -> psutil.Process:
        """The direct child that runs `name`."""
        for child in psutil.Process(self.process.pid).children():
            if any(name in part for part in child.cmdline()):
                return child
        raise AssertionError(f"{name} is not running")


@pytest.fixture
def up() -> Iterator[Up]:
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    with tempfile.TemporaryDirectory(
        prefix="moodsearch-tests-", ignore_cleanup_errors=True
    ) as home:
        running = Up(Path(home))
        try:
            running.wait_for("/healthz")
            yield running
        finally:
            running.process.send_signal(signal.SIGINT)
            try:
                running.process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(running.process.pid, signal.SIGKILL)


def test_an_upload_is_found_with_no_further_command(up: Up, tmp_path: Path) -> None:
    track_id = up.upload(write_noise(tmp_path / "first.wav", 1, seconds=3))
    up.wait_until_found(track_id)


def test_ctrl_c_stops_everything_and_leaves_nothing_running(up: Up) -> None:
    family = psutil.Process(up.process.pid).children(recursive=True)
    assert len(family) >= 3
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(40) == 0
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert gone
    postgres = Path(up.environment["MOODSEARCH_HOME"]) / "postgres" / "postmaster.pid"
    assert not postgres.exists()


def test_a_second_up_on_the_same_home_is_refused_in_one_line(up: Up) -> None:
    second = up.run("up", "--port", str(_free_port()), "--dagster-port", str(_free_port()))
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_programs_and_the_database_survive_being_killed(up: Up, tmp_path: Path) -> None:
    first = up.upload(write_noise(tmp_path / "first.wav", 1, seconds=3))
    up.wait_until_found(first)
    for name in ("serve", "dagster._daemon"):
        up.program(name).kill()
    postmaster = Path(up.environment["MOODSEARCH_HOME"]) / "postgres" / "postmaster.pid"
    os.kill(int(postmaster.read_text().split("\n")[0]), signal.SIGKILL)
    time.sleep(5)
    up.wait_for("/healthz")
    second = up.upload(write_noise(tmp_path / "second.wav", 2, seconds=3))
    up.wait_until_found(second)
    assert any(re.search(r"api.* ended .*starting it again", line) for line in up.lines)


def test_programs_end_when_the_supervisor_is_killed(up: Up) -> None:
    family = psutil.Process(up.process.pid).children()
    names = {child.pid: " ".join(child.cmdline()) for child in family}
    up.process.kill()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [names[child.pid] for child in alive] == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
