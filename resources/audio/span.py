"""One window of a file as samples: seek, decode, lay out by time, resample."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from resources.audio.samples import common_block, mono, resample
from resources.audio.source import OpenAudio
from resources.audio.windows import SAMPLE_RATE, WINDOW_SAMPLES, WINDOW_SECONDS

PREROLL_SECONDS: Final = 0.5
"""Decoded before a window and thrown away, so that the decoder is in the state that it would have
come to from the start: MP3's bit reservoir (up to 0.4 s at 8 kbit/s), the overlap of AAC and
Vorbis, Opus's 80 ms (RFC 7845, section 4.6)."""

FILTER_SECONDS: Final = 0.05
"""Resampled on both sides of a window and thrown away: longer than the resampling filter."""


@dataclass(frozen=True)
class Span:
    """A window as decoded.

    `samples`: (up to 480000,) float32, shorter where the file ends; `heard`: how many of them hold
    decoded, valid sound; `decoded`: whether anything was decoded, valid or not; `at_end`: whether
    the file ended within it.
    """

    samples: NDArray[np.float32]
    heard: int
    decoded: bool
    at_end: bool


@dataclass(frozen=True)
class _Piece:
    """A decoded frame as mono samples. `index`: its first sample's place in the track, counted at
    the frame's rate; `valid`: how many of its samples were."""

    index: int
    samples: NDArray[np.float32]
    valid: int

    @property
    def end(self) -> int:
        return self.index + len(self.samples)


class _Range:
    """The input samples [begin, end) at `rate` for a window that begins at 48 kHz sample `output`.

    `begin` is a whole number of samples at 48 kHz too, so the window's samples are those that
    resampling the whole track would give. `skipped_output`: samples at 48 kHz from there to the
    window.
    """

    def __init__(self, rate: int, output: int) -> None:
        block = common_block(rate)
        margin = round(FILTER_SECONDS * rate)
        self.rate = rate
        self.start = output * rate // SAMPLE_RATE
        self.begin = max(0, (self.start - margin) // block * block)
        self.end = self.start + WINDOW_SECONDS * rate + margin
        self.skipped_output = output - self.begin * SAMPLE_RATE // rate

    def heard(self, pieces: list[_Piece]) -> int:
        """Valid samples within the window, counted at 48 kHz."""
        stop = self.start + WINDOW_SECONDS * self.rate
        valid = 0
        for piece in pieces:
            overlap = min(piece.end, stop) - max(piece.index, self.start)
            valid += max(0, overlap) * piece.valid // len(piece.samples)
        return min(valid * SAMPLE_RATE // self.rate, WINDOW_SAMPLES)


def decode_span(audio: OpenAudio, start_seconds: float) -> Span:
    """Decode the window that begins `start_seconds` into the track, to the sample.

    What cannot be decoded in it is silent. Raises `TrackError` for an unsupported sample format.
    """
    output = round(start_seconds * SAMPLE_RATE)
    pieces: defaultdict[int, list[_Piece]] = defaultdict(list)
    audio.seek(start_seconds - PREROLL_SECONDS - FILTER_SECONDS - _block_seconds(audio))
    at_end = True
    wanted = _Range(SAMPLE_RATE, output)
    for index, frame in placed_frames(audio):
        if frame.sample_rate != wanted.rate:
            wanted = _Range(frame.sample_rate, output)
        if index >= wanted.end:
            at_end = False
            break
        if index + frame.samples > wanted.begin:
            pieces[frame.sample_rate].append(_Piece(index, *mono(frame)))
    if not pieces:
        return Span(np.zeros(0, dtype=np.float32), heard=0, decoded=False, at_end=at_end)
    # One rate, unless damage pretends another or the stream was joined from several.
    rate = max(pieces, key=lambda rate: sum(len(piece.samples) for piece in pieces[rate]) / rate)
    span = _Range(rate, output)
    line = _laid_out(pieces[rate], span)
    samples = resample(line, rate)[span.skipped_output : span.skipped_output + WINDOW_SAMPLES]
    return Span(np.clip(samples, -1.0, 1.0), span.heard(pieces[rate]), True, at_end)


def _block_seconds(audio: OpenAudio) -> float:
    return common_block(audio.sample_rate) / audio.sample_rate


def placed_frames(audio: OpenAudio) -> Iterator[tuple[int, AudioFrame]]:
    """Frames with the index of their first sample, counted at the frame's rate from the track's
    first audible sample.

    Timestamps are rounded to the container's clock (1 ms in some), so a frame that follows its
    predecessor within that rounding follows it exactly; any other goes where its timestamp says.
    """
    rounding_seconds = 2 * float(audio.tick)
    expected: int | None = None
    rate = 0
    for frame in audio.frames():
        if frame.sample_rate != rate:
            expected, rate = None, frame.sample_rate
        index = expected
        if frame.pts is not None:
            index = audio.sample_index(frame.pts, rate)
            if expected is not None and abs(index - expected) <= rounding_seconds * rate + 1:
                index = expected
        if index is None:
            continue  # no telling where it belongs
        expected = index + frame.samples
        yield index, frame


def _laid_out(pieces: list[_Piece], span: _Range) -> NDArray[np.float32]:
    """The pieces on one line from `span.begin` to the last of them, with silence in the gaps."""
    stop = min(span.end, max(piece.end for piece in pieces))
    line = np.zeros(stop - span.begin, dtype=np.float32)
    for piece in pieces:
        first, last = max(piece.index, span.begin), min(piece.end, stop)
        if first < last:
            line[first - span.begin : last - span.begin] = piece.samples[
                first - piece.index : last - piece.index
            ]
    return line
