"""Width and height of a picture from its header alone: what decoding it would cost, before anyone
does. 2.6 MB of PNG hold 30,000 by 30,000 pixels, which are 3.6 GB to whoever shows them."""

import struct
from typing import Final

_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG's markers without a segment (ISO/IEC 10918-1, table B.1)."""

_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG's markers of a frame header, which has the size."""

_UPSCALING_BITS: Final = 0x3FFF
"""The lower 14 bits of a size in VP8; the others say how to scale it (RFC 6386, section 9.1)."""


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Pixels across and down of a JPEG, PNG or WebP file; None where its header does not say."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):  # It ends within its header.
        pass
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    """Section 11.2.1: IHDR comes first."""
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if data[12:16] == b"IHDR" else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    position = 2
    while data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # A fill byte.
            position += 1
        elif marker in _STANDALONE:
            position += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    """RFC 9649, sections 2.5 to 2.7."""
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & _UPSCALING_BITS, height & _UPSCALING_BITS
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", data, 24)
            return (high_w << 16 | low_w) + 1, (high_h << 16 | low_h) + 1
    return None
