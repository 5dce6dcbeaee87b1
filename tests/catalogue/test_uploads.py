"""Uploads: many at once, from threads and from processes, and artists whose names look alike."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources.audio.source import MOST_FILE_BYTES
from resources.catalogue.database import Database
from resources.catalogue.tracks.uploads import Upload, Uploads
from resources.errors import TrackError
from resources.object_store.folder import FolderStore
from tests.audio.covers import with_cover
from tests.audio.files import ENCODINGS, noise, png, write_audio
from tests.catalogue.rows import add_artist
from tests.serving.command import write_tone

THREADS = 16

ADD_ALL = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from resources.catalogue.database import Database
    from resources.catalogue.tracks.uploads import Uploads
    from resources.object_store.folder import FolderStore

    url, store, *paths = sys.argv[1:]
    database = Database(url)
    uploads = Uploads(database, FolderStore(Path(store)))
    print("ready", flush=True)
    sys.stdin.readline()
    for path in paths:
        uploads.add(Path(path))
    database.close()
    """
)


@pytest.fixture
def uploads(database: Database, tmp_path: Path) -> Uploads:
    return Uploads(database, FolderStore(tmp_path / "objects"))


def write_song(path: Path, seed: int, artist: str) -> Path:
    samples = noise(0.1, 44_100, 1, seed)
    return write_audio(path, samples, ENCODINGS["flac"], tags={"artist": artist, "album": "One"})


def _handles(database: Database) -> list[str]:
    return [row["handle"] for row in database.rows("SELECT handle FROM public.artists ORDER BY 1")]


def _add_all(uploads: Uploads, paths: list[Path]) -> list[Upload]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(uploads.add, paths))


@pytest.mark.slow
def test_more_threads_than_connections_add_files(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url, max_connections=2)
    uploads = Uploads(database, FolderStore(tmp_path / "objects"))
    paths = [write_tone(tmp_path / f"{i}.wav", 200 + i) for i in range(100)]
    added = _add_all(uploads, paths)
    assert len({upload.track_id for upload in added}) == len(paths)
    assert all(upload.is_new for upload in added)
    database.close()


def test_the_same_bytes_from_many_threads_are_one_track(uploads: Uploads, tmp_path: Path) -> None:
    paths = [write_tone(tmp_path / f"{i}.wav") for i in range(THREADS)]
    added = _add_all(uploads, paths)
    assert len({upload.track_id for upload in added}) == 1
    assert sum(upload.is_new for upload in added) == 1


@pytest.mark.slow
def test_artists_with_one_handle_at_the_same_time_get_one_each(
    uploads: Uploads, database: Database, tmp_path: Path
) -> None:
    for turn in range(10):
        names = [f"Turn {turn}" + "!" * marks for marks in range(THREADS)]
        paths = [
            write_song(tmp_path / f"{turn}-{i}.flac", THREADS * turn + i, name)
            for i, name in enumerate(names)
        ]
        assert [upload.artist for upload in _add_all(uploads, paths)] == names
    handles = _handles(database)
    assert len(handles) == len(set(handles)) == 10 * THREADS
    assert {f"turn-{turn}" for turn in range(10)} <= set(handles)


def test_an_artist_whose_handle_another_has_gets_a_longer_one_and_keeps_it(
    uploads: Uploads, database: Database, tmp_path: Path
) -> None:
    add_artist(database, "nova")
    for i in range(2):
        uploads.add(write_song(tmp_path / f"{i}.flac", i, "Nova"))
    first, second = _handles(database)
    assert first == "nova"
    assert second.startswith("nova-")


@pytest.fixture
def three_processes(database_url: str, tmp_path: Path) -> Iterator[list["subprocess.Popen[str]"]]:
    """Each adds files by artists whose names differ between the processes, but not the handles."""
    processes = []
    for number in range(3):
        paths = [
            write_song(
                tmp_path / f"{number}-{i}.flac",
                100 * number + i,
                f"Band {i}" + "!" * number,
            )
            for i in range(20)
        ]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", ADD_ALL, database_url, str(tmp_path / "objects")]
                + [str(path) for path in paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    yield processes
    for running in processes:
        running.kill()
        running.communicate()


@pytest.mark.slow
def test_artists_with_one_handle_in_several_processes_get_one_each(
    three_processes: list["subprocess.Popen[str]"], database: Database
) -> None:
    for process in three_processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in three_processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in three_processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    handles = _handles(database)
    assert len(handles) == len(set(handles)) == 60


def test_an_album_gets_the_cover_of_its_first_track_that_has_one(
    database: Database, uploads: Uploads, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    uploads.add(write_song(tmp_path / "0.flac", 0, "Ana"))
    assert [row["image_url"] for row in database.rows("SELECT image_url FROM albums")] == [None]
    ids = []
    for number, folder in enumerate("ab", start=1):
        (tmp_path / folder / "cover.png").write_bytes(png() + folder.encode())
        upload = uploads.add(write_song(tmp_path / folder / "x.flac", number, "Ana"))
        assert upload.has_cover
        ids.append(upload.track_id)
    (album,) = database.rows("SELECT image_url FROM albums")
    assert album["image_url"].startswith(f"/tracks/{ids[0]}/artwork/")


def test_many_threads_store_one_folders_cover(
    database: Database, uploads: Uploads, tmp_path: Path
) -> None:
    (tmp_path / "cover.png").write_bytes(png())
    paths = [write_song(tmp_path / f"{n}.flac", n, "Ana") for n in range(THREADS)]
    assert all(upload.has_cover for upload in _add_all(uploads, paths))
    rows = database.rows("SELECT id, image_url FROM tracks")
    assert all(row["image_url"].startswith(f"/tracks/{row['id']}/artwork/") for row in rows)


def test_a_file_of_gigabytes_is_neither_read_nor_stored(uploads: Uploads, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "sparse.wav")
    os.truncate(path, MOST_FILE_BYTES + 1)
    started = time.monotonic()
    with pytest.raises(TrackError, match="larger than 2 GiB"):
        uploads.add(path)
    assert time.monotonic() - started < 1
    assert not (tmp_path / "objects").exists()


@pytest.mark.parametrize("extension", ["mp3", "flac", "m4a"])
def test_a_cover_that_claims_a_billion_pixels_is_left_and_the_track_is_not(
    uploads: Uploads, tmp_path: Path, extension: str
) -> None:
    song = with_cover(tmp_path / f"song.{extension}", png(30_000, 30_000))
    assert not uploads.add(song).has_cover
    (tmp_path / "cover.png").write_bytes(png(600, 600))
    assert uploads.add(song).has_cover
