"""CLAP's files from the model hub, each fetched once into the hub client's own cache."""

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from huggingface_hub.hf_api import RepoSibling

from resources.embedding.clap.exports import PINNED, Export, lock_path, read_lock, write_lock
from resources.embedding.clap.files import (
    NAMES,
    PREPROCESSOR_CONFIG,
    ClapFiles,
    Precision,
    describe,
    require_supported,
    sha256_of,
)
from resources.embedding.clap.hub_client import Hub, Listing, git_blob_id
from resources.embedding.protocol import ModelDescription
from resources.errors import BackendError, ConfigurationError


class HubFiles(ClapFiles):
    """`reference`: `owner/name` of a pinned export, or `owner/name@<revision>` of any.

    `locks`: the folder where the hashes of an export that is not pinned are kept once they have
    been looked up. A file is checked each time it is opened: what the cache holds may have been
    changed, or have come from another mirror.
    """

    def __init__(
        self, reference: str, precision: Precision, locks: Path, hub: Hub | None = None
    ) -> None:
        super().__init__(precision)
        self._id, _, self._revision = reference.partition("@")
        self._locks = locks
        self._hub = hub or Hub()

    @cached_property
    def model(self) -> ModelDescription:
        export = self.export
        return describe(export.id, export.revision, export.licence, self._precision, self.hashes())

    @cached_property
    def export(self) -> Export:
        """The revision and the hashes of its files; asks the hub at most once in a home's life."""
        pinned = PINNED.get(self._id)
        if pinned is not None and self._revision in ("", pinned.revision):
            return pinned
        if not re.fullmatch("[0-9a-f]{40}", self._revision):
            raise ConfigurationError(self._how_to_pin())
        path = lock_path(self._locks, self._id, self._revision)
        export = read_lock(path)
        if export is None:
            export = self._look_up()
            write_lock(path, export)
        return export

    @property
    def lock(self) -> Path | None:
        """The file that `export` is read from; None for a pinned one."""
        export = self.export
        pinned = PINNED.get(export.id) == export
        return None if pinned else lock_path(self._locks, export.id, export.revision)

    def hashes(self) -> dict[str, str]:
        """SHA-256 in hex of this precision's files, by their names in the repository."""
        return {name: self._sha256(name) for name in self._names.all}

    def _how_to_pin(self) -> str:
        needed = f"CLAP_MODEL: {self._id} needs a revision, the 40 digits of one of its commits"
        try:
            newest = self._hub.listing(self._id).revision
        except BackendError:
            return f"{needed} behind @, as its page on the hub shows them"
        return f"{needed}; the newest is CLAP_MODEL={self._id}@{newest}"

    def _look_up(self) -> Export:
        listing = self._hub.listing(self._id, self._revision)
        wanted = {name for names in NAMES.values() for name in names.all} | {PREPROCESSOR_CONFIG}
        found = sorted(wanted & listing.files.keys())
        if PREPROCESSOR_CONFIG not in found:
            raise ConfigurationError(self._has_no(PREPROCESSOR_CONFIG))
        unchecked = self._export(listing, {})
        config = self._hub.fetch(unchecked, PREPROCESSOR_CONFIG)
        require_supported(config, f"{self._id}@{self._revision[:8]}")
        hashes = {name: self._looked_up_sha256(unchecked, listing.files[name]) for name in found}
        return self._export(listing, hashes)

    def _export(self, listing: Listing, hashes: Mapping[str, str]) -> Export:
        return Export(id=self._id, revision=self._revision, licence=listing.licence, sha256=hashes)

    def _looked_up_sha256(self, export: Export, file: RepoSibling) -> str:
        if file.lfs is not None:
            return file.lfs.sha256
        # For a file in Git itself the hub tells another hash.
        path = self._hub.fetch(export, file.rfilename)
        if git_blob_id(path.read_bytes()) != file.blob_id:
            raise ConfigurationError(_is_another(path, file.rfilename, export))
        return sha256_of(path)

    def _sha256(self, name: str) -> str:
        known = self.export.sha256
        if name not in known:
            raise ConfigurationError(self._has_no(name))
        return known[name]

    def _has_no(self, name: str) -> str:
        missing = f"CLAP_MODEL: {self._id}@{self._revision[:8]} has no {name}"
        other = next(each for each in NAMES if each != self._precision)
        if name in NAMES[other].all or name == PREPROCESSOR_CONFIG:
            return f"{missing}; choose an export laid out like {next(iter(PINNED))}"
        return f"{missing}; try CLAP_PRECISION={other}, or choose another export"

    def checked(self, name: str) -> Path:
        expected = self._sha256(name)
        path = self._hub.fetch(self.export, name)
        if sha256_of(path) != expected:
            raise ConfigurationError(_is_another(path, name, self.export))
        return path


def _is_another(path: Path, name: str, export: Export) -> str:
    # Behind the cache's link is the file that would be linked again.
    return (
        f"CLAP_MODEL: {path.resolve()} is not the {name} of {export.id}@{export.revision[:8]}; "
        "delete it and start again, and it is downloaded again"
    )
