"""Sound to file: an encoder for a format, tags in the file's own metadata."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import av
from av.audio.stream import AudioStream

from .catalogue import DemoPiece

SAMPLE_RATE: Final = 48_000
"""Of all pieces, in hertz; the only one that Opus decodes to."""


@dataclass(frozen=True)
class Format:
    """FFmpeg's names of a container and an encoder, the encoder's bits per second, its options."""

    container: str
    codec: str
    bit_rate: int | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    codec_options: dict[str, str] = field(default_factory=dict)


FORMATS: Final = MappingProxyType(
    {
        "flac": Format("flac", "flac"),
        "wav": Format("wav", "pcm_s16le"),
        # Without ID3 an AIFF file has no field for an album.
        "aiff": Format("aiff", "pcm_s16be", container_options={"write_id3v2": "1"}),
        # Where an encoder offers a faster search, it is taken.
        "mp3": Format("mp3", "libmp3lame", 96_000, codec_options={"compression_level": "9"}),
        "m4a": Format("ipod", "aac", 96_000, codec_options={"aac_coder": "fast"}),
    }
)
"""What the shipped Opus files are transcoded to, by extension."""


def encode(
    frames: Iterable[av.AudioFrame], layout: str, target: Format, piece: DemoPiece, path: Path
) -> None:
    """Write `frames` (at 48 kHz, `layout` "mono" or "stereo") to `path`, with the piece's tags.

    The same frames give the same bytes: no time stamps, no random stream identifiers.
    """
    # "bitexact" leaves out the encoder's version and Ogg's random serial number.
    options = {"fflags": "+bitexact", **target.container_options}
    with av.open(str(path), "w", format=target.container, options=options) as container:
        container.metadata.update(title=piece.title, artist=piece.artist, album=piece.album)
        stream = container.add_stream(
            target.codec,
            rate=SAMPLE_RATE,
            options={"flags": "+bitexact", **target.codec_options},
        )
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{target.codec} is not an audio codec")
        stream.layout = layout
        if target.bit_rate is not None:
            stream.bit_rate = target.bit_rate
        for frame in frames:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
