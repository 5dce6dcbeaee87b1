"""What starting costs: the command line, a run's process, and `moodsearch up` at rest (Linux)."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import psutil

from bench.catalogues import Mixture, fill
from bench.figures import MEBIBYTE, Figure, repeated, single
from bench.sounds import copy_packets
from bench.workplace import Workplace
from resources.backends import Backends

COMMAND: Final = (sys.executable, "-m", "serving.cli")
WAITING_RUNS: Final = (
    "SELECT count(*) AS runs FROM pg_locks JOIN pg_database d ON d.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND NOT granted AND d.datname = current_database()"
)
START_SECONDS: Final = 180


def measure(workplace: Workplace) -> list[Figure]:
    """Over a catalogue of 100 tracks whose server runs already."""
    with workplace.installation("startup") as backends:
        fill(backends, range(1, 101), Mixture.seeded(1).draw(100, np.random.default_rng(2)))
        figures = _command(workplace, "--help") + _command(workplace, "search", "calm piano")
        with _up(workplace) as up:
            figures.append(single("run, CPU before its first step", "s", _run(workplace, backends)))
            time.sleep(workplace.choose(10, 60))
            return figures + _rest(up, workplace.choose(10, 120))


def _environment(workplace: Workplace) -> dict[str, str]:
    return {
        **os.environ,
        "MOODSEARCH_HOME": str(workplace.home("startup")),
        "DATABASE_URL": workplace.database_url("startup"),
    }


def _command(workplace: Workplace, *arguments: str) -> list[Figure]:
    def call() -> None:
        subprocess.run(
            [*COMMAND, *arguments],
            env=_environment(workplace),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    call()
    before, times = resource.getrusage(resource.RUSAGE_CHILDREN), workplace.choose(1, 9)
    seconds = repeated(call, times, warm_up=0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        Figure(f"moodsearch {arguments[0]}", "s", tuple(seconds)),
        single(f"moodsearch {arguments[0]}, CPU", "s", used / times),
    ]


@contextmanager
def _up(workplace: Workplace) -> Iterator[psutil.Process]:
    """`moodsearch up` once Dagster's page answers."""
    ports = [_free_port(), _free_port()]
    options = ["--port", str(ports[0]), "--dagster-port", str(ports[1])]
    with (workplace.folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "up", *options], env=_environment(workplace), stdout=log, stderr=log
        )
    try:
        _wait_until(lambda: all(map(_listens, ports)))
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _run(workplace: Workplace, backends: Backends) -> float:
    """CPU seconds of the process that indexes a new track, until it waits for its block."""
    file = workplace.folder / "startup.mp3"
    copy_packets(workplace.sound("mp3"), file, title="New")
    with backends.locks.hold(backends.work.block_of(101)):
        backends.uploads.add(file)
        _wait_until(lambda: bool(backends.database.rows(WAITING_RUNS)[0]["runs"]))
        runs = backends.database.rows(
            "SELECT value FROM moodsearch_dagster.run_tags WHERE key = 'moodsearch/process'"
            " ORDER BY id DESC LIMIT 1"
        )
        return _cpu_seconds(psutil.Process(int(runs[0]["value"].split("/")[1])))


def _rest(up: psutil.Process, seconds: int) -> list[Figure]:
    """Memory of all programs, shared pages counted once, and the share of a core that they use."""
    family = [up, *up.children(recursive=True)]
    held = sum(process.memory_full_info().pss for process in family)
    before = sum(map(_cpu_seconds, family))
    time.sleep(seconds)
    used = sum(_cpu_seconds(process) for process in family if process.is_running()) - before
    return [
        single("up at rest, memory", "MiB", held / MEBIBYTE),
        single("up at rest, of a core", "%", 100 * used / seconds),
    ]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("moodsearch up did not do in time what was waited for")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
