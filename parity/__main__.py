"""`python -m parity fixtures`: write the default tests' fixture anew. `python -m parity live`:
compare at full size; exit code 1 if a bound is broken."""

import argparse
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity", description=__doc__)
    parser.add_argument("task", choices=["fixtures", "live"])
    parser.add_argument("--folder", type=Path, help="instead of the usual one")
    arguments = parser.parse_args()
    # Only what the task needs: the fixture must come out of transformers alone, none of it ours.
    if arguments.task == "fixtures":
        from parity import fixtures  # noqa: PLC0415

        fixtures.write(arguments.folder or fixtures.FOLDER)
        return 0
    from parity import live  # noqa: PLC0415

    return live.run(arguments.folder or live.FOLDER)


if __name__ == "__main__":
    sys.exit(main())
