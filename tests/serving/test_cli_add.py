"""`moodsearch add`: what goes in, what is skipped and why, and what stops it."""

import os
from pathlib import Path

import pytest

from resources.audio.tags import AUDIO_EXTENSIONS
from resources.catalogue.database import Database
from resources.catalogue.tracks.uploads import Upload
from resources.errors import BackendError, TrackError, UserError
from serving.cli.add import add_all, find_audio_files
from tests.serving.command import Command, write_tone


def catalogue(database: Database) -> list[str]:
    return [row["title"] for row in database.rows("SELECT title FROM public.tracks ORDER BY title")]


def test_files_go_into_the_catalogue_and_the_next_command_is_named(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    write_tone(tmp_path / "music" / "one.wav", 220)
    write_tone(tmp_path / "music" / "deeper" / "two.WAV", 440)
    outcome = moodsearch("add", str(tmp_path / "music"))
    assert outcome.status == 0
    assert "2 added, 0 already there, 0 skipped" in outcome.output
    assert "moodsearch backfill" in outcome.output
    assert catalogue(database) == ["one", "two"]


def test_a_file_that_is_already_there_is_not_added_again(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    file = write_tone(tmp_path / "one.wav")
    moodsearch("add", str(file))
    outcome = moodsearch("add", str(file))
    assert outcome.status == 0
    assert "0 added, 1 already there, 0 skipped" in outcome.output
    assert catalogue(database) == ["one"]


def test_what_cannot_be_used_is_named_with_its_reason_and_the_rest_goes_in(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    write_tone(tmp_path / "good.wav")
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "broken.flac").write_bytes(b"fLaC and then nothing")
    outcome = moodsearch("add", str(tmp_path), str(tmp_path / "missing.mp3"))
    assert outcome.status == 1
    assert "1 added, 0 already there, 3 skipped" in outcome.output
    for name in ("empty.mp3", "broken.flac", "missing.mp3"):
        assert name in outcome.output
    assert "does not exist" in outcome.output
    assert catalogue(database) == ["good"]


def test_names_are_neither_markup_nor_terminal_commands(
    moodsearch: Command, tmp_path: Path
) -> None:
    names = [b"[red]markup[red].mp3", b"escape \x1b[31m.mp3", b"line\nbreak.mp3", b"latin \xe9.mp3"]
    for name in names:
        (tmp_path / os.fsdecode(name)).touch()
    outcome = moodsearch("add", str(tmp_path))
    assert outcome.status == 1
    assert "[red]markup[red].mp3" in outcome.output
    assert r"escape \x1b[31m.mp3" in outcome.output
    assert r"line\nbreak.mp3" in outcome.output
    assert r"latin \udce9.mp3" in outcome.output
    assert "\x1b" not in outcome.output


def test_an_object_store_that_cannot_be_written_to_stops_it_with_one_line(
    moodsearch: Command, database: Database, tmp_path: Path
) -> None:
    for number in range(30):
        write_tone(tmp_path / "music" / f"{number}.wav", 200 + number)
    home = Path(os.environ["MOODSEARCH_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "objects").write_text("a file where the folder should be")
    outcome = moodsearch("add", str(tmp_path / "music"))
    assert outcome.status == 1
    assert outcome.is_one_error_line
    assert catalogue(database) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (OSError(22, "Invalid argument"), "cannot be read: Invalid argument"),
        (TrackError("no audio stream"), "no audio stream"),
    ],
)
def test_whatever_one_file_meets_the_others_go_in(error: Exception, reason: str) -> None:
    upload = Upload(1, "a title", "an artist", is_new=True, has_cover=False)

    def add(path: Path) -> Upload:
        if path.name == "odd.mp3":
            raise error
        return upload

    paths = [Path("first.mp3"), Path("odd.mp3"), Path("last.mp3")]
    first, odd, last = add_all(add, paths)
    assert (first, last) == ((paths[0], upload), (paths[2], upload))
    assert str(odd[1]) == reason


@pytest.mark.parametrize("error", [BackendError("no database"), UserError("the disk is full")])
def test_what_concerns_every_file_ends_the_import(error: Exception) -> None:
    def add(path: Path) -> Upload:
        raise error

    with pytest.raises(type(error)):
        list(add_all(add, [Path("first.mp3"), Path("last.mp3")]))


def test_a_folder_without_audio_says_so(moodsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    outcome = moodsearch("add", str(tmp_path))
    assert outcome.status == 0
    assert "No audio files found." in outcome.output


def test_a_folder_gives_its_audio_files_in_order_and_leaves_hidden_ones_out(
    tmp_path: Path,
) -> None:
    for name in ("b.mp3", "a.FLAC", "cover.jpg", "._a.mp3", "sub/c.ogg", ".hidden/d.mp3"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = find_audio_files([tmp_path], AUDIO_EXTENSIONS)
    assert [path.relative_to(tmp_path).as_posix() for path in found.files] == [
        "a.FLAC",
        "b.mp3",
        "sub/c.ogg",
    ]


def test_a_named_file_is_always_tried_and_only_once(tmp_path: Path) -> None:
    file = tmp_path / "music.bin"
    file.touch()
    assert find_audio_files([file, file], AUDIO_EXTENSIONS).files == [file]


@pytest.mark.parametrize("kind", ["pipe", "dangling link"])
def test_what_is_no_file_is_skipped(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.mp3"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    found = find_audio_files([path], AUDIO_EXTENSIONS)
    assert found.files == []
    assert [skipped.reason for skipped in found.skipped] == ["is not a file"]
