"""The supervisor: programs that die are started again alone, and nothing of them is left."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from resources.errors import BackendError
from serving.cli.supervisor import Program, Supervisor
from tests.serving.command import ROOT

pytestmark = pytest.mark.slow

PARENT = textwrap.dedent(
    """
    import os, signal, subprocess, sys, time
    folder = sys.argv[1]
    if "--ignore" in sys.argv:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "300"])
    with open(f"{folder}/started", "a") as started:
        started.write(f"{os.getpid()} {child.pid}\\n")
    time.sleep(300 if "--stay" in sys.argv else 0.2)
    """
)
"""A program with a child that outlives it."""

SUPERVISE = textwrap.dedent(
    """
    import sys
    from rich.console import Console
    from serving.cli.supervisor import Program, Supervisor

    program = Program("program", [sys.executable, *sys.argv[1:]])
    supervisor = Supervisor([program], Console(width=200))
    sys.exit(supervisor.run(started=lambda: None, every_second=lambda: None))
    """
)


class Supervised:
    """A supervisor in a process of its own, of one program."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._started = folder / "started"
        program = folder / "program.py"
        program.write_text(PARENT)
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(program), str(folder), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def starts(self) -> list[tuple[int, int]]:
        """Process ids of the program and its child, for each time it was started."""
        if not self._started.exists():
            return []
        lines = self._started.read_text().splitlines()
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]

    def wait_for_start(self, number: int) -> tuple[int, int]:
        deadline = time.monotonic() + 30
        while len(self.starts()) < number:
            assert time.monotonic() < deadline, f"start {number} did not happen"
            time.sleep(0.05)
        return self.starts()[number - 1]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def clean_up(self) -> None:
        self.process.kill()
        self.process.communicate()
        for pids in self.starts():
            for pid in pids:
                if _is_alive(pid):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def supervised(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Supervised]:
    supervised = Supervised(tmp_path, *getattr(request, "param", ()))
    yield supervised
    supervised.clean_up()


def _is_alive(pid: int) -> bool:
    """A zombie is dead: in a container, nobody may collect it."""
    try:
        return str(psutil.Process(pid).status()) != str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("supervised", [["--stay"]], indirect=True)
def test_what_a_killed_program_started_has_ended_before_it_is_started_again(
    supervised: Supervised,
) -> None:
    program, child = supervised.wait_for_start(1)
    os.kill(program, signal.SIGKILL)
    again, its_child = supervised.wait_for_start(2)
    assert not _is_alive(child)
    assert _is_alive(again)
    assert _is_alive(its_child)
    assert supervised.stop() == 0
    assert not _is_alive(again)
    assert not _is_alive(its_child)


@pytest.mark.parametrize("supervised", [["--stay", "--ignore"]], indirect=True)
def test_a_program_that_does_not_end_by_itself_is_killed_with_its_children(
    supervised: Supervised,
) -> None:
    program, child = supervised.wait_for_start(1)
    assert supervised.stop() == 0
    assert not _is_alive(program)
    assert not _is_alive(child)


def test_a_program_that_keeps_ending_is_given_up_and_leaves_nothing(
    supervised: Supervised,
) -> None:
    output, _ = supervised.process.communicate(timeout=60)
    assert supervised.process.returncode == 1
    assert "keeps ending (exit code 0); stopping" in output
    starts = supervised.starts()
    assert len(starts) == 5
    assert not any(_is_alive(pid) for pids in starts for pid in pids)


def test_ctrl_c_while_a_program_waits_for_its_next_start_starts_nothing(
    supervised: Supervised,
) -> None:
    assert supervised.process.stdout is not None
    for line in supervised.process.stdout:
        if "starting it again" in line:
            break
    assert supervised.stop() == 0
    assert len(supervised.starts()) == 1


def test_upkeep_that_fails_is_said_once_and_tried_again() -> None:
    """The database is down for a while, say: the programs go on meanwhile."""
    failures = iter([BackendError("no server"), OSError(28, "No space left on device")])
    tried: list[float] = []
    supervisor = Supervisor([_sleeping()], console := Console(record=True, width=100))

    def every_second() -> None:
        tried.append(time.monotonic())
        error = next(failures, None)
        if error is not None:
            raise error
        os.kill(os.getpid(), signal.SIGTERM)

    with _own_signals():
        assert supervisor.run(started=lambda: None, every_second=every_second) == 0
    said = console.export_text()
    assert said.count("no server; trying again") == 1
    assert said.count("No space left on device; trying again") == 1
    assert "that is over" in said
    assert len(tried) == 3


def test_a_mistake_of_ours_in_the_upkeep_is_loud() -> None:
    supervisor = Supervisor([_sleeping()], Console(record=True))

    def every_second() -> None:
        raise ZeroDivisionError

    with _own_signals(), pytest.raises(ZeroDivisionError):
        supervisor.run(started=lambda: None, every_second=every_second)


def _sleeping() -> Program:
    return Program("sleeper", ["sleep", "300"])


@contextmanager
def _own_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
