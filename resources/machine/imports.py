"""Importing much at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Imports inside make a million objects that stay: the garbage collector would look at all of
    them again and again meanwhile, and once more when the process ends. It leaves them alone, which
    takes 40 % less CPU."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
