"""Which process does something, in a form that other processes can check later."""

import socket

import psutil


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
