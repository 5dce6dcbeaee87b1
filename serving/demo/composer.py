"""From a piece to its samples: finds the style's composer and hands it its dice."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .pieces import DemoPiece
from .score.take import Take
from .styles.acoustic import folk_guitar, jazz_trio
from .styles.ambient import dark_ambient, meditation_bells
from .styles.chamber import choir, string_quartet
from .styles.chip import chiptune
from .styles.club import drum_and_bass, techno
from .styles.fanfare import brass_fanfare
from .styles.grooves import dub_reggae, lofi_hip_hop
from .styles.keys import solo_piano
from .styles.noise import harsh_noise
from .styles.retro import synthwave
from .synthesis.signals import Signal, normalise

COMPOSERS: Final[Mapping[str, Callable[[Take], Signal]]] = MappingProxyType(
    {
        "dark ambient drone": dark_ambient,
        "driving techno": techno,
        "solo piano": solo_piano,
        "string quartet": string_quartet,
        "chiptune": chiptune,
        "drum and bass": drum_and_bass,
        "acoustic guitar folk": folk_guitar,
        "lo-fi hip hop": lofi_hip_hop,
        "brass fanfare": brass_fanfare,
        "jazz trio": jazz_trio,
        "harsh noise": harsh_noise,
        "meditation bells": meditation_bells,
        "choir": choir,
        "synthwave": synthwave,
        "dub reggae": dub_reggae,
    }
)
"""The composer of each style."""

_SEED_SPACE: Final = 20_814
"""Keeps the dice of this catalogue apart from any other use of small seeds."""


def compose(piece: DemoPiece) -> NDArray[np.float32]:
    """The piece at its own sample rate: ``(channels, n)`` float32, 16-24 s, peak at most 0.95.

    Raises ``KeyError`` for a style that has no composer.
    """
    take = Take(
        rng=np.random.default_rng([_SEED_SPACE, piece.seed]),
        sample_rate=piece.sample_rate,
        variant=piece.seed % 4,
    )
    mix = COMPOSERS[piece.style](take)
    if piece.channels == 1:
        loudest = float(np.max(np.abs(mix)))
        mix = normalise(mix.mean(axis=0, dtype=np.float32, keepdims=True), loudest)
    return np.ascontiguousarray(mix)
