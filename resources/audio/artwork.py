"""A track's cover: the picture inside its file, or the one beside it."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from resources.audio.picture_size import picture_size
from resources.audio.source import OpenAudio, open_audio
from resources.errors import TrackError

MOST_BYTES: Final = 5 * 1024 * 1024
"""Larger pictures are left where they are: a list of results shows many at once."""

MOST_PIXELS_A_SIDE: Final = 5_000
"""Far above what is sold, 100 MB to a browser that shows it. Wider and taller ones are left, too,
and those that do not say how large they are."""

PICTURE_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
"""What every browser shows and what can hold no script, by extension."""

_NAMES: Final = ("cover", "folder", "front", "album", "albumart")
"""What rippers and players call the picture of an album's folder, the best first."""

_EXTENSIONS: Final = (".jpg", ".jpeg", ".png", ".webp")
_FRONT: Final = "cover (front)"
"""FFmpeg's name for picture type 3 (ID3v2.4 section 4.14, and FLAC, which took them from there)."""


@dataclass(frozen=True)
class Picture:
    """`data`: a JPEG, PNG or WebP file of at most 5 MB and 5,000 pixels a side, going by how it
    begins."""

    data: bytes
    extension: str

    @property
    def name(self) -> str:
        """The same for the same bytes: 32 hexadecimal digits and the extension."""
        return f"{hashlib.sha256(self.data).hexdigest()[:32]}.{self.extension}"


def picture_key(name: str) -> str:
    """The object that holds the picture of this name."""
    return f"artwork/{name}"


def find_picture(path: Path) -> Picture | None:
    """The cover inside the audio file, else the one in its folder, else None.

    Never fails: a picture that cannot be read, is no picture, or is too large counts as none.
    """
    return next((found for data in _candidates(path) if (found := as_picture(data))), None)


def as_picture(data: bytes) -> Picture | None:
    """None for what is no JPEG, PNG or WebP, and for what is too large."""
    if len(data) > MOST_BYTES or max(picture_size(data) or (sys.maxsize,)) > MOST_PIXELS_A_SIDE:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return Picture(data, "jpg")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Picture(data, "png")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Picture(data, "webp")
    return None


def _candidates(path: Path) -> Iterator[bytes]:
    try:
        with open_audio(path) as audio:
            inside = _embedded(audio)
    except (TrackError, OSError):
        inside = []
    yield from inside
    for picture in _beside(path):
        try:
            if picture.stat().st_size <= MOST_BYTES:
                yield picture.read_bytes()
        except OSError:
            continue


def _embedded(audio: OpenAudio) -> list[bytes]:
    """Pictures in the file, the front cover first."""
    streams = [stream for stream in audio.container.streams.video if _is_picture(stream)]
    streams.sort(key=lambda stream: stream.metadata.get("comment", "").lower() != _FRONT)
    return [data for stream in streams if (data := _packet(audio, stream))]


def _is_picture(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _packet(audio: OpenAudio, stream: VideoStream) -> bytes | None:
    stream.discard = Discard.default
    try:
        audio.container.seek(0)  # FFmpeg gives a file's pictures anew after each seek.
        for packet in audio.container.demux(stream):
            return bytes(packet) or None
    except av.FFmpegError:
        pass
    finally:
        stream.discard = Discard.all
    return None


def _beside(path: Path) -> list[Path]:
    """Pictures in the file's folder that are named as covers are, the best name first."""
    try:
        entries = [entry for entry in path.parent.iterdir() if _rank(entry) is not None]
        return sorted((entry for entry in entries if entry.is_file()), key=lambda e: (_rank(e), e))
    except OSError:
        return []


def _rank(path: Path) -> tuple[int, int] | None:
    stem, extension = path.stem.lower(), path.suffix.lower()
    if stem not in _NAMES or extension not in _EXTENSIONS:
        return None
    return _NAMES.index(stem), _EXTENSIONS.index(extension)
