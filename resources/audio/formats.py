"""Which audio formats are read, and what they are called."""

from typing import Final

ACCEPTED_DEMUXERS: Final = "aac,aiff,asf,au,caf,flac,matroska,mov,mp3,ogg,tta,w64,wav,wv"
"""FFmpeg demuxers that a file may be opened with. The list keeps out demuxers that open other
files or addresses named in the file (HLS, DASH, concat) and those that find "audio" in anything."""

_EXTENSIONS: Final = {"asf": "wma", "mov": "m4a", "w64": "wav"}
"""Demuxers that are not called by the extension of their files."""

_SIGNATURES: Final = (
    (0, b"ID3"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"RIFF"),
    (0, b"RF64"),
    (0, b"FORM"),
    (0, b"caff"),
    (0, b"wvpk"),
    (0, b"TTA1"),
    (0, b".snd"),
    (0, b"riff\x2e\x91\xcf\x11"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    (4, b"ftypM4A"),
)
"""(offset, bytes): how audio files begin, beside MPEG frames (MP3, ADTS)."""


def canonical_format(demuxer: str, codec: str) -> str:
    """The extension that a file with this content should have, without the dot.

    `demuxer` is FFmpeg's name of the container (`mov,mp4,m4a,...`), `codec` its canonical name of
    the audio stream's codec.
    """
    container = demuxer.split(",", maxsplit=1)[0]
    if container == "ogg":
        return "opus" if codec == "opus" else "ogg"
    if container == "matroska":
        return "webm" if codec in ("opus", "vorbis") else "mka"
    if container == "mp3" and codec in ("mp1", "mp2"):
        return codec
    return _EXTENSIONS.get(container, container)


def looks_like_audio(head: bytes) -> bool:
    """Whether a file that begins with `head` (12 bytes or more, if there are) means to be audio.

    Tells a damaged audio file from something else; never decides whether a file can be used.
    """
    mpeg_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] != 0xFF
    return mpeg_frame or any(head.startswith(magic, at) for at, magic in _SIGNATURES)
