"""Sounds and queries with what is right for them, to measure what happens to queries: the demo's
catalogue, and the validation half of Sonic Pi's samples. Never its test half."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resources.embedding.protocol import EmbeddingModel
from serving.demo import DEMO_PIECES, write_catalogue
from training.evaluate import SPLIT, embed_file

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Sounds:
    """`names`: a style or a sample's name for each row of `vectors` (n, 512)."""

    names: list[str]
    vectors: Vectors

    def are(self, patterns: Iterable[str]) -> NDArray[np.bool_]:
        """(n,) which of them match one of the patterns ("hat_*")."""
        patterns = list(patterns)
        return np.array([any(fnmatch(name, p) for p in patterns) for name in self.names])


def demo_sounds(model: EmbeddingModel) -> Sounds:
    """The demo's pieces, named by their styles."""
    with tempfile.TemporaryDirectory() as folder:
        write_catalogue(Path(folder))
        vectors = [embed_file(model, Path(folder) / piece.file_name) for piece in DEMO_PIECES]
    return Sounds([piece.style for piece in DEMO_PIECES], np.array(vectors))


def sample_sounds(model: EmbeddingModel, folder: Path) -> Sounds:
    """The validation half of the samples in `folder`."""
    names = [name for name, half in json.loads(SPLIT.read_text()).items() if half == "validation"]
    return Sounds(names, np.array([embed_file(model, folder / f"{name}.flac") for name in names]))
