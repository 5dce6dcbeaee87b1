"""The samples that stand for a track: its windows, decoded by seeking, and nothing else of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from resources.audio.probe import AudioProbe, measured_duration
from resources.audio.source import OpenAudio, open_audio
from resources.audio.span import Span, decode_span
from resources.audio.windows import (
    DEFAULT_WINDOW_COUNT,
    SAMPLE_RATE,
    WINDOW_SAMPLES,
    WINDOW_SECONDS,
    repeat_pad,
    window_starts,
)
from resources.errors import TrackError

_MISSING_SECONDS: Final = 0.5
"""A window that lacks more than this at the end of the file was planned for a longer file."""


@dataclass(frozen=True)
class DecodedWindows:
    """`samples`: (n, 480000) float32, mono, 48 kHz, in [-1, 1]. `starts_seconds`: where each of the
    n windows begins in the track, ascending."""

    samples: NDArray[np.float32]
    starts_seconds: tuple[float, ...]


def decode_windows(
    source: Path | BinaryIO, probe: AudioProbe, count: int = DEFAULT_WINDOW_COUNT
) -> DecodedWindows:
    """Decode the windows that stand for a track (see `window_starts`).

    `probe` is what `probe(source)` said. Should the file end before that, the windows are planned
    again for what is there. Broken places are silent; a window of which little is left is left out
    where others are whole. Uses memory for the windows alone, whatever the file's length. The same
    bytes give the same samples.

    Raises `TrackError` when nothing can be decoded and what the source itself raises when it cannot
    be read. A file object stays open.
    """
    with open_audio(source) as audio:
        duration = probe.duration_seconds
        spans = _spans(audio, duration, count)
        if _planned_too_long(spans, duration):
            duration = min(duration, measured_duration(audio))
            spans = _spans(audio, duration, count) if duration > 0 else {}
    return _usable(spans, repeated=duration <= WINDOW_SECONDS)


def _spans(audio: OpenAudio, duration: float, count: int) -> dict[float, Span]:
    """The windows as decoded, by their start in seconds."""
    return {start: decode_span(audio, start) for start in window_starts(duration, count)}


def _planned_too_long(spans: dict[float, Span], duration: float) -> bool:
    last_start, last = max(spans.items())
    expected_seconds = min(duration - last_start, WINDOW_SECONDS)
    return last.at_end and expected_seconds - len(last.samples) / SAMPLE_RATE > _MISSING_SECONDS


def _usable(spans: dict[float, Span], repeated: bool) -> DecodedWindows:
    """The windows in which at least half as much can be heard as in the best one.

    `repeated`: the one window is the whole of a short track and fills its 10 s by repetition.
    """
    most_heard = max((span.heard for span in spans.values()), default=0)
    if most_heard == 0:
        if any(span.decoded for span in spans.values()):
            raise TrackError("contains only invalid samples (NaN)")
        raise TrackError("truncated or damaged: nothing can be decoded")
    kept = {start: span for start, span in spans.items() if 2 * span.heard >= most_heard}
    samples = np.zeros((len(kept), WINDOW_SAMPLES), dtype=np.float32)
    for row, span in zip(samples, kept.values(), strict=True):
        filled = repeat_pad(span.samples) if repeated else span.samples
        row[: len(filled)] = filled
    return DecodedWindows(samples, tuple(kept))
