"""Sound to file: one encoder per extension, tags in the file's own metadata."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from .pieces import DemoPiece


@dataclass(frozen=True)
class _Format:
    container: str
    codec: str
    bit_rate: int | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    codec_options: dict[str, str] = field(default_factory=dict)


_FORMATS: Final = {
    # Encoding is a third of the work: where an encoder offers a faster search, it is taken.
    "mp3": _Format("mp3", "libmp3lame", 160_000, codec_options={"compression_level": "7"}),
    "flac": _Format("flac", "flac"),
    "wav": _Format("wav", "pcm_s16le"),
    # FFmpeg calls its own Vorbis encoder experimental; it takes stereo only.
    "ogg": _Format("ogg", "vorbis", 160_000, codec_options={"strict": "experimental"}),
    "opus": _Format("opus", "libopus", 112_000),
    "m4a": _Format("ipod", "aac", 160_000, codec_options={"aac_coder": "fast"}),
    # Without ID3 an AIFF file has no field for an album.
    "aiff": _Format("aiff", "pcm_s16be", container_options={"write_id3v2": "1"}),
}

_CHUNK: Final = 16_384


def encode(piece: DemoPiece, samples: NDArray[np.float32], path: Path) -> None:
    """Write ``samples`` ``(channels, n)`` to ``path`` in the piece's format, with its tags.

    The same samples give the same bytes: no time stamps, no random stream identifiers.
    """
    chosen = _FORMATS[piece.extension]
    # "bitexact" leaves out the encoder's version and Ogg's random serial number.
    options = {"fflags": "+bitexact", **chosen.container_options}
    layout = "mono" if piece.channels == 1 else "stereo"
    with av.open(str(path), "w", format=chosen.container, options=options) as container:
        container.metadata.update(title=piece.title, artist=piece.artist, album=piece.album)
        stream = container.add_stream(
            chosen.codec,
            rate=piece.sample_rate,
            options={"flags": "+bitexact", **chosen.codec_options},
        )
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{chosen.codec} is not an audio codec")
        stream.layout = layout
        if chosen.bit_rate is not None:
            stream.bit_rate = chosen.bit_rate
        for start in range(0, samples.shape[1], _CHUNK):
            chunk = np.ascontiguousarray(samples[:, start : start + _CHUNK])
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=layout)
            frame.sample_rate = piece.sample_rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
