"""The two towers in PyTorch; `export.py` writes them for the product."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from resources.embedding.offline.mel import FRAMES, MEL_BANDS

SEGMENT = 256
STARTS = (0, 112, FRAMES - SEGMENT)
STRIDE = 16  # of the convolutions, in frames
AUDIBLE = 0.02  # mean level of a segment (0-1 scale) under which it is left out
CHANNELS = (1, 24, 48, 96, 160)
JOINED = 384
# The joint space is two spaces side by side, one heard by convolutions and one by statistics of the
# bands; a dot product is then the weighted mean of two opinions.
PARTS = (384, 128)
SHARES = (0.7, 0.3)
DIMENSION = sum(PARTS)
STATISTICS = 4 * MEL_BANDS


def join_parts(vectors: Tensor) -> Tensor:
    """Give each part of (n, 512) its share of a length of 1."""
    parts = vectors.split(PARTS, 1)
    scaled = [
        math.sqrt(share) * functional.normalize(part, dim=1)
        for part, share in zip(parts, SHARES, strict=True)
    ]
    return torch.cat(scaled, 1)


def statistics(spectrogram: Tensor) -> Tensor:
    """Mean, spread, maximum and mean change of every band: (n, 80, t) -> (n, 320)."""
    mean = spectrogram.mean(2)
    spread = ((spectrogram - mean.unsqueeze(2)).square().mean(2) + 1e-4).sqrt()
    change = (spectrogram[:, :, 1:] - spectrogram[:, :, :-1]).abs().mean(2)
    return torch.cat([mean, spread, spectrogram.amax(2), change], 1)


class AudioTower(nn.Module):
    """Spectrogram (n, 80, 465) in [0, 1] -> (n, 512) of length 1."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise(CHANNELS)):
            size = 5 if index == 0 else 3
            layers += [
                nn.Conv2d(before, after, size, 2, size // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.blocks = nn.Sequential(*layers)
        self.join = nn.Sequential(
            nn.Conv1d(CHANNELS[-1] * (MEL_BANDS // STRIDE), JOINED, 1, bias=False),
            nn.BatchNorm1d(JOINED),
            nn.ReLU(),
        )
        self.attention = nn.Conv1d(JOINED, 1, 1)
        self.head = nn.Sequential(
            nn.Linear(3 * JOINED, 384), nn.ReLU(), nn.Dropout(0.1), nn.Linear(384, PARTS[0])
        )

        self.opinion = nn.Sequential(
            nn.BatchNorm1d(STATISTICS),
            nn.Linear(STATISTICS, 384),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(384, PARTS[1]),
        )

    def segment(self, spectrogram: Tensor) -> Tensor:
        """One segment (n, 80, SEGMENT) -> (n, 512) of length 1."""
        return self._pool(self._frames(spectrogram), spectrogram)

    def _frames(self, spectrogram: Tensor) -> Tensor:
        maps = self.blocks(2 * spectrogram.unsqueeze(1) - 1)
        return self.join(maps.flatten(1, 2))

    def _pool(self, frames: Tensor, spectrogram: Tensor) -> Tensor:
        weights = torch.softmax(self.attention(frames), -1)
        pooled = [frames.mean(-1), frames.amax(-1), (weights * frames).sum(-1)]
        heard = self.head(torch.cat(pooled, 1))
        return join_parts(torch.cat([heard, self.opinion(statistics(spectrogram))], 1).float())

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Mean over the audible ones of three overlapping segments, convolved once."""
        frames = self._frames(spectrogram)
        total, weight = 0.0, 0.0
        for start in STARTS:
            part = spectrogram[:, :, start : start + SEGMENT]
            first = round(start / STRIDE)
            pooled = self._pool(frames[:, :, first : first + SEGMENT // STRIDE], part)
            audible = (part.mean((1, 2)) > AUDIBLE).float().unsqueeze(1) + 1e-3
            total = total + audible * pooled
            weight = weight + audible
        return join_parts(total / weight)


class TextTower(nn.Module):
    """Mean token vector (n, d) of length 1 -> (n, 512) of length 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.skip = nn.Linear(width, DIMENSION)
        self.hidden = nn.Linear(width, 512)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(512, DIMENSION, bias=False)

    def forward(self, means: Tensor) -> Tensor:
        """Linear skip plus one hidden layer."""
        hidden = self.drop(torch.relu(self.hidden(means)))
        return join_parts(self.skip(means) + self.out(hidden))
