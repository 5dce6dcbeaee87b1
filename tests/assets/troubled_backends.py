"""Backends whose store does to the process that opens an object what the object's key says. Worker
processes import this module."""

import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from resources.embedding.offline.model import load_offline_model
from resources.embedding.protocol import EmbeddingModel
from resources.embedding_backends import EmbeddingBackends
from resources.errors import BackendError, UserError
from resources.object_store.folder import FolderStore
from resources.object_store.protocol import ObjectStore
from resources.settings import Settings


class TroubledBackends(EmbeddingBackends):
    """A folder store with trouble, and the offline model. `folder`: for notes of what happened."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings)
        self.folder = folder

    @cached_property
    def store(self) -> ObjectStore:
        return _TroubledStore(self.settings.moodsearch_home / "objects", self.folder)


class BackendsWithAnotherModel(EmbeddingBackends):
    """As after the model's files were replaced."""

    @cached_property
    def local_model(self) -> EmbeddingModel:
        model = load_offline_model(threads=1)
        return replace(model, model=replace(model.model, fingerprint="another"))


class BackendsThatCannotLoad(EmbeddingBackends):
    """The kernel has no memory for the model."""

    @cached_property
    def local_model(self) -> EmbeddingModel:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class _TroubledStore(FolderStore):
    def __init__(self, root: Path, folder: Path) -> None:
        super().__init__(root)
        self._folder = folder

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        self._make_trouble(key)
        with super().open(key) as file:
            if "slow" in key:
                yield cast(BinaryIO, _SlowFile(file))
            elif "hangs" in key:
                yield cast(BinaryIO, _HangingFile())
            else:
                yield file

    def _make_trouble(self, key: str) -> None:
        with (self._folder / "opened").open("a") as notes:
            notes.write(f"{os.getpid()} {key}\n")
        if "crashes" in key:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "killed-once" in key and not (self._folder / "killed").exists():
            (self._folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if "out-of-reach" in key:
            time.sleep(5)
            raise BackendError("the object store does not answer")
        if "down" in key:
            raise BackendError("the object store does not answer")
        if "denied" in key:
            raise UserError("access denied; change R2_BUCKET")
        if "mistaken-once" in key and not (self._folder / "mistaken").exists():
            (self._folder / "mistaken").touch()
            raise ZeroDivisionError("a mistake that does not come again")
        if "mistake-" in key:
            raise ZeroDivisionError("a mistake of ours")
        if "talks" in key:
            os.write(sys.stdout.fileno(), b"printed by a library\n")
            warnings.warn("a warning of a library", stacklevel=1)


class _SlowFile:
    """The first reads take a second each."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._slow_reads = 5

    def read(self, size: int = -1) -> bytes:
        if self._slow_reads:
            self._slow_reads -= 1
            time.sleep(1)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


class _HangingFile:
    """As a decoder that finds no end: nothing is asked of the store meanwhile."""

    def seek(self, *_: int) -> int:
        time.sleep(300)
        raise AssertionError
