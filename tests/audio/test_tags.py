"""Titles, artists and albums: one readable line each, whatever the file holds."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.audio.tags import AUDIO_EXTENSIONS, AudioTags, audio_format, clean, read_tags
from resources.errors import TrackError
from tests.audio.conftest import ChirpFile
from tests.audio.files import ENCODINGS, chirp, id3, write_audio

NO_TAGS = AudioTags(None, None, None)
WITH_TAGS = sorted(ENCODINGS.keys() - {"aac", "mp3-no-header"})


@pytest.mark.parametrize("name", WITH_TAGS)
def test_tags_are_read_from_every_format_that_has_them(name: str, tmp_path: Path) -> None:
    encoding = ENCODINGS[name]
    path = tmp_path / f"song.{encoding.extension}"
    tags = {"title": "Jóga 🎧", "artist": "Björk", "album": "Homogenic"}
    if name == "aiff":
        tags = {"title": "Jóga 🎧", "author": "Björk"}  # AIFF's own chunks have no album
    write_audio(path, chirp(0.2, encoding.sample_rate), encoding, tags=tags)
    assert read_tags(path) == AudioTags("Jóga 🎧", "Björk", tags.get("album"))


@pytest.mark.parametrize("version", ["3", "4"], ids=["UTF-16", "UTF-8"])
def test_mp3_tags_are_read_in_both_versions(version: str, tmp_path: Path) -> None:
    path = write_audio(
        tmp_path / "song.mp3",
        chirp(0.2, 44_100),
        ENCODINGS["mp3"],
        tags={"title": "日本語 – Ünïcödé", "artist": "Кино"},
        container_options={"id3v2_version": version},
    )
    assert read_tags(path) == AudioTags("日本語 – Ünïcödé", "Кино", None)


def with_id3(title: bytes, audio: Path) -> io.BytesIO:
    return io.BytesIO(id3({"TIT2": title}) + audio.read_bytes())


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (b"\x00" + "Café Été".encode("latin-1"), "Café Été"),
        (b"\x00" + "Группа крови".encode("cp1251"), "Группа крови"),
        (b"\x00" + "さくらさくら".encode("cp932"), "さくらさくら"),
        (b"\x00" + "Jóga".encode(), "Jóga"),
        (b"\x00" + "it’s “live”".encode("cp1252"), "it’s “live”"),
        (b"\x01" + "𝓜𝓾𝓼𝓲𝓬".encode("utf-16"), "𝓜𝓾𝓼𝓲𝓬"),
        (b"\x03" + "Ænima".encode(), "Ænima"),
        (b"\x00Line one\r\nLine\ttwo", "Line one Line two"),
        (b"\x00" + b"x" * 2_000, "x" * 500),
        (b"\x00   ", None),
        (b"\x00", None),
    ],
)
def test_titles_are_readable_whatever_their_encoding(
    title: bytes, expected: str | None, chirp_file: ChirpFile
) -> None:
    assert read_tags(with_id3(title, chirp_file("mp3-no-header", 1.0))).title == expected


def test_vorbis_comments_that_are_not_utf_8_are_readable(tmp_path: Path) -> None:
    path = write_audio(
        tmp_path / "song.flac", chirp(0.2, 44_100), ENCODINGS["flac"], tags={"title": "Cafe Ete"}
    )
    path.write_bytes(path.read_bytes().replace(b"Cafe Ete", "Café Été".encode("latin-1")))
    assert read_tags(path).title == "Café Été"


def test_a_file_without_tags_has_none(chirp_file: ChirpFile) -> None:
    assert read_tags(chirp_file("mp3-no-header", 1.0)) == NO_TAGS


def test_reading_tags_never_fails(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp3"
    text.write_text("not a song")
    for path in (text, tmp_path, tmp_path / "gone.mp3"):
        assert read_tags(path) == NO_TAGS


@given(st.text(alphabet=st.characters(codec=None), max_size=700))
def test_a_clean_tag_is_one_short_visible_line(text: str) -> None:
    cleaned = clean(text)
    if cleaned is not None:
        assert 0 < len(cleaned) <= 500
        assert cleaned == " ".join(cleaned.split())
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in cleaned)
        cleaned.encode()


@given(st.binary(max_size=200))
def test_any_bytes_become_text(raw: bytes) -> None:
    for text in (raw.decode("latin-1"), raw.decode("utf-8", "surrogateescape")):
        cleaned = clean(text)
        assert cleaned is None or cleaned.encode()


@pytest.mark.parametrize(
    "text",
    [
        "Sigur Rós – Ágætis byrjun",
        "naïve",
        "Mötley Crüe",
        "ÄÖÜ",
        "Ænima",
        "Dvořák",
        "Bjørk á l’été",
    ],
)
def test_good_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_invisible_marks_that_reorder_a_page_are_removed() -> None:
    assert clean("abc\u202edef\u2066\ufeff") == "abcdef"


def test_extensions_are_written_as_in_a_path() -> None:
    assert all(Path(f"song{extension}").suffix == extension for extension in AUDIO_EXTENSIONS)
    assert {f".{encoding.extension}" for encoding in ENCODINGS.values()} <= AUDIO_EXTENSIONS


def test_what_is_not_audio_has_no_format(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_text("not a song")
    with pytest.raises(TrackError):
        audio_format(path)
