"""What is particular to the folder: full and read-only disks, writers that are killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from resources.errors import UserError
from resources.object_store.folder import PARTIAL_LIFETIME_SECONDS, FolderStore
from resources.object_store.keys import RESERVED_PREFIX

KIBIBYTE = 1024


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount_point)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no permission to mount a small disk: {mounted.stderr.strip()}")
    yield mount_point
    subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_is_one_clear_line_and_keeps_the_old_object(
    tiny_disk: Path, tmp_path: Path
) -> None:
    store = FolderStore(tiny_disk)
    old = b"o" * 100 * KIBIBYTE
    store.put("audio/track.mp3", old)
    big_file = tmp_path / "big"
    big_file.write_bytes(b"n" * 300 * KIBIBYTE)
    with pytest.raises(UserError) as from_bytes:
        store.put("audio/track.mp3", big_file.read_bytes())
    with pytest.raises(UserError) as from_file:
        store.put_file("audio/track.mp3", big_file)
    for error in (from_bytes, from_file):
        assert "No space left" in str(error.value)
        assert str(tiny_disk) in str(error.value)
        assert "\n" not in str(error.value)
    assert store.get("audio/track.mp3") == old
    assert files_in(tiny_disk) == ["audio/track.mp3"]
    # What was written in vain is given back at once.
    store.put("audio/other.mp3", b"x" * 100 * KIBIBYTE)


def test_a_file_size_limit_is_like_a_full_disk(tmp_path: Path) -> None:
    # In a process of its own: the limit would hold for everything the test process writes.
    script = """
import resource, signal, sys
from pathlib import Path
from resources.errors import UserError
from resources.object_store.folder import FolderStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = FolderStore(Path(sys.argv[1]))
store.put("key", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    store.put("key", bytes(100_000))
except UserError as error:
    print(error)
assert store.get("key") == b"old"
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(f"No space left in {tmp_path}")
    assert files_in(tmp_path) == ["key"]


def test_a_read_only_disk_is_the_users_to_fix(tiny_disk: Path) -> None:
    store = FolderStore(tiny_disk)
    store.put("key", b"sound")
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    writes: list[Callable[[], None]] = [
        lambda: store.put("other", b""),
        lambda: store.put("a/b", b""),
        lambda: store.delete("key"),
        store.check,
    ]
    for write in writes:
        with pytest.raises(UserError, match="Not permitted"):
            write()
    assert store.get("key") == b"sound"
    assert list(store.keys("")) == ["key"]


def test_a_killed_writer_leaves_the_old_object_and_nothing_in_the_listing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from resources.object_store.folder import FolderStore

store = FolderStore(Path(sys.argv[1]))
with store._replacing("folder/key") as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""
    store = FolderStore(tmp_path)
    store.put("folder/key", b"old")
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    writer.kill()
    writer.communicate()
    assert len(files_in(tmp_path)) == 2
    assert list(store.keys("")) == ["folder/key"]
    assert store.get("folder/key") == b"old"

    leftover = next((tmp_path / "folder").glob(f"{RESERVED_PREFIX}*"))
    long_ago = time.time() - PARTIAL_LIFETIME_SECONDS - 1
    os.utime(leftover, (long_ago, long_ago))
    assert list(store.keys("")) == ["folder/key"]
    assert not leftover.exists()


def test_a_key_inside_another_object_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("album", b"sound")
    with pytest.raises(UserError, match="cannot be stored"):
        store.put("album/track", b"")
    store.put("other/track", b"")
    with pytest.raises(UserError, match="cannot be stored"):
        store.put("other", b"")
    assert list(store.keys("")) == ["album", "other/track"]
    assert store.get("album") == b"sound"


def test_files_that_cannot_be_objects_are_passed_over(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("track", b"sound")
    os.mkfifo(tmp_path / "pipe")
    with suppress(OSError):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp3")).touch()
    assert list(store.keys("")) == ["track"]
    assert not store.exists("pipe")


def test_a_folder_has_no_url(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("track", b"sound")
    assert store.url("track") is None


def test_nothing_is_created_before_the_first_write(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    assert list(store.keys("")) == []
    assert not store.exists("track")
    assert not (tmp_path / "objects").exists()
    store.check()
    assert files_in(tmp_path) == []
