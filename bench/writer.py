"""An app that goes on writing while something else is done to its catalogue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import numpy as np
import psycopg

from bench.figures import timed

PAUSE_SECONDS: Final = 0.002
RENAME: Final = "UPDATE public.tracks SET title = title || ' II' WHERE id = %s"


@contextmanager
def writing(url: str, tracks: int) -> Iterator[list[float]]:
    """Rename one of `tracks` tracks after the other, each in a transaction of its own, from a
    thread with a connection of its own. Yields the list of the seconds that each took."""
    seconds: list[float] = []
    end = threading.Event()

    def write() -> None:
        random = np.random.default_rng(4)
        with psycopg.connect(url, autocommit=True) as connection:
            while not end.wait(PAUSE_SECONDS):
                track = int(random.integers(1, tracks + 1))
                seconds.append(timed(partial(connection.execute, RENAME, [track])))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield seconds
    finally:
        end.set()
        thread.join()
