"""How many cores this process may keep busy."""

import os
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Final

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
