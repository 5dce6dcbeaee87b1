"""Samples as a FLAC file in memory: lossless for 16-bit audio, and smaller than WAV."""

import io
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from resources.audio.windows import SAMPLE_RATE

FULL_SCALE: Final = 32768
"""What decoders divide 16-bit samples by."""


def encode_flac(samples: NDArray[np.float32]) -> bytes:
    """`samples`: (n,) mono, 48 kHz, in [-1, 1]; clipped and rounded to 16 bits."""
    integers = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    frame = av.AudioFrame.from_ndarray(
        integers.astype(np.int16)[np.newaxis], format="s16", layout="mono"
    )
    frame.sample_rate = SAMPLE_RATE
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
