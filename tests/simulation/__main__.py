"""`python -m tests.simulation --seed 7 --steps 10000`: simulate, or replay."""

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.machine.postgres import EmbeddedPostgres
from tests.simulation.run import Failure, prepare, simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="drawn when it is not given")
    parser.add_argument("--steps", type=int, default=10_000, help="of each world")
    parser.add_argument("--worlds", type=int, default=1, help="so many seeds in a row")
    parser.add_argument("--seconds", type=float, default=0, help="seeds in a row for so long")
    parser.add_argument("--server", help="the address of a Postgres that `prepare` has prepared")
    arguments = parser.parse_args()
    first = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    with _server(arguments.server) as server:
        began = time.monotonic()
        for seed in itertools.count(first):
            print(f"make simulate SEED={seed} STEPS={arguments.steps}", flush=True)
            outcome = simulate(server, seed, arguments.steps)
            print(outcome, flush=True)
            if isinstance(outcome, Failure):
                return 1
            is_over = time.monotonic() - began >= arguments.seconds
            if seed + 1 >= first + arguments.worlds and is_over:
                break
    return 0


@contextmanager
def _server(address: str | None) -> Iterator[str]:
    if address is not None:
        yield address
        return
    with (
        tempfile.TemporaryDirectory(prefix="moodsearch-simulation-") as home,
        EmbeddedPostgres(Path(home)) as server,
    ):
        prepare(server.url)
        yield server.url


if __name__ == "__main__":
    sys.exit(main())
