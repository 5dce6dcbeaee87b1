"""The model hub's own client, whose many errors become one line each.

It reads `HF_HOME`, `HF_ENDPOINT`, `HF_HUB_OFFLINE` and `HF_TOKEN` itself, when it is imported.
"""

import errno
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import httpx2
from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    set_client_factory,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils._http import default_client_factory

from resources.embedding.clap.exports import Export
from resources.errors import BackendError, ConfigurationError
from resources.web.connections import with_deadlines
from resources.web.deadline import PATIENCE_SECONDS, OverdueError, TransferDeadline
from resources.web.http import PASSING_STATUSES, UNDECODED, excerpt

_ANSWER_SECONDS: Final = 10.0

_GLANCE_SECONDS: Final = 3.0
"""For a question that is dropped when there is no network."""

_SHA256_DIGITS: Final = 64
"""The hub's ETag of a large file is its SHA-256; of a small one, Git's SHA-1."""


@dataclass(frozen=True)
class Listing:
    """What a repository has at one commit. `files`: by name."""

    revision: str
    licence: str
    files: Mapping[str, RepoSibling]


class Hub:
    """`endpoint` and `cache`: instead of those that the client knows. The hub may be silent, or too
    slow, for `patience_seconds` (`TransferDeadline`)."""

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        cache: Path | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        _keep_deadlines()
        self._endpoint = endpoint
        self._cache = cache
        self._patience_seconds = patience_seconds

    def listing(self, model_id: str, revision: str | None = None) -> Listing:
        """Of the newest commit, if `revision` is None. Raises as `fetch` does."""
        with self._translated(model_id, revision):
            info = HfApi(endpoint=self._endpoint).model_info(
                model_id, revision=revision, files_metadata=True, timeout=_ANSWER_SECONDS
            )
            files = {each.rfilename: each for each in map(_checked, info.siblings or [])}
            card = info.card_data
            licence = card.get("license") if card else None
            return Listing(str(info.sha or ""), str(licence or "unknown"), files)

    def fetch(self, export: Export, name: str) -> Path:
        """A file from the client's cache, or through it, with progress on a terminal.

        The file may still be another than `export` says. A large one that the hub itself calls
        another is not downloaded. Raises `BackendError` when the hub does not answer or its answer
        breaks off, `ConfigurationError` for what waiting does not cure.
        """
        cached = try_to_load_from_cache(
            export.id, name, cache_dir=self._cache, revision=export.revision
        )
        if isinstance(cached, str):
            return Path(cached)
        with self._translated(export.id, export.revision, name):
            url = hf_hub_url(export.id, name, revision=export.revision, endpoint=self._endpoint)
            # The download below would try for half a minute to reach a hub that is not there.
            etag = get_hf_file_metadata(url, timeout=_ANSWER_SECONDS).etag or ""
            if len(etag) == _SHA256_DIGITS and etag != export.sha256.get(name, etag):
                raise ConfigurationError(
                    f"CLAP_MODEL: {self.address} has another {name} for {export.id} than the one "
                    "that is known; unset HF_ENDPOINT if it is set, or set CLAP_MODEL to a folder"
                )
            return Path(
                hf_hub_download(
                    export.id,
                    name,
                    revision=export.revision,
                    cache_dir=self._cache,
                    endpoint=self._endpoint,
                )
            )

    def bytes_of(self, export: Export, names: Sequence[str]) -> int | None:
        """To be downloaded for these files: 0 when all are in the cache, None when the hub does not
        answer within 3 s."""
        total = 0
        for name in names:
            cached = try_to_load_from_cache(
                export.id, name, cache_dir=self._cache, revision=export.revision
            )
            if isinstance(cached, str):
                continue
            url = hf_hub_url(export.id, name, revision=export.revision, endpoint=self._endpoint)
            try:
                with self._translated(export.id, export.revision, name):
                    total += get_hf_file_metadata(url, timeout=_GLANCE_SECONDS).size or 0
            except (BackendError, ConfigurationError):
                return None
        return total

    @property
    def address(self) -> str:
        return self._endpoint or constants.ENDPOINT

    @contextmanager
    def _translated(
        self, model_id: str, revision: str | None, name: str | None = None
    ) -> Iterator[None]:
        whole = f"{model_id}@{revision[:8]}" if revision else model_id
        what = f"{name} of {whole}" if name else whole
        try:
            with TransferDeadline(self._patience_seconds).bounds():
                yield
        except OverdueError:
            raise BackendError(
                f"CLAP_MODEL: {what} does not arrive from {self.address}, or too slowly; try again "
                "later, or set CLAP_MODEL to a folder with the model's files"
            ) from None
        except GatedRepoError:
            raise ConfigurationError(
                f"CLAP_MODEL: {model_id} is given only to those who accepted its terms; accept "
                "them on its page, and set HF_TOKEN"
            ) from None
        except RepositoryNotFoundError:
            raise ConfigurationError(
                f"CLAP_MODEL: {self.address} has no model {model_id}, or not for everybody; check "
                f"the name, set HF_TOKEN if it is private, or write ./{model_id} for a folder"
            ) from None
        except RevisionNotFoundError:
            raise ConfigurationError(
                f"CLAP_MODEL: {model_id} has no commit {revision}; choose one on its page, or "
                f"leave out what is behind @ to be told the newest"
            ) from None
        except (OfflineModeIsEnabled, LocalEntryNotFoundError):
            raise self._not_reached(what) from None
        except EntryNotFoundError:
            raise ConfigurationError(f"CLAP_MODEL: {whole} has no {name}") from None
        except HFValidationError as error:
            raise ConfigurationError(f"CLAP_MODEL: {excerpt(str(error))}") from None
        except HfHubHTTPError as error:
            raise self._refused(what, error.response.status_code) from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise self._not_reached(what) from None
        except OSError as error:
            raise self._not_kept(what, error) from None
        except UNDECODED:
            raise BackendError(
                f"CLAP_MODEL: {self.address} does not answer as a model hub does; check HF_ENDPOINT"
            ) from None

    def _not_reached(self, what: str) -> ConfigurationError | BackendError:
        if constants.is_offline_mode():
            return ConfigurationError(
                f"CLAP_MODEL: {what} is not on this machine, and HF_HUB_OFFLINE forbids to fetch "
                "it; unset that once, or set CLAP_MODEL to a folder with the model's files"
            )
        return BackendError(
            f"CLAP_MODEL: {what} is not on this machine, and {self.address} cannot be reached; "
            "try again with a connection (later starts need none), or set CLAP_MODEL to a folder "
            "with the model's files"
        )

    def _refused(self, what: str, status: int) -> ConfigurationError | BackendError:
        if status in PASSING_STATUSES:
            return BackendError(
                f"CLAP_MODEL: {what} cannot be fetched now, {self.address} answered {status}; try "
                "again later, or set CLAP_MODEL to a folder with the model's files"
            )
        if status in (401, 403):
            return ConfigurationError(
                f"CLAP_MODEL: {self.address} refuses {what} ({status}); check HF_TOKEN"
            )
        return ConfigurationError(
            f"CLAP_MODEL: {self.address} answered {status} for {what}; check HF_ENDPOINT, or set "
            "CLAP_MODEL to a folder with the model's files"
        )

    def _not_kept(self, what: str, error: OSError) -> ConfigurationError | BackendError:
        cache = self._cache or constants.HF_HUB_CACHE
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ConfigurationError(
                f"CLAP_MODEL: no space in {cache} for {what}; free some, or set HF_HOME to a "
                "folder on another disk"
            )
        if error.errno is not None:
            return ConfigurationError(
                f"CLAP_MODEL: cannot write {what} to {cache}: {error.strerror}; set HF_HOME to a "
                "writable folder"
            )
        return BackendError(  # the client's own check of a file's length
            f"CLAP_MODEL: {what} arrived incomplete and was thrown away; try again"
        )


@cache
def _keep_deadlines() -> None:
    """For the whole process: the hub's client has one pool of connections."""
    set_client_factory(lambda: with_deadlines(default_client_factory()))
    # What downloads in native code knows no deadline.
    constants.HF_HUB_DISABLE_XET = True


def _checked(file: RepoSibling) -> RepoSibling:
    """Raises `TypeError`: the client checks nothing of what a hub lists."""
    told = (file.rfilename, file.blob_id or "", file.lfs.sha256 if file.lfs else "")
    if not all(isinstance(each, str) for each in told):
        raise TypeError("not a listing")
    return file


def git_blob_id(content: bytes) -> str:
    """Git's name for a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
