"""What an audio file really is: whether it can be used, how long it is, in which codec."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from resources.audio.samples import mono
from resources.audio.source import OpenAudio, open_audio
from resources.errors import TrackError

SHORTEST_SECONDS: Final = 0.01
"""One hop of the mel spectrogram (480 samples at 48 kHz): less is not a sound."""

_CLAIM_TOLERANCE_SECONDS: Final = 0.1
"""How far a container's claim may be from its packets: encoders pad the last packets, and the claim
is what knows by how much."""

_END_SECONDS: Final = 2.0
"""How much of the end is read to see that it is there."""

_BISECTIONS: Final = 24
"""Halvings in the search for the end of a truncated file: 0.01 s in two days."""

_MOST_PACKETS: Final = 5_000_000
"""Packets counted before a claim is believed after all: 1.5 days of MP3."""

_LONGEST_PACKET_SECONDS: Final = 60.0
"""FFmpeg gives an Ogg stream's last packet a day where its end was cut to less than nothing."""

_TRIAL_FRAMES: Final = 16
"""Frames decoded at one place before the next is tried."""


@dataclass(frozen=True)
class AudioProbe:
    """What a usable audio file is. `duration_seconds` is what its packets really hold; `codec` is
    FFmpeg's canonical name (`mp3`, `flac`, `pcm_s16le`, ...)."""

    duration_seconds: float
    sample_rate: int
    channels: int
    codec: str


def probe(source: Path | BinaryIO) -> AudioProbe:
    """Say what `source` is, without decoding more of it than a few frames.

    Raises `TrackError` with the reason when it cannot be used as audio, and what the source itself
    raises (`OSError`, `BackendError`) when it cannot be read. A file object stays open.
    """
    with open_audio(source) as audio:
        duration = measured_duration(audio)
        sample_rate, channels = _decodable(audio, duration)
        if duration < SHORTEST_SECONDS:
            raise TrackError(f"shorter than {SHORTEST_SECONDS * 1000:.0f} ms")
        return AudioProbe(duration, sample_rate, channels, audio.codec)


def measured_duration(audio: OpenAudio) -> float:
    """Seconds of audio that the file's packets hold, 0 for none.

    The container's claim is checked against the last packets. Where it is missing, guessed or
    wrong, the packets decide; a file that ends before its claim is searched for its end by halving.
    """
    claimed = audio.claimed_duration or 0.0
    end = _end_after(audio, max(0.0, claimed - _END_SECONDS))
    if end is None and claimed > _END_SECONDS:
        end = _end_before(audio, claimed)
    if end is None:
        return 0.0
    return claimed if abs(end - claimed) <= _CLAIM_TOLERANCE_SECONDS else end


def _end_after(audio: OpenAudio, start: float) -> float | None:
    """Where the last packet from `start` on ends; None when there is none."""
    if not audio.seek(start):
        return None
    end: float | None = None
    for count, packet in enumerate(audio.packets()):
        if packet.size == 0 or count == _MOST_PACKETS:
            break
        if packet.pts is not None:
            seconds = float((packet.duration or 0) * audio.tick)
            plausible = seconds if seconds < _LONGEST_PACKET_SECONDS else 0.0
            end = max(end or 0.0, audio.seconds(packet.pts) + plausible)
    return end


def _end_before(audio: OpenAudio, claimed: float) -> float | None:
    """Where the packets of a file end that ends before its claim."""
    reachable, unreachable = 0.0, claimed
    for _ in range(_BISECTIONS):
        if unreachable - reachable < _END_SECONDS:
            break
        middle = (reachable + unreachable) / 2
        if audio.seek(middle) and any(packet.size for packet in islice(audio.packets(), 1)):
            reachable = middle
        else:
            unreachable = middle
    return _end_after(audio, reachable)


def _decodable(audio: OpenAudio, duration: float) -> tuple[int, int]:
    """Sample rate and channels of the first sound that decodes at the start or, failing that,
    further on. Raises `TrackError` when none does."""
    decoded = False
    for share in (0.0, 0.25, 0.5, 0.75, 0.95):
        if not audio.seek(share * duration):
            continue
        for frame in islice(audio.frames(), _TRIAL_FRAMES):
            decoded = True
            if mono(frame)[1]:
                return frame.sample_rate, frame.layout.nb_channels
    if decoded:
        raise TrackError("contains only invalid samples (NaN)")
    raise TrackError("truncated or damaged: no complete frame")
