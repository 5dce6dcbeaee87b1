"""From FFmpeg's frames to mono float samples at CLAP's rate."""

from math import gcd
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from numpy.typing import NDArray

from resources.embedding.protocol import SAMPLE_RATE
from resources.errors import TrackError

_LOUDEST: Final = 1024.0
"""60 dB over full scale. Only damaged files go there; the bound keeps sums and filters finite."""


def mono(frame: AudioFrame) -> tuple[NDArray[np.float32], int]:
    """The mean of a frame's channels, as CLAP's training did (`librosa.to_mono`), and how many
    samples are valid in at least one channel.

    FFmpeg's own down-mix is not used: it scales integer and float formats differently. Returns
    (n,) float32 at the frame's rate, full scale 1, always finite: invalid samples become 0. Raises
    `TrackError` for a sample format that is not supported.
    """
    channels = _channels(frame)
    finite = np.isfinite(channels)
    if finite.all():
        valid = channels.shape[1]
    else:
        valid = int(finite.any(axis=0).sum())
        channels = np.where(finite, channels, np.float32(0))
    mixed: NDArray[np.float32] = np.clip(channels, -_LOUDEST, _LOUDEST).mean(axis=0)
    return mixed, valid


def _channels(frame: AudioFrame) -> NDArray[np.float32]:
    """(channels, n) float32, full scale 1, whatever the frame's sample format."""
    try:
        raw: NDArray[Any] = frame.to_ndarray()
    except ValueError as error:
        raise TrackError(f"sample format {frame.format.name} is not supported") from error
    if not frame.format.is_planar:
        raw = raw.reshape(-1, len(frame.layout.channels)).T
    with np.errstate(over="ignore"):  # a double beyond float32 is an invalid sample, not an error
        samples: NDArray[np.float32] = raw.astype(np.float32)
    if raw.dtype.kind == "u":
        samples -= 128
    if raw.dtype.kind != "f":
        samples *= 2.0 ** (1 - 8 * raw.dtype.itemsize)
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
