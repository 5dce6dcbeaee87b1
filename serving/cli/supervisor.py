"""Several programs as one: one log, one Ctrl-C, and a program that dies is started again."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

import psutil
from rich.console import Console
from rich.text import Text

from resources.machine import die_with_parent
from serving.upkeep import Upkeep

STOP_SECONDS: Final = 15
"""How long a program may take to end by itself; then it is killed."""

KILLED_SECONDS: Final = 5
"""How long the kernel may take to end what was killed."""

RESTART_AFTER_SECONDS: Final = 2

GIVE_UP_AFTER: Final = 5
"""Restarts within a minute after which a program is taken for broken."""

_COLOURS: Final = ("cyan", "magenta", "green", "yellow", "blue")


@dataclass
class Program:
    """A command to keep running. `is_noise`: lines of its output that are not worth showing;
    `may_start`: whether what it needs is there, asked every second until it is."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_noise: Callable[[str], bool] = lambda _: False
    may_start: Callable[[], bool] = lambda: True
    process: "subprocess.Popen[str] | None" = None
    starts: list[float] = field(default_factory=list)


class Supervisor:
    """Runs programs until Ctrl-C or SIGTERM, or until one of them keeps dying."""

    def __init__(self, programs: Sequence[Program], console: Console) -> None:
        self._programs = programs
        self._console = console
        self._width = max(len(program.name) for program in programs)
        self._stopping = threading.Event()
        self._broken: Program | None = None

    def run(self, *, started: Callable[[], None], every_second: Callable[[], None]) -> int:
        """Start everything and watch over it.

        `started` is called once those are started that may at once, `every_second` as long as they
        run. When that fails for what the world did (a full disk, a database that is down), it is
        said once and tried again with growing delays. Returns the exit code: 0 after Ctrl-C or
        SIGTERM, 1 when a program kept dying.
        """
        upkeep = Upkeep(every_second, self._say)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        try:
            self._start_the_new()
            started()
            while not self._stopping.wait(1):
                upkeep()
                self._start_the_new()
                self._let_the_dead_start_again()
        finally:
            self._stop_all()
        return 1 if self._broken else 0

    def _start_the_new(self) -> None:
        for program in self._programs:
            if program.process is not None:
                continue
            try:
                if program.may_start():
                    self._start(program)
            except OSError as error:  # No memory or process is left: later, as after its end.
                self._say(f"{program.name} cannot be started: {error.strerror}")
                self._stopping.wait(RESTART_AFTER_SECONDS)

    def _start(self, program: Program) -> None:
        program.process = subprocess.Popen(
            [sys.executable, "-I", "-S", die_with_parent.__file__, *program.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A group of its own: Ctrl-C reaches us alone, and we end the programs in order.
            start_new_session=True,
        )
        program.starts.append(time.monotonic())
        assert program.process.stdout is not None
        threading.Thread(
            target=self._copy, args=(program, program.process.stdout), daemon=True
        ).start()

    def _copy(self, program: Program, lines: IO[str]) -> None:
        colour = _COLOURS[self._programs.index(program) % len(_COLOURS)]
        for line in lines:
            if line.strip() and not program.is_noise(line):
                label = Text(f"{program.name:>{self._width}} | ", style=colour)
                self._print(label + Text.from_ansi(line.rstrip()))

    def _let_the_dead_start_again(self) -> None:
        for program in self._programs:
            code = None if program.process is None else program.process.poll()
            if code is None or self._stopping.is_set():
                continue
            now = time.monotonic()
            recent = [start for start in program.starts if now - start < 60]
            if len(recent) >= GIVE_UP_AFTER:
                self._say(f"{program.name} keeps ending (exit code {code}); stopping")
                self._broken = program
                self._stopping.set()
                return
            self._say(f"{program.name} ended (exit code {code}); starting it again")
            assert program.process is not None
            _kill_what_is_left(program.process)
            program.process = None
            self._stopping.wait(RESTART_AFTER_SECONDS)

    def _stop_all(self) -> None:
        self._say("stopping")
        started = [program.process for program in self._programs if program.process]
        for process in started:
            if process.poll() is None:
                _signal_group(process, signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _kill_what_is_left(process)
            process.wait()
        # What they held, such as the embedded database, is let go of when the last one is gone.
        deadline = time.monotonic() + KILLED_SECONDS
        while any(map(_is_in_a_group_of(started), psutil.process_iter())):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        self._say("stopped")

    def _say(self, text: str) -> None:
        self._print(Text(f"{'moodsearch':>{self._width}} | {text}", style="bold"))

    def _print(self, text: Text) -> None:
        with contextlib.suppress(OSError):  # The log may be on a disk that is full.
            self._console.print(text, soft_wrap=True)


def _is_in_a_group_of(
    leaders: Sequence["subprocess.Popen[str]"],
) -> Callable[[psutil.Process], bool]:
    groups = {leader.pid for leader in leaders}

    def is_in_one(process: psutil.Process) -> bool:
        try:
            is_dead = process.status() == psutil.STATUS_ZOMBIE
            return not is_dead and os.getpgid(process.pid) in groups
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False

    return is_in_one


def _kill_what_is_left(process: "subprocess.Popen[str]") -> None:
    """End the programs that a program started: those of one that was killed go on without it, and
    would work on what nobody watches any more."""
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
