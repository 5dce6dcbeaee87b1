"""Makes audio files: a piece of music like any other to a codec, the same on every run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

SAMPLE_RATE: Final = 44_100
_ROOTS: Final = (110.0, 87.31, 130.81, 98.0)
"""Hz; a chord each, for two seconds."""
_TRIAD: Final = (1.0, 1.26, 1.5)
_PARTIALS: Final = 5
_BEAT_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Encoding:
    """How a codec is written. `bit_rate` in bit/s."""

    codec: str
    container: str
    bit_rate: int | None = None
    options: dict[str, str] = field(default_factory=dict)


ENCODINGS: Final = {
    "mp3": Encoding("libmp3lame", "mp3", 192_000, {"compression_level": "7"}),
    "flac": Encoding("flac", "flac"),
    "m4a": Encoding("aac", "ipod", 192_000, {"aac_coder": "fast"}),
    "opus": Encoding("libopus", "opus", 128_000, {"compression_level": "5"}),
}


def compose(seconds: int, seed: int = 1) -> NDArray[np.float32]:
    """(2, n) float32 in [-1, 1]: chords, a beat and noise, different in each channel."""
    time = np.arange(seconds * SAMPLE_RATE, dtype=np.float64) / SAMPLE_RATE
    generator = np.random.default_rng(seed)
    root = np.array(_ROOTS)[(time / (4 * _BEAT_SECONDS)).astype(int) % len(_ROOTS)]
    phase = 2 * np.pi * np.cumsum(root) / SAMPLE_RATE
    since_beat = time % _BEAT_SECONDS
    beat = np.exp(-18 * since_beat) * np.sin(2 * np.pi * 55 * since_beat)
    channels = []
    for detune in (0.998, 1.003):
        pad = sum(
            np.sin(note * partial * detune * phase).astype(np.float32) / partial
            for note in _TRIAD
            for partial in range(1, _PARTIALS + 1)
        )
        hats = generator.standard_normal(len(time)) * np.exp(-40 * ((time + 0.25) % 0.5))
        hiss = generator.standard_normal(len(time)) * 1e-3
        channels.append(0.08 * pad + 0.5 * beat + 0.08 * hats + hiss)
    return np.clip(np.stack(channels), -1, 1).astype(np.float32)


def encode(samples: NDArray[np.float32], encoding: Encoding, path: Path) -> None:
    """Write (2, n) samples at 44.1 kHz."""
    with av.open(
        str(path), "w", format=encoding.container, options={"fflags": "+bitexact"}
    ) as container:
        rate = 48_000 if encoding.codec == "libopus" else SAMPLE_RATE
        stream = cast(
            AudioStream,
            container.add_stream(
                encoding.codec, rate=rate, options={"flags": "+bitexact", **encoding.options}
            ),
        )
        stream.layout = "stereo"
        if encoding.bit_rate is not None:
            stream.bit_rate = encoding.bit_rate
        stream.codec_context.open()
        resampler = av.AudioResampler(
            stream.codec_context.format, "stereo", rate, stream.codec_context.frame_size or 4_096
        )
        for start in range(0, samples.shape[1], SAMPLE_RATE):
            second = np.ascontiguousarray(samples[:, start : start + SAMPLE_RATE])
            frame = AudioFrame.from_ndarray(second, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def copy_packets(source: Path, target: Path, *, times: int = 1, **tags: str) -> None:
    """Write the encoded sound of `source` into a file with other `tags`, `times` over.

    Nothing is encoded again, so that thousands of different tracks, or tracks of an hour, are made
    in no time. `target` has the format of `source`.
    """
    with av.open(str(source)) as original:
        stream = original.streams.audio[0]
        packets = [packet for packet in original.demux(stream) if packet.size]
        container = ENCODINGS[source.suffix[1:]].container
        with av.open(str(target), "w", format=container, options={"fflags": "+bitexact"}) as copy:
            copy.metadata.update(tags)
            copied = copy.add_stream_from_template(stream)
            starts = [(packet.pts or 0, packet.dts or 0) for packet in packets]
            length = starts[-1][0] + (packets[-1].duration or 0) - starts[0][0]
            for turn in range(times):
                for packet, (pts, dts) in zip(packets, starts, strict=True):
                    packet.pts, packet.dts = pts + turn * length, dts + turn * length
                    packet.stream = copied
                    copy.mux(packet)


def make_sounds(folder: Path, seconds: int) -> None:
    """One track in each codec: `track.mp3` and so on."""
    folder.mkdir(parents=True)
    samples = compose(seconds)
    for name, encoding in ENCODINGS.items():
        encode(samples, encoding, folder / f"track.{name}")
