"""`python -m training generate|teacher|train|export|evaluate`: the stages, in this order."""

from __future__ import annotations

import argparse
from pathlib import Path

STAGES = ("generate", "teacher", "train", "export", "evaluate", "paraphrases")
WEIGHTS = Path("resources/embedding/offline/weights")


def main() -> None:
    """Run one stage; imports are per stage so that each needs only its own libraries."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("build/training/clips")])
    parser.add_argument("--work", type=Path, default=Path("build/training"))
    parser.add_argument("--samples", type=Path, help="folder of Sonic Pi's samples, for evaluate")
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--clips", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--start-from", type=Path, help="a checkpoint to go on training from")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    table, checkpoint = options.work / "tokens.npz", options.work / "towers.pt"
    if options.stage == "generate":
        from training.generate import generate

        generate(options.data[0], options.clips, options.workers, options.seed)
    elif options.stage == "teacher":
        from training.teacher import distil

        distil(table)
    elif options.stage == "train":
        from training.train import train

        train(options.data, table, checkpoint, options.steps, options.seed, options.threads,
              options.start_from, options.rate)  # fmt: skip
    elif options.stage == "export":
        from training.export import export

        export(checkpoint, table, WEIGHTS)
    elif options.stage == "paraphrases":
        from training.evaluate import evaluate_synthetic

        evaluate_synthetic(options.data[0])
    else:
        from training.evaluate import evaluate

        evaluate(options.samples, options.part, detail=options.part == "validation")


if __name__ == "__main__":
    main()
