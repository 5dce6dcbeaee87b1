"""Which modules a program loads."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def loaded_by(program: str, names: Sequence[str], **environment: str) -> list[str]:
    """Those of the modules `names` that Python code loads, run in a process of its own."""
    script = f"import sys\n{program}\nprint(*(n for n in {list(names)} if n in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()
