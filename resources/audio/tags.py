"""What a file says about itself: title, artist, album, and which format it really is."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from resources.audio.source import open_audio
from resources.errors import TrackError

AUDIO_EXTENSIONS: Final = frozenset(
    (
        ".aac",
        ".aif",
        ".aifc",
        ".aiff",
        ".au",
        ".caf",
        ".flac",
        ".m4a",
        ".m4b",
        ".mka",
        ".mp2",
        ".mp3",
        ".mp4",
        ".oga",
        ".ogg",
        ".opus",
        ".snd",
        ".tta",
        ".w64",
        ".wav",
        ".wave",
        ".weba",
        ".webm",
        ".wma",
        ".wv",
    )
)
"""What an import of a folder looks at: lower case, with the dot, as in `path.suffix.lower()`."""

LONGEST_TAG: Final = 500
"""Characters; the rest of a longer tag is cut off."""

_KEYS: Final = {
    "title": ("title",),
    "artist": ("artist", "album_artist", "albumartist", "performer", "author"),
    "album": ("album",),
}
"""Where each tag is looked for. FFmpeg gives ID3, MP4, RIFF and ASF names in these words."""

_DIRECTION_MARKS: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Invisible characters that reorder the text around them on a page, and the byte order mark."""

_KANA: Final = re.compile("[\u3040-\u30ff]")
_ACCENTED_WORD: Final = re.compile("(?<![^\\W\\d_])[À-ÖØ-öø-ÿ]{4,}(?![^\\W\\d_])")
"""Four letters or more, all of them accented: no language's word in Latin-1."""


@dataclass(frozen=True)
class AudioTags:
    """Each one line without control characters, 1 to 500 characters, or None."""

    title: str | None
    artist: str | None
    album: str | None


def read_tags(path: Path | BinaryIO) -> AudioTags:
    """The file's tags, those of the container before those of the audio stream (where Ogg keeps
    them). Never fails: what cannot be read is None."""
    try:
        with open_audio(path) as audio:
            # Vorbis comments are written `TITLE` or `Title`.
            sources = [
                {key.lower(): value for key, value in each.metadata.items()}
                for each in (audio.container, audio.stream)
            ]
    except (TrackError, OSError):
        return AudioTags(None, None, None)
    return AudioTags(**{name: _first(sources, keys) for name, keys in _KEYS.items()})


def audio_format(path: Path | BinaryIO) -> str:
    """The extension for what the file contains, whatever its name: `mp3`, `flac`, `wav`, `ogg`,
    `opus`, `m4a`, `aac`, `aiff`, `wma`, ... (no dot).

    Raises `TrackError` when it is not audio, and `OSError` when it cannot be read.
    """
    with open_audio(path) as audio:
        return audio.format


def _first(sources: list[dict[str, str]], keys: tuple[str, ...]) -> str | None:
    found = (clean(source[key]) for key in keys for source in sources if key in source)
    return next((text for text in found if text is not None), None)


def clean(text: str) -> str | None:
    """One line of readable text: right encoding where that can be told, no control characters, no
    invisible direction marks, single spaces, at most 500 characters; None for nothing."""
    readable = unicodedata.normalize("NFC", _decoded(text))
    readable = _DIRECTION_MARKS.sub("", readable)
    printable = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs") else character
        for character in readable
    )
    return " ".join(printable.split())[:LONGEST_TAG].rstrip() or None


def _decoded(text: str) -> str:
    """Text whose bytes were not in the encoding they were said to be in, as it was meant.

    Such bytes arrive either as Latin-1 (ID3 tags without an encoding) or as surrogates (formats
    that prescribe UTF-8). Both are one byte a character: UTF-8 is certain when it decodes;
    Shift-JIS is taken for text with kana, Windows-1251 for words made of accented letters only.
    """
    try:
        if any("\udc80" <= character <= "\udcff" for character in text):
            raw = text.encode("utf-8", "surrogateescape")
        else:
            raw = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    if raw.isascii():
        return text
    for encoding, sign in (("utf-8", None), ("cp932", _KANA)):
        try:
            decoded = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if sign is None or len(sign.findall(decoded)) >= 2:
            return decoded
    if _ACCENTED_WORD.search(raw.decode("latin-1")):
        return raw.decode("cp1251", "replace")
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
