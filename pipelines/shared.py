"""The backends of a Dagster process: opened once and kept, because a sensor ticks every second."""

import atexit
import threading
from functools import cache

import dagster as dg

from assets.block_run import NoProgress
from resources.backends import Backends
from resources.settings import load_settings

_opening = threading.Lock()


def shared_backends() -> Backends:
    """This process's backends, the same for every thread. Raises `UserError` for wrong settings."""
    with _opening:
        return _open_backends()


@cache
def _open_backends() -> Backends:
    backends = Backends(load_settings())
    atexit.register(backends.close)
    return backends


def running_backends() -> Backends:
    """Those of this process, with a server that answers: it is started again if it was killed."""
    backends = shared_backends()
    backends.ensure_running()
    return backends


@dg.resource(description="Everything outside, as chosen by the environment (docs/configuration.md)")
def backends_resource(_: dg.InitResourceContext) -> Backends:
    return running_backends()


@dg.resource(description="Progress of a run; shown by the command line only")
def progress_resource(_: dg.InitResourceContext) -> NoProgress:
    return NoProgress()
