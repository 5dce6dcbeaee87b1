"""What a segment is like without its shapes: cepstrum, modulation, levels, spectrum.

Computed from the spectrogram alone with fixed matrices, so that they export with the tower.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from resources.embedding.offline.mel import MEL_BANDS

CEPSTRA = 24
GROUPS = 10
MODULATIONS = 24
THRESHOLDS = (0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9)
FRAMES_PER_SECOND = 24_000 / 512
SLOWEST, FASTEST = 0.3, 20.0  # modulation in Hz: from phrases over beats to roughness
DESCRIPTORS = 3 * CEPSTRA + (GROUPS + 1) * MODULATIONS + GROUPS * len(THRESHOLDS) + 8


class Descriptors(nn.Module):
    """(n, 80, frames) in [0, 1] -> (n, DESCRIPTORS)."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        band = (torch.arange(MEL_BANDS) + 0.5) * math.pi / MEL_BANDS
        time = torch.arange(frames) / FRAMES_PER_SECOND
        hertz = torch.logspace(math.log10(SLOWEST), math.log10(FASTEST), MODULATIONS)
        turns = 2 * math.pi * time[:, None] * hertz
        window = torch.hann_window(frames)[:, None] * 4 / frames
        thresholds = torch.tensor(THRESHOLDS)[:, None, None]
        for name, constant in {
            "cosines": torch.cos(torch.arange(1, CEPSTRA + 1)[:, None] * band) / MEL_BANDS,
            "in_phase": torch.cos(turns) * window,
            "quadrature": torch.sin(turns) * window,
            "thresholds": thresholds,
            "bands": torch.linspace(0, 1, MEL_BANDS)[:, None],
        }.items():
            self.register_buffer(name, constant, persistent=False)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """See the class."""
        rising = (spectrogram[:, :, 1:] - spectrogram[:, :, :-1]).relu().mean(1, keepdim=True)
        onsets = torch.cat([torch.zeros_like(rising[:, :, :1]), 8 * rising], 2)
        groups = spectrogram.unflatten(1, (GROUPS, MEL_BANDS // GROUPS)).mean(2)
        parts = [
            self._cepstrum(spectrogram),
            self._modulation(torch.cat([groups, onsets], 1)),
            self._levels(groups),
            self._spectrum(spectrogram),
        ]
        return torch.cat([part.flatten(1) for part in parts], 1)

    def _cepstrum(self, spectrogram: Tensor) -> Tensor:
        cepstrum = self.cosines @ spectrogram
        mean = cepstrum.mean(2)
        spread = ((cepstrum - mean.unsqueeze(2)).square().mean(2) + 1e-6).sqrt()
        change = (cepstrum[:, :, 1:] - cepstrum[:, :, :-1]).abs().mean(2)
        return torch.cat([mean, spread, change], 1)

    def _modulation(self, courses: Tensor) -> Tensor:
        centred = courses - courses.mean(2, keepdim=True)
        power = (centred @ self.in_phase).square() + (centred @ self.quadrature).square()
        return (power + 1e-5).log()

    def _levels(self, groups: Tensor) -> Tensor:
        above = torch.sigmoid(25 * (groups.unsqueeze(1) - self.thresholds.unsqueeze(0)))
        return above.mean(3)

    def _spectrum(self, spectrogram: Tensor) -> Tensor:
        """Centre, width, crest and level over time: mean and spread of each."""
        weights = torch.softmax(12 * spectrogram, 1)
        centre = (weights * self.bands).sum(1)
        width = ((weights * (self.bands - centre.unsqueeze(1)).square()).sum(1) + 1e-6).sqrt()
        level = spectrogram.mean(1)
        courses = torch.stack([centre, width, spectrogram.amax(1) - level, level], 1)
        mean = courses.mean(2)
        spread = ((courses - mean.unsqueeze(2)).square().mean(2) + 1e-6).sqrt()
        return torch.cat([mean, spread], 1)
