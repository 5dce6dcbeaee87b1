"""Stage 4: models side by side on sounds that no generated clip came from.

`python -m training.evaluate --samples FOLDER --models offline OTHER`: a table with a column for
each model, any value of CLAP_MODEL or a folder that `training export` wrote. Two sets: Sonic Pi's
samples, halved by file hash (`split.json`: look at the validation half while working, at the test
half for the report only), and the demo's catalogue, which other synthesisers made
(`training/demo`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.audio.decode import decode_windows
from resources.audio.probe import probe
from resources.audio.windows import pool
from resources.embedding.local import load_local_model
from resources.embedding.offline import load_offline_model
from resources.embedding.offline.model import TEXT_FILE
from resources.embedding.protocol import EmbeddingModel
from resources.settings import Settings
from serving.demo import DEMO_PIECES, DEMO_QUERIES, EXTRA_QUERIES, write_catalogue
from training.metrics import average_precision
from training.validation_queries import QUERIES, REPHRASED

SPLIT = Path(__file__).parent / "split.json"
Vectors = NDArray[np.float32]


def write_split(samples: Path) -> None:
    """Assign every sample to a half by the parity of its file's SHA-256."""
    parts = {
        path.stem: "test" if hashlib.sha256(path.read_bytes()).digest()[0] % 2 else "validation"
        for path in sorted(samples.glob("*.flac"))
    }
    SPLIT.write_text(json.dumps(parts, indent=0) + "\n")


def embed_file(model: EmbeddingModel, path: Path) -> Vectors:
    """One vector (512,) for a file, as the product makes it."""
    return pool(model.embed_audio(decode_windows(path, probe(path)).samples))


def sample_results(model: EmbeddingModel, folder: Path, part: str) -> dict[str, float]:
    """Average precision of every category query that has a relevant sample in that half."""
    names = [name for name, half in json.loads(SPLIT.read_text()).items() if half == part]
    vectors = np.array([embed_file(model, folder / f"{name}.flac") for name in names])
    results = {}
    for query, patterns in QUERIES.items():
        relevant = np.array([any(fnmatch(n, p) for p in patterns.split()) for n in names])
        if not relevant.any():
            continue
        texts = model.embed_text([query, *REPHRASED[query]]) @ vectors.T
        results[query] = average_precision(texts[0], relevant)
        results[f"{query} (rephrased)"] = float(
            np.mean([average_precision(row, relevant) for row in texts[1:]])
        )
    return results


def demo_results(model: EmbeddingModel, folder: Path) -> dict[str, float]:
    """Reciprocal rank and average precision of the style that each of the demo's queries means."""
    vectors = np.array([embed_file(model, folder / piece.file_name) for piece in DEMO_PIECES])
    styles = np.array([piece.style for piece in DEMO_PIECES])
    queries = [*DEMO_QUERIES, *EXTRA_QUERIES]
    scores = model.embed_text([query.query for query in queries]) @ vectors.T
    results = {}
    for query, row in zip(queries, scores, strict=True):
        relevant = styles == query.style
        first = int(np.flatnonzero(relevant[np.argsort(-row, kind="stable")])[0])
        results[f"{query.query} (reciprocal rank)"] = 1 / (1 + first)
        results[f"{query.query} (precision)"] = average_precision(row, relevant)
    return results


def summary(results: Mapping[str, float], kind: str) -> dict[str, float]:
    """Means over queries."""
    if kind == "demo":
        ranks = [v for k, v in results.items() if k.endswith("(reciprocal rank)")]
        precisions = [v for k, v in results.items() if k.endswith("(precision)")]
        return {
            "demo: mean reciprocal rank": float(np.mean(ranks)),
            "demo: mean average precision": float(np.mean(precisions)),
        }
    plain = [v for k, v in results.items() if not k.endswith("(rephrased)")]
    again = [v for k, v in results.items() if k.endswith("(rephrased)")]
    return {
        f"{kind}: mean average precision": float(np.mean(plain)),
        f"{kind}: the same, queries rephrased": float(np.mean(again)),
    }


def print_table(columns: Mapping[str, Mapping[str, float]]) -> None:
    """Rows are metrics, columns models."""
    rows = list(next(iter(columns.values())))
    width = max(map(len, rows))
    print(" " * width, *(f"{name[-12:]:>12}" for name in columns))
    for row in rows:
        print(f"{row:{width}}", *(f"{column[row]:12.3f}" for column in columns.values()))


def load(name: str) -> EmbeddingModel:
    """A value of CLAP_MODEL, or a folder with weights of the offline model's design."""
    if (Path(name) / TEXT_FILE).exists():
        return load_offline_model(weights=Path(name))
    return load_local_model(Settings(clap_model=name))


def evaluate(models: Sequence[str], samples: Path | None, parts: Sequence[str]) -> None:
    """Print the tables: single queries, then means."""
    details: dict[str, dict[str, float]] = {}
    totals: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_catalogue(Path(folder))
        for name in models:
            model = load(name)
            demo = demo_results(model, Path(folder))
            details[name], totals[name] = dict(demo), summary(demo, "demo")
            for part in parts if samples else ():
                found = sample_results(model, samples, part)
                totals[name] |= summary(found, part)
                details[name] |= {f"{part}: {query}": value for query, value in found.items()}
    print_table(details)
    print()
    print_table(totals)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    parser.add_argument("--models", nargs="+", default=["offline"])
    parser.add_argument("--samples", type=Path, help="folder of Sonic Pi's samples (.flac)")
    parser.add_argument(
        "--parts", nargs="+", choices=("validation", "test"), default=["validation"]
    )
    options = parser.parse_args()
    evaluate(options.models, options.samples, options.parts)


if __name__ == "__main__":
    main()
