"""From FFmpeg's frames to mono float samples at CLAP's rate."""

from math import gcd
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from resources.audio.windows import SAMPLE_RATE
from resources.errors import TrackError

_LOUDEST: Final = 1024.0
"""60 dB over full scale. Only damaged files go there; the bound keeps sums and filters finite."""


_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "u8": np.dtype(np.uint8),
    "s16": np.dtype(np.int16),
    "s32": np.dtype(np.int32),
    "s64": np.dtype(np.int64),
    "flt": np.dtype(np.float32),
    "dbl": np.dtype(np.float64),
}
"""FFmpeg's sample formats; a `p` at the end of the name says that channels are apart (planar)."""


def mono(frame: AudioFrame) -> tuple[NDArray[np.float32], int]:
    """The mean of a frame's channels, as CLAP's training did (`librosa.to_mono`), and how many
    samples are valid in at least one channel.

    FFmpeg's own down-mix is not used: it scales integer and float formats differently. Returns
    (n,) float32 at the frame's rate, full scale 1, always finite: invalid samples become 0. Raises
    `TrackError` for a sample format that is not supported.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # damage is looked for just below
        channels = _channels(frame)
        # A sum rather than a mean: this runs for each of a window's thousand frames.
        mixed: NDArray[np.float32] = np.add.reduce(channels, axis=0)
        mixed *= np.float32(1 / len(channels))
    if np.abs(mixed).max(initial=0) <= _LOUDEST:  # false for NaN too
        return mixed, len(mixed)
    finite = np.isfinite(channels)
    bounded = np.clip(np.where(finite, channels, 0), -_LOUDEST, _LOUDEST)
    return bounded.mean(axis=0, dtype=np.float32), int(finite.any(axis=0).sum())


def _channels(frame: AudioFrame) -> NDArray[np.float32]:
    """(channels, n) float32, full scale 1, whatever the frame's sample format."""
    sample_format, count = frame.format, frame.layout.nb_channels
    dtype = _DTYPES.get(sample_format.name.removesuffix("p"))
    if dtype is None:
        raise TrackError(f"sample format {sample_format.name} is not supported")
    samples = np.empty((count, frame.samples), dtype=np.float32)
    # Not frame.to_ndarray(): from 8 channels on PyAV sees planes that are not there and crashes.
    planes: tuple[Any, ...] = frame.planes[:count]
    if sample_format.is_planar:
        for channel, plane in zip(samples, planes, strict=True):
            channel[:] = np.frombuffer(plane, dtype, frame.samples)
    else:
        samples[:] = np.frombuffer(planes[0], dtype, samples.size).reshape(-1, count).T
    if dtype.kind == "u":
        samples -= 128
    if dtype.kind != "f":
        samples *= np.float32(2.0 ** (1 - 8 * dtype.itemsize))
    return samples


def common_block(sample_rate: int) -> int:
    """The smallest number of samples at `sample_rate` that is a whole number at 48 kHz too."""
    return sample_rate // gcd(sample_rate, SAMPLE_RATE)


def resample(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """(n,) float32 mono at `sample_rate` to about (n * 48000 / sample_rate,) at 48 kHz.

    The first output sample is at the time of the first input sample. FFmpeg's swresample, with its
    default polyphase filter, on the calling thread alone.
    """
    if sample_rate == SAMPLE_RATE or samples.size == 0:
        return samples
    frame = AudioFrame.from_ndarray(samples[np.newaxis, :], format="fltp", layout="mono")
    frame.sample_rate = sample_rate
    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add(
            "abuffer", sample_rate=str(sample_rate), sample_fmt="fltp", channel_layout="mono"
        ),
        graph.add("aresample", str(SAMPLE_RATE)),
        graph.add("abuffersink"),
    ).configure()
    graph.push(frame)
    graph.push(None)
    pieces: list[NDArray[np.float32]] = []
    while True:
        try:
            piece = graph.pull()
        except (av.EOFError, av.BlockingIOError):
            break
        assert isinstance(piece, AudioFrame)
        pieces.append(piece.to_ndarray()[0].astype(np.float32, copy=False))
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
