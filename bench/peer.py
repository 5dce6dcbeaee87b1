"""The peers' program, started and asked from here."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

ROOT: Final = Path(__file__).resolve().parents[1]

ENVIRONMENT: Final = ROOT / ".venv-parity"
"""Made by `make parity` and `make bench`: PyTorch, transformers, librosa."""

RANDOM_EXPORT: Final = ROOT / ".cache" / "clap-random"
"""CLAP at full size with random weights, exported by `parity`; 770 MB."""


def why_there_are_no_peers() -> str | None:
    """None when they can be measured."""
    if not _python().exists():
        return "there is no .venv-parity; `make bench` installs it"
    return None


def export_at_full_size() -> Path:
    """The folder of the exported files; made at the first call, in about 20 s."""
    program = "import sys; from pathlib import Path; from parity.export import full_size; "
    program += "full_size(Path(sys.argv[1]))"
    command = [str(_python()), "-c", program, str(RANDOM_EXPORT)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return RANDOM_EXPORT


class Peer:
    """The running program."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def seconds(self, task: str, **arguments: object) -> float:
        """How long `task` took. Raises `RuntimeError` when the program has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([task, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peers' program ended during {task!r}; its error is above")
        return cast(float, json.loads(answer))


@contextmanager
def peer(threads: int, tokenizer: Path) -> Iterator[Peer]:
    """A fresh program with so many threads; it inherits this process's CPU affinity."""
    script = ROOT / "parity" / "peer.py"
    process = subprocess.Popen(
        [str(_python()), str(script), str(threads), str(tokenizer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.wait()


def _python() -> Path:
    return ENVIRONMENT / "bin" / "python"
