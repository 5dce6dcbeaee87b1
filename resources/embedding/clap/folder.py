"""CLAP's files in a folder of this machine."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Final

from resources.embedding.clap.exports import PINNED
from resources.embedding.clap.files import (
    NAMES,
    PREPROCESSOR_CONFIG,
    ClapFiles,
    Precision,
    describe,
    require_supported,
    sha256_of,
)
from resources.embedding.protocol import ModelDescription
from resources.errors import ConfigurationError

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
"""How the small files begin that a clone without Git LFS has in place of large ones."""

_REVISION_DIGITS: Final = 12


class FolderFiles(ClapFiles):
    """Laid out as in a repository, or with all files directly in `folder`.

    A folder with the files of a pinned export is that export; any other has its own name for an id
    and the start of a hash of its files for a revision. The files of one run are those that `model`
    describes: one that changes meanwhile is refused.
    """

    def __init__(self, folder: Path, precision: Precision) -> None:
        super().__init__(precision)
        self._folder = folder

    @cached_property
    def model(self) -> ModelDescription:
        """Reads all files but opens none."""
        hashes = self._hashes
        for export in PINNED.values():
            if hashes.items() <= export.sha256.items():
                return describe(export.id, export.revision, export.licence, self._precision, hashes)
        require_supported(self._path(PREPROCESSOR_CONFIG), str(self._folder))
        together = "\n".join(hashes[name] for name in self._names.all)
        revision = hashlib.sha256(together.encode()).hexdigest()[:_REVISION_DIGITS]
        return describe(self._folder.name, revision, "unknown", self._precision, hashes)

    def everything(self) -> list[Path]:
        """All that a copy of the folder needs to be the same model."""
        config = self._found(PREPROCESSOR_CONFIG)
        paths = [self.audio_model(), self.text_model(), self.tokenizer()]
        return paths if config is None else [*paths, config]

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {name: sha256_of(self._path(name)) for name in self._names.all}

    def checked(self, name: str) -> Path:
        path = self._path(name)
        if sha256_of(path) != self._hashes[name]:
            raise ConfigurationError(
                f"CLAP_MODEL: {path} has changed since this program started; start it again"
            )
        return path

    def _path(self, name: str) -> Path:
        path = self._found(name)
        if path is None:
            raise ConfigurationError(self._missing(name))
        if _is_lfs_pointer(path):
            raise ConfigurationError(
                f"CLAP_MODEL: {path} only stands for the file; run git lfs pull in its folder"
            )
        return path

    def _found(self, name: str) -> Path | None:
        places = (self._folder / name, self._folder / Path(name).name)
        return next((place for place in places if place.is_file()), None)

    def _missing(self, name: str) -> str:
        if not self._folder.is_dir():
            return f"CLAP_MODEL: {self._folder} is not a folder"
        fix = "copy it there from the model's repository"
        others = [each for each in NAMES if each != self._precision]
        for precision in others:
            if all(self._found(each) for each in NAMES[precision].all):
                fix += f", or set CLAP_PRECISION={precision}"
        return f"CLAP_MODEL: {self._folder} has no {name}; {fix}"


def _is_lfs_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False  # said by whoever reads all of it
