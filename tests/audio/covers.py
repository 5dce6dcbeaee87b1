"""Audio files with a picture inside, as taggers write them, and pictures as they begin."""

import struct
from pathlib import Path
from typing import Final

from tests.audio.files import ENCODINGS, chirp, id3, write_audio

JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(200)
WEBP: Final = b"RIFF\xd4\x00\x00\x00WEBPVP8 " + bytes(200)
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FRONT: Final = 3
BACK: Final = 4


def with_cover(path: Path, *pictures: bytes) -> Path:
    """A short sound in the format of the path's extension (mp3, flac or m4a), with a front cover
    and, where there is another picture, a back cover before it."""
    kinds = [BACK, FRONT][-len(pictures) :]
    write_audio(path, chirp(0.5, 44_100), ENCODINGS[path.suffix[1:]])
    embed = {".mp3": _into_mp3, ".flac": _into_flac, ".m4a": _into_mp4}[path.suffix]
    path.write_bytes(embed(path.read_bytes(), list(zip(kinds, reversed(pictures), strict=True))))
    return path


def _into_mp3(file: bytes, pictures: list[tuple[int, bytes]]) -> bytes:
    """ID3v2.4, section 4.14."""
    tag = b"".join(
        id3({"APIC": b"\0image/png\0" + bytes([kind]) + b"\0" + data})[10:]
        for kind, data in pictures
    )
    size = bytes((len(tag) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + tag + file


def _into_flac(file: bytes, pictures: list[tuple[int, bytes]]) -> bytes:
    """Metadata blocks of type 6 (RFC 9639, section 8.8) after the first one."""
    first = 8 + int.from_bytes(file[5:8], "big")
    blocks = b""
    for kind, data in pictures:
        mime = b"image/png"
        block = struct.pack(">II", kind, len(mime)) + mime
        block += struct.pack(">IIIIII", 0, 1, 1, 24, 0, len(data)) + data
        blocks += bytes([6]) + len(block).to_bytes(3, "big") + block
    return file[:first] + blocks + file[first:]


def _into_mp4(file: bytes, pictures: list[tuple[int, bytes]]) -> bytes:
    """Apple's `covr` in a `udta` at the end of `moov`, the last box of a file from FFmpeg."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    is_png = 14
    data = b"".join(
        box(b"data", struct.pack(">II", is_png, 0) + data) for _, data in pictures[::-1]
    )
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", box(b"covr", data))))
    at = file.rindex(b"moov") - 4
    moov = file[at : at + int.from_bytes(file[at : at + 4], "big")]
    assert at + len(moov) == len(file)
    return file[:at] + box(b"moov", moov[8:] + tags)
