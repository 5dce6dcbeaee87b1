"""The two towers in PyTorch; `export.py` writes them for the product."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from resources.embedding.offline.mel import FRAMES, MEL_BANDS
from training.descriptors import DESCRIPTORS, Descriptors

SEGMENT = 256
STARTS = (0, 112, FRAMES - SEGMENT)
AUDIBLE = 0.02  # mean level of a segment (0-1 scale) under which it is left out
# The joint space is four spaces side by side, each learnt by a view of its own of the spectrogram;
# a dot product is then the weighted mean of four opinions, whose errors differ.
PARTS = (224, 128, 80, 80)
SHARES = (0.5, 0.3, 0.1, 0.1)
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


class Shapes(nn.Module):
    """Convolutions over time and frequency: a shape is the same shape at another pitch."""

    STRIDE = 16
    CHANNELS = (1, 24, 48, 96, 160)
    JOINED = 384

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise(self.CHANNELS)):
            size = 5 if index == 0 else 3
            layers += [
                nn.Conv2d(before, after, size, 2, size // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.blocks = nn.Sequential(*layers)
        self.join = nn.Sequential(
            nn.Conv1d(self.CHANNELS[-1] * (MEL_BANDS // self.STRIDE), self.JOINED, 1, bias=False),
            nn.BatchNorm1d(self.JOINED),
            nn.ReLU(),
        )
        self.attention = nn.Conv1d(self.JOINED, 1, 1)
        self.head = nn.Sequential(
            nn.Linear(3 * self.JOINED, 384), nn.ReLU(), nn.Dropout(0.1), nn.Linear(384, PARTS[0])
        )

    def frames(self, spectrogram: Tensor) -> Tensor:
        """(n, 80, t) -> (n, JOINED, t / STRIDE)."""
        return self.join(self.blocks(2 * spectrogram.unsqueeze(1) - 1).flatten(1, 2))

    def pool(self, frames: Tensor) -> Tensor:
        """Mean, maximum and attention over time."""
        weights = torch.softmax(self.attention(frames), -1)
        return self.head(
            torch.cat([frames.mean(-1), frames.amax(-1), (weights * frames).sum(-1)], 1)
        )


class Courses(nn.Module):
    """Convolutions over time alone, the bands being channels: how each register moves."""

    STRIDE = 8
    CHANNELS = (MEL_BANDS, 128, 192, 256)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise(self.CHANNELS)):
            size = 5 if index == 0 else 3
            layers += [
                nn.Conv1d(before, after, size, 2, size // 2, bias=False),
                nn.BatchNorm1d(after),
                nn.ReLU(),
            ]
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(3 * self.CHANNELS[-1], 320), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(320, PARTS[1]),
        )  # fmt: skip

    def frames(self, spectrogram: Tensor) -> Tensor:
        """(n, 80, t) -> (n, 256, t / STRIDE)."""
        return self.blocks(2 * spectrogram - 1)

    def pool(self, frames: Tensor) -> Tensor:
        """Mean, maximum and spread over time."""
        mean = frames.mean(-1)
        spread = ((frames - mean.unsqueeze(-1)).square().mean(-1) + 1e-4).sqrt()
        return self.head(torch.cat([mean, frames.amax(-1), spread], 1))


def _perceptron(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(width), nn.Linear(width, 384), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(384, out),
    )  # fmt: skip


class AudioTower(nn.Module):
    """Spectrogram (n, 80, 465) in [0, 1] -> (n, 512) of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes = Shapes()
        self.courses = Courses()
        self.levels = _perceptron(STATISTICS, PARTS[2])
        self.descriptors = Descriptors(SEGMENT)
        self.described = _perceptron(DESCRIPTORS, PARTS[3])

    def segment(self, spectrogram: Tensor) -> Tensor:
        """One segment (n, 80, SEGMENT) -> (n, 512) of length 1."""
        shapes, courses = self.shapes.frames(spectrogram), self.courses.frames(spectrogram)
        return self._views(shapes, courses, spectrogram)

    def _views(self, shapes: Tensor, courses: Tensor, spectrogram: Tensor) -> Tensor:
        views = [
            self.shapes.pool(shapes),
            self.courses.pool(courses),
            self.levels(statistics(spectrogram)),
            self.described(self.descriptors(spectrogram)),
        ]
        return join_parts(torch.cat(views, 1).float())

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Mean over the audible ones of three overlapping segments, convolved once."""
        shapes, courses = self.shapes.frames(spectrogram), self.courses.frames(spectrogram)
        total, weight = 0.0, 0.0
        for start in STARTS:
            part = spectrogram[:, :, start : start + SEGMENT]
            vectors = self._views(
                _cut(shapes, start, Shapes.STRIDE), _cut(courses, start, Courses.STRIDE), part
            )
            audible = (part.mean((1, 2)) > AUDIBLE).float().unsqueeze(1) + 1e-3
            total = total + audible * vectors
            weight = weight + audible
        return join_parts(total / weight)


def _cut(frames: Tensor, start: int, stride: int) -> Tensor:
    first = round(start / stride)
    return frames[:, :, first : first + SEGMENT // stride]


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
