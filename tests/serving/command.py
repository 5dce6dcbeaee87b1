"""Runs the command line: in this process, or in one of its own."""

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MODULE = [sys.executable, "-m", "serving.cli"]
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome:
    status: int
    output: str
    errors: str

    @property
    def is_one_error_line(self) -> bool:
        return self.errors.startswith("error: ") and self.errors.count("\n") == 1


Command = Callable[..., Outcome]


def run_program(*arguments: str) -> Outcome:
    """In a process of its own."""
    done = subprocess.run(
        [*MODULE, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def start_program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MODULE, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def restore_signals() -> Callable[[], None]:
    """What puts back the handlers that the command line replaces."""
    handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}

    def restore() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    return restore


def write_tone(path: Path, hertz: float = 440) -> Path:
    """A second of a tone, as a WAV file whatever the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.3 * np.sin(2 * np.pi * hertz * np.arange(22_050) / 22_050)
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return path
