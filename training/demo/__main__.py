"""`python -m training.demo` renders the demo's files anew, which takes about a minute."""

from __future__ import annotations

import argparse
from pathlib import Path

from serving.demo.catalogue import DEMO_PIECES
from serving.demo.writer import SHIPPED
from training.demo.render import render


def main() -> None:
    """Render every piece, print what was written."""
    parser = argparse.ArgumentParser(prog="python -m training.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=SHIPPED, help="where the files go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for number in range(len(DEMO_PIECES)):
        path = render(number, folder)
        total += path.stat().st_size
        print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)
    print(f"{len(DEMO_PIECES)} files, {total:,} bytes")


if __name__ == "__main__":
    main()
