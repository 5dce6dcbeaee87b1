"""Which process does something, in a form that other processes can check later, and how many cores
this one may keep busy."""

import os
import socket
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Final

import psutil

_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use: "quota period" in microseconds, or "max period" (Linux, cgroup v2)."""


def usable_cores() -> int:
    """Cores that this process may use: those it is bound to, and no more than its container's share
    of them, which a machine with many cores does not show otherwise."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with suppress(OSError, ValueError):
        quota, period = _CPU_QUOTA.read_text().split()
        return max(1, min(cores or 1, ceil(int(quota) / int(period))))
    return cores or 1


def this_process() -> str:
    """Host, process id and start time: numbers alone are given out again."""
    return _identity(psutil.Process())


def is_gone(identity: str) -> bool:
    """Whether the process of that identity ended. One of another host never counts as gone: this
    one cannot know."""
    host, _, rest = identity.partition("/")
    if host != socket.gethostname():
        return False
    try:
        return _identity(psutil.Process(int(rest.split("/")[0]))) != identity
    except (ValueError, psutil.NoSuchProcess):
        return True


def _identity(process: psutil.Process) -> str:
    return f"{socket.gethostname()}/{process.pid}/{int(process.create_time())}"
