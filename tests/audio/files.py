"""Makes audio files: signals whose shape tells the time, in any codec, and broken ones."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Samples = NDArray[np.float32]

LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True)
class Encoding:
    """How a file is written.

    `lossless`: its samples come back within 16-bit rounding; `exact_start`: the file says how many
    samples the encoder put before the first one.
    """

    extension: str
    codec: str
    canonical_codec: str
    container: str
    sample_rate: int = 44_100
    lossless: bool = False
    exact_start: bool = True
    codec_options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)


# AAC's noise substitution is left out: a decoder draws that noise anew wherever it begins.
_NO_NOISE: Final = {"aac_pns": "0"}

ENCODINGS: Final = {
    "mp3": Encoding("mp3", "libmp3lame", "mp3", "mp3"),
    "mp3-no-header": Encoding(
        "mp3", "libmp3lame", "mp3", "mp3", exact_start=False,
        container_options={"write_xing": "0", "id3v2_version": "0"},
    ),
    "flac": Encoding("flac", "flac", "flac", "flac", lossless=True),
    "wav-16": Encoding("wav", "pcm_s16le", "pcm_s16le", "wav", lossless=True),
    "wav-24": Encoding("wav", "pcm_s24le", "pcm_s24le", "wav", lossless=True),
    "wav-float": Encoding("wav", "pcm_f32le", "pcm_f32le", "wav", lossless=True),
    "aiff": Encoding("aiff", "pcm_s16be", "pcm_s16be", "aiff", lossless=True),
    "ogg": Encoding("ogg", "vorbis", "vorbis", "ogg", codec_options={"strict": "-2"}),
    "opus": Encoding("opus", "libopus", "opus", "opus", sample_rate=48_000),
    "m4a": Encoding("m4a", "aac", "aac", "ipod", codec_options=_NO_NOISE),
    "m4a-index-first": Encoding(
        "m4a", "aac", "aac", "ipod", codec_options=_NO_NOISE,
        container_options={"movflags": "faststart"},
    ),
    "alac": Encoding("m4a", "alac", "alac", "ipod", lossless=True),
    "aac": Encoding("aac", "aac", "aac", "adts", exact_start=False, codec_options=_NO_NOISE),
}  # fmt: skip

RARE_ENCODINGS: Final = {
    "wma": Encoding("wma", "wmav2", "wmav2", "asf", codec_options={"b": "128000"}),
    "wavpack": Encoding("wv", "wavpack", "wavpack", "wv", lossless=True),
    "true-audio": Encoding("tta", "tta", "tta", "tta", lossless=True),
    "core-audio": Encoding("caf", "pcm_s16be", "pcm_s16be", "caf", lossless=True),
    "sun": Encoding("au", "pcm_s16be", "pcm_s16be", "au", lossless=True),
    "wave-64": Encoding("wav", "pcm_s16le", "pcm_s16le", "w64", lossless=True),
    "matroska": Encoding("mka", "aac", "aac", "matroska", codec_options=_NO_NOISE),
    "webm": Encoding("webm", "libopus", "opus", "webm", sample_rate=48_000),
    "ogg-flac": Encoding("ogg", "flac", "flac", "ogg", lossless=True),
}
"""Formats whose clock is too coarse for windows that are exact to the sample, or seldom seen."""


def chirp(seconds: float, sample_rate: int, channels: int = 2) -> Samples:
    """(channels, n): a tone that rises from 100 Hz to 3 kHz, so that no two places are alike."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    rise = 2_900 / (2 * max(seconds, 1e-9))
    signal = 0.5 * np.sin(2 * np.pi * (100 * time + rise * time**2))
    return np.tile(signal.astype(np.float32), (channels, 1))


def noise(seconds: float, sample_rate: int, channels: int = 2, seed: int = 0) -> Samples:
    """(channels, n): the same noise in every channel."""
    generator = np.random.default_rng(seed)
    signal = 0.3 * generator.uniform(-1, 1, round(seconds * sample_rate))
    return np.tile(signal.astype(np.float32), (channels, 1))


def write_audio(
    path: Path,
    samples: Samples,
    encoding: Encoding,
    *,
    sample_rate: int | None = None,
    bit_rate: int | None = None,
    tags: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
) -> Path:
    """Write `samples` (channels, n) at `sample_rate` (the encoding's own by default)."""
    rate = sample_rate or encoding.sample_rate
    layout = LAYOUTS[len(samples)]
    options = {**encoding.container_options, **(container_options or {})}
    with av.open(str(path), "w", format=encoding.container, container_options=options) as container:
        container.metadata.update(tags or {})
        codec: Any = encoding.codec
        stream = cast(AudioStream, container.add_stream(codec, rate=rate, layout=layout))
        stream.codec_context.options = dict(encoding.codec_options)
        if bit_rate is not None:
            stream.codec_context.bit_rate = bit_rate
        stream.codec_context.open(strict=False)
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout=layout,
            rate=rate,
            frame_size=stream.codec_context.frame_size or 4096,
        )
        for frame in (*_frames(samples, rate, layout), None):
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def _frames(samples: Samples, rate: int, layout: str) -> list[AudioFrame]:
    frames = []
    for start in range(0, samples.shape[1], rate):
        # Channels side by side: PyAV cannot make planar frames of 8 channels.
        piece = np.ascontiguousarray(samples[:, start : start + rate].T).reshape(1, -1)
        frame = AudioFrame.from_ndarray(piece, format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        frames.append(frame)
    return frames


def write_video(path: Path) -> Path:
    """An MP4 of five grey pictures, without sound."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            picture = VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def full_decode(path: Path) -> Samples:
    """(n,): the whole file as mono at 48 kHz, by plain decoding from its start to its end."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    parts = []
    for frame in frames:
        raw = frame.to_ndarray()
        if not frame.format.is_planar:
            raw = raw.reshape(-1, frame.layout.nb_channels).T
        scale = 1.0 if raw.dtype.kind == "f" else 2.0 ** (8 * raw.dtype.itemsize - 1)
        parts.append((raw / scale).mean(axis=0).astype(np.float32))
    whole = AudioFrame.from_ndarray(np.concatenate(parts)[np.newaxis], "fltp", "mono")
    whole.sample_rate = frames[0].sample_rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=48_000)
    resampled = [*resampler.resample(whole), *resampler.resample(None)]
    return np.concatenate([frame.to_ndarray()[0] for frame in resampled]).astype(np.float32)


def png(width: int = 1, height: int = 1) -> bytes:
    """A picture of one pixel, whatever size it claims."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\x10\x20\x30")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def id3(frames: Mapping[str, bytes]) -> bytes:
    """An ID3v2.3 tag with these frames, byte for byte."""
    body = b"".join(
        name.encode() + struct.pack(">IH", len(content), 0) + content
        for name, content in frames.items()
    )
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


def wav_header(
    data_bytes: int, sample_rate: int, channels: int = 1, *, floats: bool = False
) -> bytes:
    """A WAV file's header: 16-bit integers, or 32-bit floats."""
    width = 4 if floats else 2
    layout = struct.pack(
        "<HHIIHH", 3 if floats else 1, channels, sample_rate,
        sample_rate * channels * width, channels * width, 8 * width,
    )  # fmt: skip
    return (
        b"RIFF" + struct.pack("<I", min(36 + data_bytes, 2**32 - 1)) + b"WAVEfmt "
        + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", min(data_bytes, 2**32 - 1))
    )  # fmt: skip


def float_wav(samples: Samples, sample_rate: int) -> bytes:
    """A WAV file of 32-bit floats, whatever they are. `samples`: (channels, n)."""
    data = np.ascontiguousarray(samples.T.astype("<f4")).tobytes()
    return wav_header(len(data), sample_rate, len(samples), floats=True) + data
