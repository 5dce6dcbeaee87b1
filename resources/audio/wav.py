"""A file's sound as a WAV file that is never written: any part of it, decoded when asked for.

For listeners whose player does not know the file's own format.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import av
from av.audio.frame import AudioFrame

from resources.audio.probe import measured_duration
from resources.audio.source import OpenAudio
from resources.audio.span import PREROLL_SECONDS, placed_frames
from resources.errors import TrackError

HEADER_BYTES: Final = 44
"""RIFF, `fmt ` and `data` headers (Microsoft, Multimedia Programming Interface 1.0, 1991)."""

SAMPLE_BYTES: Final = 2
MOST_CHANNELS: Final = 2
MOST_DATA_BYTES: Final = 2**32 - 1 - HEADER_BYTES
"""Sizes in the header have 32 bits: 6 hours of stereo at 48 kHz. The rest is left out."""

_SILENCE_BYTES: Final = 64 * 1024
"""Given at once where nothing can be decoded."""


@dataclass(frozen=True)
class WavShape:
    """16-bit PCM: `frames` samples of each of `channels` (1 or 2) at `sample_rate` Hz."""

    sample_rate: int
    channels: int
    frames: int

    @property
    def frame_bytes(self) -> int:
        return SAMPLE_BYTES * self.channels

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return HEADER_BYTES + self.frames * self.frame_bytes

    def header(self) -> bytes:
        data_bytes = self.frames * self.frame_bytes
        pcm = (1, self.channels, self.sample_rate, self.sample_rate * self.frame_bytes)
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", HEADER_BYTES - 8 + data_bytes, b"WAVE"),
            *(b"fmt ", 16, *pcm, self.frame_bytes, 8 * SAMPLE_BYTES),
            *(b"data", data_bytes),
        )


def wav_shape(audio: OpenAudio) -> WavShape:
    """What the file's sound is as WAV: its own rate, at most two channels.

    Decodes one frame and reads the end. Raises `TrackError` when nothing can be decoded.
    """
    duration = measured_duration(audio)
    audio.seek(0)
    for frame in islice(audio.frames(), 1):
        channels = min(frame.layout.nb_channels, MOST_CHANNELS)
        most = MOST_DATA_BYTES // (SAMPLE_BYTES * channels)
        return WavShape(frame.sample_rate, channels, min(round(duration * frame.sample_rate), most))
    raise TrackError("truncated or damaged: nothing can be decoded")


def wav_bytes(audio: OpenAudio, shape: WavShape, first: int, count: int) -> Iterator[bytes]:
    """The `count` bytes of the WAV file from byte `first` on, in pieces.

    What cannot be decoded is silent. Uses memory for one piece, whatever the file's length.
    """
    if count > 0 and first < HEADER_BYTES:
        head = shape.header()[first : first + count]
        yield head
        first, count = HEADER_BYTES, count - len(head)
    frame, skipped = divmod(first - HEADER_BYTES, shape.frame_bytes)
    for piece in _pcm(audio, shape, frame):
        if count <= 0:
            return
        wanted = piece[skipped : skipped + count]
        skipped = max(0, skipped - len(piece))
        count -= len(wanted)
        if wanted:
            yield wanted


def _pcm(audio: OpenAudio, shape: WavShape, start: int) -> Iterator[bytes]:
    """Interleaved samples from frame `start` to the end, without gaps."""
    at = start
    convert = _Converter(shape)
    audio.seek(start / shape.sample_rate - PREROLL_SECONDS)
    for index, frame in placed_frames(audio):
        if at >= shape.frames:
            return
        if frame.sample_rate != shape.sample_rate or index + frame.samples <= at:
            continue
        yield from _silence(shape, min(index, shape.frames) - at)
        at = max(at, index)
        last = min(index + frame.samples, shape.frames)
        data = convert(frame)
        yield data[(at - index) * shape.frame_bytes : (last - index) * shape.frame_bytes]
        at = max(at, last)
    yield from _silence(shape, shape.frames - at)


def _silence(shape: WavShape, frames: int) -> Iterator[bytes]:
    left = frames * shape.frame_bytes
    while left > 0:
        yield bytes(min(left, _SILENCE_BYTES))
        left -= _SILENCE_BYTES


class _Converter:
    """Frames of any sample format and layout as interleaved 16-bit samples."""

    def __init__(self, shape: WavShape) -> None:
        self._shape = shape
        self._resamplers: dict[tuple[str, str], av.AudioResampler] = {}

    def __call__(self, frame: AudioFrame) -> bytes:
        """Silence for a frame that cannot be converted."""
        wanted = frame.samples * self._shape.frame_bytes
        kind = (frame.format.name, frame.layout.name)
        if kind not in self._resamplers:
            layout = "mono" if self._shape.channels == 1 else "stereo"
            self._resamplers[kind] = av.AudioResampler("s16", layout, self._shape.sample_rate)
        try:
            converted = self._resamplers[kind].resample(frame)
        except (av.FFmpegError, ValueError):
            return bytes(wanted)
        data = b"".join(
            bytes(part.planes[0])[: part.samples * self._shape.frame_bytes] for part in converted
        )
        return data[:wanted].ljust(wanted, b"\0")
