"""Stage 4: the exported model on real samples it was never trained on.

The samples are halved by file hash (`split.json`): look at the validation half while working, at
the test half for the report only.
"""

from __future__ import annotations

import hashlib
import json
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

from resources.embedding.offline import load_offline_model
from resources.embedding.protocol import SAMPLE_RATE, WINDOW_SAMPLES
from training.validation_queries import PARAPHRASES, QUERIES
from training.vocabulary import close

SPLIT = Path(__file__).parent / "split.json"


def write_split(samples: Path) -> None:
    """Assign every sample to a half by the parity of its file's SHA-256."""
    parts = {
        path.stem: "test" if hashlib.sha256(path.read_bytes()).digest()[0] % 2 else "validation"
        for path in sorted(samples.glob("*.flac"))
    }
    SPLIT.write_text(json.dumps(parts, indent=0) + "\n")


def windows(path: Path) -> np.ndarray:
    """Up to three evenly spaced windows (n, 480000) of a file, short ones repeated and padded."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wave = signal.resample_poly(wave.mean(1), SAMPLE_RATE, rate).astype(np.float32)
    if len(wave) < WINDOW_SAMPLES:
        wave = np.tile(wave, WINDOW_SAMPLES // len(wave))
        return np.pad(wave, (0, WINDOW_SAMPLES - len(wave)))[None]
    count = min(3, 1 + (len(wave) - 1) // WINDOW_SAMPLES)
    starts = np.linspace(0, len(wave) - WINDOW_SAMPLES, count).astype(int)
    return np.stack([wave[s : s + WINDOW_SAMPLES] for s in starts])


def average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Mean of the precision at every relevant item."""
    hits = relevant[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def evaluate(samples: Path, part: str, detail: bool) -> dict[str, float]:
    """Mean average precision of the category queries on one half ("validation" or "test")."""
    model = load_offline_model()
    names = [n for n, p in json.loads(SPLIT.read_text()).items() if p == part]
    vectors = []
    for name in names:
        mean = model.embed_audio(windows(samples / f"{name}.flac")).mean(0)
        vectors.append(mean / np.linalg.norm(mean))
    scores = model.embed_text(list(QUERIES)) @ np.array(vectors).T
    results, chance = {}, []
    for row, (query, patterns) in enumerate(QUERIES.items()):
        relevant = np.array([any(fnmatch(n, p) for p in patterns.split()) for n in names])
        if relevant.any():
            results[query] = average_precision(scores[row], relevant)
            chance.append(relevant.mean())
            if detail:
                best = [names[i] for i in np.argsort(-scores[row])[:6]]
                print(f"{results[query]:.2f} {relevant.sum():3d} {query:28} {' '.join(best)}")
    mean = float(np.mean(list(results.values())))
    print(f"{part}: mAP {mean:.3f} over {len(results)} queries, {len(names)} samples, "
          f"prevalence {np.mean(chance):.3f}")  # fmt: skip
    return {"map": mean, **results}


def evaluate_synthetic(clips: Path) -> float:
    """Mean average precision of the paraphrases over held-out generated clips."""
    model = load_offline_model()
    spectrograms = np.load(clips / "spectrograms.npy", mmap_mode="r")
    tags = [close(found) for found in json.loads((clips / "tags.json").read_text())]
    vectors = np.concatenate([
        model.audio.run(None, {"spectrogram": spectrograms[i : i + 16].astype(np.float32) / 255})[0]
        for i in range(0, len(spectrograms), 16)
    ])  # fmt: skip
    scores = model.embed_text(list(PARAPHRASES)) @ vectors.T
    values = []
    for row, (query, tag) in zip(scores, PARAPHRASES.items(), strict=True):
        values.append(average_precision(row, np.array([tag in found for found in tags])))
        print(f"{values[-1]:.2f} {tag:15} {query}")
    print(f"paraphrases: mAP {np.mean(values):.3f} over {len(tags)} held-out clips")
    return float(np.mean(values))
