"""Whether the simulation finds planted bugs: `make mutants`.

Each patch in `mutants/` breaks the product in one way, which its first line names. Applied to a
copy of the tree, it must make the simulation fail with one of a few fixed seeds, with all of which
the tree as it is passes.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from resources.machine.postgres import EmbeddedPostgres
from tests.simulation.run import prepare

ROOT: Final = Path(__file__).resolve().parents[2]
PATCHES: Final = Path(__file__).with_name("mutants")

SEEDS: Final = 12
STEPS: Final = 2_500
"""Of each seed. Most bugs are found within a few hundred."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these patches")
    names = parser.parse_args().names
    patches = [p for p in sorted(PATCHES.glob("*.patch")) if not names or p.stem in names]
    with tempfile.TemporaryDirectory(prefix="moodsearch-mutants-") as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        with EmbeddedPostgres(Path(folder) / "home") as server:
            prepare(server.url)
            if not names and (found := _failure(tree, server.url)) is not None:
                print(f"without a mutant: {found}: nothing can be said of the others")
                return 1
            caught = [_is_caught(patch, tree, server.url) for patch in patches]
    print(f"{sum(caught)} of {len(caught)} mutants were caught")
    return 0 if all(caught) and patches else 1


def copy_tree(tree: Path) -> None:
    """What git knows, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "assets", "pipelines", "resources", "serving", "tests", "*.yaml"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def _is_caught(patch: Path, tree: Path, server: str) -> bool:
    began = time.monotonic()
    if not apply(patch, tree):
        print(f"  {patch.stem}: DOES NOT APPLY", flush=True)
        return False
    try:
        found = _failure(tree, server)
    finally:
        apply(patch, tree, "--reverse")
    seconds = time.monotonic() - began
    if found is None:
        print(f"  {patch.stem}: NOT CAUGHT ({seconds:.0f} s)", flush=True)
        return False
    why, replay = found
    print(f"  {patch.stem}: caught by {replay} ({seconds:.0f} s): {why[:100]}", flush=True)
    return True


def _failure(tree: Path, server: str) -> tuple[str, str] | None:
    """Why the tree fails with one of the seeds, and the line that replays it."""
    simulation = subprocess.run(
        [
            *(sys.executable, "-m", "tests.simulation", "--server", server),
            *("--seed", "0", "--worlds", str(SEEDS), "--steps", str(STEPS)),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^FAILED at step \d+: (.*)\nReplay: (.*)$", simulation.stdout, re.MULTILINE)
    if simulation.returncode != 0 and not found:
        # The simulation itself does not run, which is no catch.
        print(simulation.stderr, flush=True)
    return found[-1] if found else None


def apply(patch: Path, tree: Path, *options: str) -> bool:
    """Whether the patch fits exactly where it says."""
    command = ["git", "apply", "--unidiff-zero", *options, str(patch)]
    return subprocess.run(command, cwd=tree, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
