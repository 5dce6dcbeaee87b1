"""Fits the number that people see (`serving/search/shown_similarity.py`) to a model's cosines.

`python -m training.calibrate --model offline --samples FOLDER` compares the cosines of queries with
sounds that they mean and with all others, and prints the logistic curve that tells them apart best
when both are as likely: its midpoint is where a match is as likely as not. Then it prints what
would be shown. Copy midpoint and width when the weights change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.embedding.local import load_local_model
from resources.settings import Settings
from serving.demo import DEMO_QUERIES, EXTRA_QUERIES
from serving.search.query_vectors import QueryVectors
from serving.search.shown_similarity import ShownScale, shown_scale
from training.judged import Sounds, demo_sounds, sample_sounds
from training.validation_queries import QUERIES, REPHRASED

MEANINGLESS = ("asdf qwer", "the of and", "🎹", "🙂🙂🙂", "qzxv", "???", "12345", "bbbb", "hjkl")
Cosines = NDArray[np.float64]


def judged_queries(sounds: Sounds, *, demo: bool) -> list[tuple[str, NDArray[np.bool_]]]:
    """Queries and which of the sounds they mean."""
    if demo:
        return [(q.query, sounds.are([q.style])) for q in (*DEMO_QUERIES, *EXTRA_QUERIES)]
    return [
        (text, sounds.are(patterns.split()))
        for query, patterns in QUERIES.items()
        for text in (query, *REPHRASED[query])
    ]


def fit(matches: Cosines, others: Cosines) -> tuple[float, float]:
    """Midpoint and width of the logistic curve of most likelihood, both kinds weighing the same."""
    cosines = np.concatenate([matches, others])
    is_match = np.repeat([1.0, 0.0], [len(matches), len(others)])
    weights = np.repeat([0.5 / len(matches), 0.5 / len(others)], [len(matches), len(others)])
    design = np.stack([np.ones_like(cosines), cosines], axis=1)
    logit = np.zeros(2)
    for _ in range(50):  # Newton's method; converges in ten or so.
        expected = 1 / (1 + np.exp(-design @ logit))
        gradient = design.T @ (weights * (is_match - expected))
        curvature = (design.T * (weights * expected * (1 - expected))) @ design
        logit += np.linalg.solve(curvature, gradient)
    return float(-logit[0] / logit[1]), float(1 / logit[1])


def main() -> None:
    """Read the command line, print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__)
    parser.add_argument("--model", default="offline", help="any value of CLAP_MODEL")
    parser.add_argument("--samples", type=Path, help="folder of Sonic Pi's samples (.flac)")
    options = parser.parse_args()
    model = load_local_model(Settings(clap_model=options.model))
    queries = QueryVectors(model)
    demo = demo_sounds(model)
    sets = {"demo": demo}
    if options.samples:
        sets["samples"] = sample_sounds(model, options.samples)
    midpoints, widths = [], []
    for name, sounds in sets.items():
        matches, others = [], []
        for query, meant in judged_queries(sounds, demo=name == "demo"):
            cosines = sounds.vectors @ queries.vector(query)
            matches.append(cosines[meant])
            others.append(cosines[~meant])
        found, rest = np.concatenate(matches), np.concatenate(others)
        midpoint, width = fit(found, rest)
        midpoints.append(midpoint)
        widths.append(width)
        print(f"{name}: midpoint {midpoint:.3f}, width {width:.3f}")
        for kind, values in (("matches", found), ("others", rest)):
            quantiles = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
            print(f"  {kind:8} 5, 25, 50, 75, 95 %: {quantiles.round(3)}")
    fitted = ShownScale(float(np.mean(midpoints)), float(np.mean(widths)))
    print(f"mean: midpoint {fitted.midpoint:.3f}, width {fitted.width:.3f}")
    for name, scale in (("fitted", fitted), ("in use", shown_scale(model.model))):
        _print_shown(name, scale, queries, demo)


def _print_shown(name: str, scale: ShownScale, queries: QueryVectors, demo: Sounds) -> None:
    good = sorted(
        scale.percent(float((demo.vectors @ queries.vector(query))[meant].max()))
        for query, meant in judged_queries(demo, demo=True)
    )
    empty = [
        scale.percent(float((demo.vectors @ queries.vector(text)).max())) for text in MEANINGLESS
    ]
    print(
        f"{name}: best match of the {len(good)} demo queries {good[0]} to {good[-1]} %,"
        f" over 60 % for {np.mean(np.array(good) > 60):.0%};"
        f" best of queries that mean nothing {max(empty)} %"
    )


if __name__ == "__main__":
    main()
