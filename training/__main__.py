"""`python -m training all`, or one stage: generate, teacher, train, export, held-out.

`training.demo`, `evaluate`, `words`, `exclusions` and `calibrate` are commands of their own.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

STAGES = ("generate", "teacher", "train", "export", "held-out")
WEIGHTS = Path("resources/embedding/offline/weights")
CLIPS, HELD_OUT_CLIPS = 40_000, 1_200
STEPS = 6_000


def main() -> None:
    """Run one stage or all of them in turn."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("stage", choices=("all", *STAGES))
    parser.add_argument("--work", type=Path, default=Path("build/training"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where export writes")
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--workers", type=int, default=4, help="processes that generate")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=4, help="threads that train")
    parser.add_argument("--clips-seed", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2, help="of training")
    options = parser.parse_args()
    for stage in STAGES if options.stage == "all" else (options.stage,):
        started = time.monotonic()
        run(stage, options)
        print(f"{stage}: {(time.monotonic() - started) / 60:.1f} min", flush=True)


def run(stage: str, options: argparse.Namespace) -> None:
    """Run one stage; imports are per stage so that each needs only its own libraries."""
    work: Path = options.work
    clips, held_out = work / "clips", work / "held-out"
    table, checkpoint = work / "tokens.npz", work / "towers.pt"
    if stage == "generate":
        from training.generate import generate

        generate(clips, options.clips, options.workers, options.clips_seed)
        generate(held_out, HELD_OUT_CLIPS, options.workers, options.clips_seed + 1_000)
    elif stage == "teacher":
        from training.teacher import distil

        distil(table)
    elif stage == "train":
        from training.train import train

        train(clips, table, checkpoint, options.steps, options.seed, options.threads)
    elif stage == "export":
        from training.export import export

        export(checkpoint, table, options.weights)
    else:
        from training.held_out import evaluate_held_out

        evaluate_held_out(held_out)


if __name__ == "__main__":
    main()
