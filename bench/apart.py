"""Runs a function in a fresh process, so that its peak memory is its own."""

import contextlib
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Generic, ParamSpec, TypeVar

import psutil

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What the function returned, and the most memory its process ever held."""

    result: Result
    peak_bytes: int


def run_apart(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Outcome[Result]:
    """Call a module's function in a process of its own. What it raises is raised here."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(_observed, partial(function, *args, **kwargs)).result()


def _observed(function: Callable[[], Result]) -> Outcome[Result]:
    result = function()
    return Outcome(result, peak_memory())


def peak_memory(pid: int | None = None) -> int:
    """Most resident memory that a process (this one by default) ever held, in bytes.

    On Linux the kernel's high-water mark of the process image: `ru_maxrss` would also count what
    the parent held when it forked. Elsewhere `ru_maxrss`, of this process only.
    """
    status = Path(f"/proc/{pid or os.getpid()}/status")
    if status.exists():
        (line,) = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    if pid is not None:
        raise OSError("the peak memory of another process is known on Linux only")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass
class Family:
    """This process and those that it started. `peak_bytes`: the most memory they held together."""

    peak_bytes: int = 0

    def look(self) -> None:
        """Count what is resident now; shared pages count once where the system tells (Linux)."""
        own = psutil.Process()
        held = 0
        for process in [own, *own.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):  # It has just ended.
                memory = process.memory_full_info()
                held += getattr(memory, "pss", memory.rss)
        self.peak_bytes = max(self.peak_bytes, held)


@contextlib.contextmanager
def watched_family(every_seconds: float = 0.1) -> Iterator[Family]:
    """Look at the memory of this process and its workers again and again."""
    family, ended = Family(), threading.Event()

    def watch() -> None:
        while not ended.wait(every_seconds):
            family.look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield family
    finally:
        ended.set()
        watcher.join()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Processes started in here do their linear algebra in one thread."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
