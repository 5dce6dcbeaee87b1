"""From a piece to its samples: finds the style's composer and hands it its dice."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from serving.demo.catalogue import DEMO_PIECES, PIECES_PER_STYLE
from serving.demo.encode import SAMPLE_RATE

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

MONO_PIECES: Final = frozenset({11, 25, 39, 53})
"""Numbers of the pieces in one channel."""


def compose(number: int) -> NDArray[np.float32]:
    """Piece `number` of the list: `(channels, n)` float32 at 48 kHz, 16-24 s, peak at most 0.95.

    Equal numbers give the same samples, except that the last bits depend on the processor's vector
    instructions.
    Raises `IndexError` for a number that no piece has.
    """
    take = Take(
        rng=np.random.default_rng([_SEED_SPACE, number]),
        sample_rate=SAMPLE_RATE,
        variant=number % PIECES_PER_STYLE,
    )
    mix = COMPOSERS[DEMO_PIECES[number].style](take)
    if number in MONO_PIECES:
        loudest = float(np.max(np.abs(mix)))
        mix = normalise(mix.mean(axis=0, dtype=np.float32, keepdims=True), loudest)
    return np.ascontiguousarray(mix)
