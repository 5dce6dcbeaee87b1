"""Which process does something, in a form that other processes can check later."""

import signal
import socket

import psutil


def this_process() -> str:
    """Host, process id and start time: numbers alone are given out again."""
    return _identity(psutil.Process())


def process_of(pid: int) -> str:
    """The same of a process on this machine. Raises `ProcessLookupError` when it is gone."""
    try:
        return _identity(psutil.Process(pid))
    except psutil.NoSuchProcess:
        raise ProcessLookupError(pid) from None


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


def interrupt(identity: str) -> bool:
    """Send SIGINT to the process of that identity; False where it is gone or of another host."""
    host, _, rest = identity.partition("/")
    if host != socket.gethostname() or is_gone(identity):
        return False
    try:
        psutil.Process(int(rest.split("/")[0])).send_signal(signal.SIGINT)
    except psutil.NoSuchProcess:
        return False
    return True


def _identity(process: psutil.Process) -> str:
    return f"{socket.gethostname()}/{process.pid}/{int(process.create_time())}"
