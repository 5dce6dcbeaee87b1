"""Renders the files that ship: every piece as Opus, all of them together in 6 MB."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from serving.demo.catalogue import DEMO_PIECES, DemoPiece
from serving.demo.encode import SAMPLE_RATE, Format, encode
from training.demo.composer import compose

STEREO_OPUS: Final = Format("opus", "libopus", 32_000)
"""The most bits per second, in thousands, of a variable rate with which the files stay in 6 MB."""

MONO_OPUS: Final = Format("opus", "libopus", 24_000)

_FULL_SCALE: Final = 0.99
_PEAK: Final = 0.95
_CHUNK: Final = 16_384


def render(number: int, folder: Path) -> Path:
    """Compose piece `number` and write it to `folder`; returns the path.

    Opus keeps spectra, not peaks: noise and drums come out louder at times than they went in.
    Such a piece is encoded again with its peaks lower, until no player has to clip it.
    """
    piece = DEMO_PIECES[number]
    samples = compose(number)
    path = folder / piece.shipped_name
    _encode(samples, piece, path)
    while (peak := float(np.abs(decode(path)).max())) > _FULL_SCALE:
        samples = samples * np.float32(_PEAK / peak)
        _encode(samples, piece, path)
    return path


def decode(path: Path) -> NDArray[np.float32]:
    """Samples `(channels, n)` at 48 kHz of an Opus file."""
    with av.open(str(path)) as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(blocks, axis=1, dtype=np.float32)


def _encode(samples: NDArray[np.float32], piece: DemoPiece, path: Path) -> None:
    layout, target = ("mono", MONO_OPUS) if len(samples) == 1 else ("stereo", STEREO_OPUS)
    encode(_frames(samples, layout), layout, target, piece, path)


def _frames(samples: NDArray[np.float32], layout: str) -> Iterator[av.AudioFrame]:
    for start in range(0, samples.shape[1], _CHUNK):
        chunk = np.ascontiguousarray(samples[:, start : start + _CHUNK])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=layout)
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        yield frame
