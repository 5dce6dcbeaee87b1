"""Objects as files in a folder: the store that needs no account."""

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final

from resources.errors import BackendError, ObjectNotFoundError, UserError
from resources.machine.folders import make_private
from resources.object_store.keys import RESERVED_PREFIX, InvalidKeyError, validate_key
from resources.object_store.protocol import open_source

PARTIAL_LIFETIME_SECONDS: Final = 24 * 3600
"""A partial file this old was left by a writer that was killed."""

COPY_BYTES: Final = 1 << 20

# EFBIG: the process's file size limit, which leaves the writer where a full disk does.
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_PERMITTED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NAME_TAKEN: Final = frozenset({errno.EEXIST, errno.EISDIR, errno.ENOTDIR})
_ABSENT: Final = _NAME_TAKEN | {errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP}


class FolderStore:
    """One file for each object, at the path that its key spells under `root`.

    A file system cannot hold a file `a` beside a file `a/b`: the second of the two is refused with
    a `UserError`. Keys that differ only in case or Unicode normal form are different objects
    wherever the file system can tell them apart (Linux; not macOS by default).
    """

    is_remote = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f"FolderStore({str(self._root)!r})"

    def put(self, key: str, data: bytes) -> None:
        with self._replacing(key) as partial:
            partial.write(data)

    def put_file(self, key: str, path: Path) -> None:
        with open_source(path) as source, self._replacing(key) as partial:
            shutil.copyfileobj(source, partial, COPY_BYTES)

    def get(self, key: str) -> bytes:
        self.size(key)
        with self._reading(key):
            return self._path(key).read_bytes()

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        # Also keeps a decoder from hanging on something that is not a regular file.
        self.size(key)
        with self._reading(key):
            file = self._path(key).open("rb")
        with file:
            yield file

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except ObjectNotFoundError:
            return False
        return True

    def size(self, key: str) -> int:
        path = self._path(key)
        with self._reading(key):
            status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ObjectNotFoundError(f"{self._root} holds no object {key!r}")
        return status.st_size

    def delete(self, key: str) -> None:
        if self.exists(key):
            with suppress(ObjectNotFoundError), self._reading(key):
                self._path(key).unlink()

    def keys(self, prefix: str) -> Iterator[str]:
        folder, slash, _ = prefix.rpartition("/")
        with suppress(InvalidKeyError):
            # No key starts with what no key can be.
            yield from self._walk(validate_key(folder) + "/" if slash else "", prefix)

    def url(self, key: str) -> str | None:
        validate_key(key)
        return None

    def check(self) -> None:
        with self._writing("check"):
            make_private(self._root)
            with self._partial(self._root) as (path, file):
                file.write(b"\0")
                file.flush()
                path.unlink()

    def _path(self, key: str) -> Path:
        return self._root / validate_key(key)

    @contextmanager
    def _replacing(self, key: str) -> Iterator[BinaryIO]:
        """A new file that takes the object's place once it is wholly on the disk."""
        target = self._path(key)
        with self._writing(key):
            make_private(target.parent)
            with self._partial(target.parent) as (path, file):
                yield file
                file.flush()
                os.fsync(file.fileno())
                path.replace(target)
            _sync_folder(target.parent)

    @contextmanager
    def _partial(self, folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
        """A new file in `folder`, on its target's disk; removed if it is still there."""
        path = folder / f"{RESERVED_PREFIX}{secrets.token_hex(8)}"
        try:
            with path.open("xb") as file:
                yield path, file
        finally:
            with suppress(OSError):
                path.unlink()

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        try:
            with self._reading(folder):
                entries = list(os.scandir(self._root / folder))
        except ObjectNotFoundError:
            return
        # "a-b" comes before "a/b", so a folder is ordered by its name with the slash.
        for name, entry in sorted(
            ((_listed_name(entry), entry) for entry in entries), key=itemgetter(0)
        ):
            key = folder + name
            if entry.name.startswith(RESERVED_PREFIX):
                _remove_if_abandoned(entry)
            elif name.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix) and entry.is_file():
                # Files put here by others may have names that no key has.
                with suppress(InvalidKeyError):
                    yield validate_key(key)

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _ABSENT:
                raise ObjectNotFoundError(f"{self._root} holds no object {key!r}") from error
            raise self._error(error) from error

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NAME_TAKEN:
                raise UserError(
                    f"{key!r} cannot be stored in {self._root}: a key there is a folder of another"
                ) from error
            raise self._error(error) from error

    def _error(self, error: OSError) -> UserError | BackendError:
        reason = f"{self._root}: {os.strerror(error.errno or errno.EIO)}"
        if error.errno in _DISK_FULL:
            return UserError(
                f"No space left in {reason}; free some or point MOODSEARCH_HOME at another disk"
            )
        if error.errno in _NOT_PERMITTED:
            return UserError(
                f"Not permitted to use {reason}; change its permissions or point MOODSEARCH_HOME"
                " at another folder"
            )
        if error.errno == errno.ENAMETOOLONG:
            return UserError(f"The key is too long for {reason}")
        return BackendError(f"Could not use {reason}")


def _listed_name(entry: "os.DirEntry[str]") -> str:
    return f"{entry.name}/" if entry.is_dir() else entry.name


def _remove_if_abandoned(entry: "os.DirEntry[str]") -> None:
    with suppress(OSError):
        if time.time() - entry.stat().st_mtime > PARTIAL_LIFETIME_SECONDS:
            Path(entry).unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` outlive a power cut."""
    # Some network file systems cannot; the object is whole there all the same.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
