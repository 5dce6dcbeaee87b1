"""Audio files with a picture inside, as taggers write them, and pictures as they begin."""

import os
import struct
from pathlib import Path
from typing import Final

from tests.audio.files import ENCODINGS, chirp, id3, png, write_audio


def jpeg(width: int, height: int, frame: int = 0xC0) -> bytes:
    """How a JPEG begins: with a JFIF segment, a comment and a frame header."""
    size = struct.pack(">BHH", 8, height, width)
    comment = b"\xff\xff\xfe\x00\x05abc"  # After a fill byte.
    return (
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
        + comment
        + bytes([0xFF, frame])
        + b"\x00\x11"
        + size
        + bytes(200)
    )


def webp(width: int, height: int, kind: bytes = b"VP8 ") -> bytes:
    """How a WebP begins, of each kind that there is."""
    content = {
        b"VP8 ": b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", width, height | 0x4000),
        b"VP8L": b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14),
        b"VP8X": bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
    }[kind]
    chunk = kind + struct.pack("<I", 200) + content.ljust(200, b"\0")
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


JPEG: Final = jpeg(600, 600)
WEBP: Final = webp(600, 600)
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


def with_vast_cover(path: Path) -> Path:
    """A short sound whose cover is as large as the format allows, at most 1.2 GB, and a hole."""
    with_cover(path, png())
    vast = {".mp3": _vast_mp3, ".flac": _vast_flac, ".m4a": _vast_mp4}[path.suffix]
    vast(path)
    return path


def _vast_mp3(path: Path) -> None:
    size = 250 * 2**20
    frame = b"APIC" + struct.pack(">IH", size - 10, 0) + b"\0image/png\0\3\0" + png()
    sound = path.read_bytes()
    with path.open("wb") as file:
        file.write(b"ID3\3\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame)
        file.seek(10 + size)
        file.write(sound)


def _vast_flac(path: Path) -> None:
    """64 pictures of 16 MB."""
    whole, length = path.read_bytes(), 2**24 - 1
    first = 8 + int.from_bytes(whole[5:8], "big")
    kind = struct.pack(">II", FRONT, 9) + b"image/png"
    begin = bytes([6]) + length.to_bytes(3, "big") + kind
    begin += struct.pack(">IIIIII", 0, 1, 1, 24, 0, length - len(kind) - 24)
    with path.open("wb") as file:
        file.write(whole[:first])
        for number in range(64):
            file.seek(first + number * (4 + length))
            file.write(begin + png())
        file.seek(first + 64 * (4 + length))
        file.write(whole[first:])


def _vast_mp4(path: Path) -> None:
    """`moov` is the last box, and `covr` the last in it."""
    whole, more = bytearray(path.read_bytes()), 1_200 * 2**20
    for name in (b"moov", b"udta", b"meta", b"ilst", b"covr", b"data"):
        at = whole.rindex(name) - 4
        struct.pack_into(">I", whole, at, struct.unpack_from(">I", whole, at)[0] + more)
    path.write_bytes(whole)
    os.truncate(path, len(whole) + more)


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
