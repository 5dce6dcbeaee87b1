"""Cores that runs on this machine have taken, so that those that work side by side do not each
start a process for every core."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

from resources.machine.cores import usable_cores
from resources.machine.postgres import open_lock

FOLDER: Final = "cores"


@contextmanager
def taken_cores(home: Path, most: int) -> Iterator[int]:
    """Take up to `most` of the usable cores that no other run of this home has, until the end of
    the context. Yields how many; 0 where all are taken, for none is waited for.

    A core is a `flock`, which the kernel lets go of however a process ends. Raises `UserError`
    where the home cannot be written to.
    """
    with ExitStack() as taken:
        count = 0
        for core in range(usable_cores()):
            if count == most:
                break
            file = open_lock(home / FOLDER, f"{core}.lock")
            if _is_free(file):
                taken.enter_context(file)
                count += 1
            else:
                file.close()
        yield count


def _is_free(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
