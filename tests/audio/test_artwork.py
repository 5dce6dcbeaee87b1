"""Covers: inside the file, beside it, and what is no picture."""

import os
from pathlib import Path

import pytest

from resources.audio.artwork import MOST_BYTES, as_picture, find_picture
from resources.audio.probe import probe
from tests.audio.covers import JPEG, SVG, WEBP, with_cover
from tests.audio.files import ENCODINGS, chirp, png, write_audio, write_video


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    return folder


@pytest.fixture
def song(album: Path) -> Path:
    return write_audio(album / "song.wav", chirp(0.5, 8_000), ENCODINGS["wav-16"])


@pytest.mark.parametrize("extension", ["mp3", "flac", "m4a"])
def test_the_picture_inside_comes_before_the_one_beside(album: Path, extension: str) -> None:
    path = with_cover(album / f"song.{extension}", png())
    (album / "cover.jpg").write_bytes(JPEG)
    assert probe(path).duration_seconds == pytest.approx(0.5, abs=0.1)
    picture = find_picture(path)
    assert picture is not None
    assert (picture.data, picture.extension) == (png(), "png")


@pytest.mark.parametrize("extension", ["mp3", "flac"])
def test_the_front_cover_comes_before_the_back(album: Path, extension: str) -> None:
    path = with_cover(album / f"song.{extension}", png(), png() + b"back")
    picture = find_picture(path)
    assert picture is not None
    assert picture.data == png()


def test_what_is_inside_but_no_picture_does_not_hide_the_one_beside(album: Path) -> None:
    path = with_cover(album / "song.flac", SVG)
    (album / "cover.jpg").write_bytes(JPEG)
    picture = find_picture(path)
    assert picture is not None
    assert picture.data == JPEG


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["Folder.JPG", "back.jpg"], "Folder.JPG"),
        (["folder.jpg", "cover.png"], "cover.png"),
        (["cover.webp", "cover.jpeg"], "cover.jpeg"),
        (["AlbumArt.jpg"], "AlbumArt.jpg"),
        (["party.jpg", "cover.gif", "cover.jpg.txt"], None),
    ],
)
def test_a_folder_has_a_cover_when_one_is_named_so(
    album: Path, song: Path, names: list[str], best: str | None
) -> None:
    for name in names:
        (album / name).write_bytes(JPEG + name.encode())
    picture = find_picture(song)
    assert (picture and picture.data) == (best and JPEG + best.encode())


def test_what_is_no_picture_or_too_large_counts_as_none(album: Path, song: Path) -> None:
    (album / "cover.jpg").write_bytes(SVG)
    (album / "cover.png").mkdir()
    (album / "folder.png").symlink_to("nowhere")
    os.mkfifo(album / "folder.webp")
    (album / "front.jpg").write_bytes(JPEG)
    os.truncate(album / "front.jpg", MOST_BYTES + 1)
    assert find_picture(song) is None
    os.truncate(album / "front.jpg", MOST_BYTES)
    assert find_picture(song) is not None


def test_a_video_is_no_cover(tmp_path: Path) -> None:
    assert find_picture(write_video(tmp_path / "clip.mp4")) is None


@pytest.mark.parametrize(
    ("data", "extension"),
    [(JPEG, "jpg"), (png(), "png"), (WEBP, "webp"), (SVG, None), (b"GIF89a", None), (b"", None)],
)
def test_pictures_are_known_by_how_they_begin(data: bytes, extension: str | None) -> None:
    picture = as_picture(data)
    assert (picture and picture.extension) == extension


def test_a_picture_is_named_by_its_bytes() -> None:
    names = {picture.name for data in (JPEG, JPEG, JPEG + b"x") if (picture := as_picture(data))}
    assert len(names) == 2
