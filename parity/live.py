"""Ours beside transformers at full size, both asked here and now."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity import export, reference, signals
from resources.audio.windows import repeat_pad
from resources.embedding.clap.folder import FolderFiles
from resources.embedding.clap.mel import log_mel
from resources.embedding.clap.model import ClapModel
from resources.embedding.clap.text import load_tokenizer, token_ids

FOLDER: Final = Path(__file__).resolve().parents[1] / ".cache" / "clap-random"

Array = NDArray[np.float32]
Inputs = TypeVar("Inputs")


@dataclass(frozen=True)
class Measured:
    """`worst` over all that were compared; `bound`: the largest, or with `least` the smallest, that
    passes."""

    name: str
    worst: float
    bound: float
    least: bool = False

    @property
    def passes(self) -> bool:
        return self.worst >= self.bound if self.least else self.worst <= self.bound


def run(folder: Path = FOLDER) -> int:
    """Print a table; 0 if everything is within its bound, else 1."""
    export.full_size(folder)
    rows = measure(folder)
    width = max(len(row.name) for row in rows)
    print(f"{'compared':<{width}}  {'worst':>12}  bound")
    for row in rows:
        sign = ">=" if row.least else "<="
        verdict = "" if row.passes else "  BROKEN"
        print(f"{row.name:<{width}}  {row.worst:>12.8g}  {sign} {row.bound:g}{verdict}")
    broken = sum(not row.passes for row in rows)
    if broken:
        print(f"{broken} of {len(rows)} bounds are broken", file=sys.stderr)
    return int(broken > 0)


def measure(folder: Path) -> list[Measured]:
    """Everything, on the export in `folder`."""
    model, extractor = export.full_size_model(folder)
    sounds = signals.signals()
    windows = np.stack([repeat_pad(samples) for samples in sounds.values()])
    spectrograms = [reference.mel(extractor, samples) for samples in sounds.values()]
    ids = export.token_ids(folder / export.TOKENIZER, signals.QUERIES)
    audio = reference.audio_vectors(model, spectrograms)
    text = reference.text_vectors(model, ids)
    ours = [log_mel(window) for window in windows]
    words = load_tokenizer(folder / export.TOKENIZER)
    unequal = sum(token_ids(words, q) != each for q, each in zip(signals.QUERIES, ids, strict=True))
    fp32 = ClapModel(FolderFiles(folder, "fp32"), text_threads=1)
    int8 = ClapModel(FolderFiles(folder, "int8"), text_threads=1)
    return [
        Measured("log-mel, max abs error in dB", _largest(ours, spectrograms), 1e-4),
        Measured("queries with other token ids", unequal, 0),
        *_vectors("audio", audio, fp32.embed_audio, int8.embed_audio, windows),
        *_vectors("text", text, fp32.embed_text, int8.embed_text, signals.QUERIES),
    ]


def _vectors(
    name: str,
    theirs: Array,
    fp32: Callable[[Inputs], Array],
    int8: Callable[[Inputs], Array],
    inputs: Inputs,
) -> list[Measured]:
    unlike = np.abs(theirs @ theirs.T)[~np.eye(len(theirs), dtype=bool)]
    return [
        # Else the cosines below would be near 1 whatever we answered.
        Measured(f"{name}, mean |cosine| of unlike inputs", float(unlike.mean()), 0.6),
        Measured(f"{name} fp32, min cosine", _least_cosine(fp32(inputs), theirs), 0.9999, True),
        Measured(f"{name} int8, min cosine", _least_cosine(int8(inputs), theirs), 0.9, True),
    ]


def _least_cosine(ours: Array, theirs: Array) -> float:
    return float((ours.astype(np.float64) * theirs).sum(axis=1).min())


def _largest(ours: list[Array], theirs: list[Array]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
