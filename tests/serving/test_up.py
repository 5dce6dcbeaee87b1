"""`moodsearch up`: everything as one program, an upload found by itself, and programs that die."""

import contextlib
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
from typing import LiteralString

import httpx
import psutil
import psycopg
import pytest

from resources.catalogue.database import Database, SessionLock
from resources.catalogue.work.blocks import BLOCK_SIZE, Block
from resources.catalogue.work.locks import BlockLocks
from resources.machine.postgres import EmbeddedPostgres
from serving.cli.up import UP_LOCK
from tests.pipelines.conftest import write_noise

IS_WAITING_FOR_THE_BLOCK: LiteralString = """
    SELECT count(*) > 0 FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted
"""
"""Whether a run hangs in its first step."""

HOLDS_THE_DATABASE: LiteralString = f"""
    SELECT count(*) > 0 FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND (classid::bigint << 32) + objid::bigint = {UP_LOCK}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class Up:
    """A running `moodsearch up` on ports and a home of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.port, self.dagster_port = _free_port(), _free_port()
        self.environment = {
            **os.environ,
            "MOODSEARCH_HOME": str(home),
            "COLUMNS": "200",
            "API_RATE_LIMIT_PER_MINUTE": "0",  # These tests ask until they find.
        }
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "serving.cli", "up"),
                *("--port", str(self.port), "--dagster-port", str(self.dagster_port)),
                *options,
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
        found = self.value("SELECT max(id) FROM public.tracks")
        assert isinstance(found, int)
        return found

    def value(self, query: LiteralString) -> object:
        """The one value that a query of the database answers."""
        with EmbeddedPostgres(self.home) as server, psycopg.connect(server.url) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    def wait_until(self, query: LiteralString, seconds: float = 60) -> None:
        """Until the query answers true."""
        deadline = time.monotonic() + seconds
        while not self.value(query):
            if time.monotonic() > deadline:
                pytest.fail("".join([f"not so: {query}\n", *self.lines[-60:]]))
            time.sleep(0.2)

    def listening(self) -> dict[int, set[str]]:
        """The TCP ports of all its programs, and the addresses at which each is open."""
        ports: dict[int, set[str]] = {}
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                for found in process.net_connections("tcp"):
                    if found.status == psutil.CONN_LISTEN:
                        ports.setdefault(found.laddr.port, set()).add(found.laddr.ip)
        return ports

    def program(self, name: str) -> psutil.Process:
        """The direct child that runs the command, or the part of one, that is called `name`."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.ZombieProcess):  # Killed by the test just now.
                if any(Path(part).name == name for part in child.cmdline()):
                    return child
        raise AssertionError(f"{name} is not running")


@pytest.fixture
def up(request: pytest.FixtureRequest) -> Iterator[Up]:
    """Its parameter, if it has one: further options."""
    # Not under pytest's folders: they are closed to the other user that Postgres runs as for root.
    with tempfile.TemporaryDirectory(
        prefix="moodsearch-tests-", ignore_cleanup_errors=True
    ) as home:
        running = Up(Path(home), *getattr(request, "param", ()))
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


@pytest.mark.parametrize("up", [["--host", "0.0.0.0"]], indirect=True, ids=["--host 0.0.0.0"])
def test_other_machines_reach_the_api_alone(up: Up) -> None:
    deadline = time.monotonic() + 120
    while up.dagster_port not in (listening := up.listening()):
        assert time.monotonic() < deadline, listening
        time.sleep(0.5)
    open_to_all = {port for port, hosts in listening.items() if hosts - {"127.0.0.1", "::1"}}
    assert open_to_all == {up.port}
    # In one's own library, and not on loopback alone: any name is its own.
    assert httpx.get(f"http://127.0.0.1:{up.port}/healthz", headers={"Host": "a.b"}).is_success
    dagster = f"http://127.0.0.1:{up.dagster_port}/server_info"
    assert httpx.get(dagster).status_code == 200
    assert httpx.get(dagster, headers={"Host": "evil.example"}).status_code == 400


def test_one_s_own_library_answers_to_its_own_names_alone(up: Up) -> None:
    url = f"http://127.0.0.1:{up.port}/healthz"
    for own in ("localhost", f"127.0.0.1:{up.port}", f"[::1]:{up.port}"):
        assert httpx.get(url, headers={"Host": own}).status_code == 200
    for foreign in ("evil.example", f"localhost.evil.example:{up.port}", "192.0.2.1"):
        assert httpx.get(url, headers={"Host": foreign}).status_code == 400


def test_ctrl_c_stops_everything_and_leaves_nothing_running(up: Up) -> None:
    # Daemon and webserver start when the code server answers.
    deadline = time.monotonic() + 120
    while len(family := psutil.Process(up.process.pid).children(recursive=True)) < 4:
        assert time.monotonic() < deadline, "not all programs were started"
        time.sleep(0.2)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(40) == 0
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert gone
    postgres = Path(up.environment["MOODSEARCH_HOME"]) / "postgres" / "postmaster.pid"
    assert not postgres.exists()


def test_sigterm_in_the_middle_of_a_run_leaves_no_server_behind(up: Up, tmp_path: Path) -> None:
    """As `docker stop` and systemd end it. The run holds the embedded server, too."""
    for seed in range(40):
        write_noise(tmp_path / f"{seed}.wav", seed, seconds=60)
    assert up.run("add", str(tmp_path)).returncode == 0
    up.wait_until("SELECT EXISTS (SELECT FROM moodsearch.work WHERE begun_at IS NOT NULL)")
    family = psutil.Process(up.process.pid).children(recursive=True)
    up.process.terminate()
    assert up.process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert not (up.home / "postgres" / "postmaster.pid").exists()


def test_a_second_up_on_the_same_home_is_refused_in_one_line(up: Up) -> None:
    second = up.run("up", "--port", str(_free_port()), "--dagster-port", str(_free_port()))
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_programs_and_the_database_survive_being_killed(up: Up, tmp_path: Path) -> None:
    first = up.upload(write_noise(tmp_path / "first.wav", 1, seconds=3))
    up.wait_until_found(first)
    for name in ("serve", "grpc", "dagster-daemon"):
        up.program(name).kill()
    postmaster = Path(up.environment["MOODSEARCH_HOME"]) / "postgres" / "postmaster.pid"
    os.kill(int(postmaster.read_text().split("\n")[0]), signal.SIGKILL)
    time.sleep(5)
    up.wait_for("/healthz")
    second = up.upload(write_noise(tmp_path / "second.wav", 2, seconds=3))
    up.wait_until_found(second)
    assert any(re.search(r"api.* ended .*starting it again", line) for line in up.lines)


def test_a_run_that_is_killed_with_the_daemon_is_done_again(up: Up, tmp_path: Path) -> None:
    first = up.upload(write_noise(tmp_path / "first.wav", 1, seconds=3))
    up.wait_until_found(first)
    with EmbeddedPostgres(up.home) as server:
        database = Database(server.url)
        with BlockLocks(database).hold(Block.containing(first, BLOCK_SIZE)):
            second = up.upload(write_noise(tmp_path / "second.wav", 2, seconds=3))
            up.wait_until(IS_WAITING_FOR_THE_BLOCK)
            daemon = up.program("dagster-daemon")
            workers = daemon.children(recursive=True)
            os.killpg(daemon.pid, signal.SIGKILL)
            psutil.wait_procs(workers, timeout=10)
        database.close()
    up.wait_until_found(second)


@pytest.mark.parametrize("program", ["dagster-daemon", "grpc"])
def test_work_is_done_whichever_of_dagsters_programs_is_killed_meanwhile(
    up: Up, tmp_path: Path, program: str
) -> None:
    """The run is a child of the code server, and the daemon's to watch."""
    first = up.upload(write_noise(tmp_path / "first.wav", 1, seconds=3))
    up.wait_until_found(first)
    with EmbeddedPostgres(up.home) as server:
        database = Database(server.url)
        with BlockLocks(database).hold(Block.containing(first, BLOCK_SIZE)):
            second = up.upload(write_noise(tmp_path / "second.wav", 2, seconds=3))
            up.wait_until(IS_WAITING_FOR_THE_BLOCK)
            up.program(program).kill()
        database.close()
    up.wait_until_found(second)


def test_a_second_up_on_the_same_database_is_refused_in_one_line(
    database_url: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "MOODSEARCH_HOME": str(tmp_path / "another home"),
    }
    with SessionLock(database_url, UP_LOCK):
        second = subprocess.run(
            [
                *(sys.executable, "-m", "serving.cli", "up"),
                *("--port", str(_free_port()), "--dagster-port", str(_free_port())),
            ],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 1
    assert "already running on this database" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_up_holds_its_database_also_after_the_database_was_killed(up: Up) -> None:
    assert up.value(HOLDS_THE_DATABASE)
    postmaster = up.home / "postgres" / "postmaster.pid"
    os.kill(int(postmaster.read_text().split("\n")[0]), signal.SIGKILL)
    time.sleep(2)
    up.wait_until(HOLDS_THE_DATABASE, seconds=20)


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
