"""Run a command that ends when the program that started it does, even by `kill -9`.

Usage: python die_with_parent.py COMMAND [ARGUMENT ...]. A program of its own, because code between
fork and exec is unsafe where threads run.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execvp(sys.argv[1], sys.argv[1:])
