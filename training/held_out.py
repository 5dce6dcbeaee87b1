"""Reach of the words over generated clips that were held out: attributes and paraphrases.

Generated clips do not rank models for real audio; they show which words a model does not know.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from resources.embedding.offline import load_offline_model
from training.metrics import average_precision
from training.validation_queries import PARAPHRASES
from training.vocabulary import PHRASES, close

LEAST_CLIPS = 10


def evaluate_held_out(clips: Path) -> None:
    """Print the ten weakest attributes and the paraphrases with their average precision."""
    model = load_offline_model()
    spectrograms = np.load(clips / "spectrograms.npy", mmap_mode="r")
    tags = [close(found) for found in json.loads((clips / "tags.json").read_text())]
    vectors = np.concatenate([
        model.audio.run(None, {"spectrogram": spectrograms[i : i + 16].astype(np.float32) / 255})[0]
        for i in range(0, len(spectrograms), 16)
    ])  # fmt: skip
    attributes = {}
    for tag, phrases in PHRASES.items():
        relevant = np.array([tag in found for found in tags])
        if relevant.sum() >= LEAST_CLIPS:
            scores = model.embed_text(list(phrases)) @ vectors.T
            found = np.mean([average_precision(row, relevant) for row in scores])
            # How far above chance, so that a rare attribute compares with a common one.
            attributes[tag] = (float(found), float(relevant.mean()))
    print(f"attributes: mAP {np.mean([a for a, _ in attributes.values()]):.3f} over "
          f"{len(attributes)} in {len(tags)} clips; the weakest:")  # fmt: skip
    for tag, (found, chance) in sorted(
        attributes.items(), key=lambda item: (item[1][0] - item[1][1]) / (1 - item[1][1])
    )[:10]:
        print(f"  {found:.2f} (chance {chance:.2f}) {tag}")
    scores = model.embed_text(list(PARAPHRASES)) @ vectors.T
    values = []
    for row, (query, tag) in zip(scores, PARAPHRASES.items(), strict=True):
        relevant = np.array([tag in found for found in tags])
        if not relevant.any():
            print(f"  none {tag:15} {query}")
            continue
        values.append(average_precision(row, relevant))
        print(f"  {values[-1]:.2f} {tag:15} {query}")
    print(f"paraphrases: mAP {np.mean(values):.3f} over {len(values)}")
