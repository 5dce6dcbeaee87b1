"""The command line: one module for each command, registered in `app`.

`app` declares names, options and help; a command's module is imported when it runs. Errors are
shown once, in `main`; whatever comes from outside is printed through `text` and `output`.
"""

import logging
import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType
from typing import NoReturn

from resources.errors import BackendError, UserError
from serving.cli.app import app
from serving.cli.text import print_error


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What the terminal's encoding lacks is shown escaped instead of failing half-way.
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            # So that backends are closed and an embedded database is stopped, as at any other end.
            signal.signal(number, _exit_on_signal)
    # What a command has to say it says itself; libraries and our own warnings say it once more.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        status = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough. Python flushes once more at exit: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


def _run() -> int:
    try:
        app(prog_name="moodsearch")
    except (UserError, BackendError) as error:
        print_error(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    # Once: a second signal must not interrupt what the first one makes close.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)
