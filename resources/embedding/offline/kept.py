"""Weights of the model that shipped with a release, kept beside what was made with them: a later
release ships others, and answers with the old ones until its own index is complete."""

import uuid
from pathlib import Path
from typing import Final

from resources.embedding.offline.lexicon import WORDS_FILE
from resources.embedding.offline.model import (
    AUDIO_FILE,
    REVISION,
    REVISION_FILE,
    TEXT_FILE,
    VOCABULARY_FILE,
    WEIGHTS,
    OfflineModel,
    load_offline_model,
)
from resources.errors import BackendError, ConfigurationError
from resources.object_store.protocol import ObjectStore

_LAST: Final = REVISION_FILE
"""Written after the others, so that where it is, all are."""


def keep_shipped_model(store: ObjectStore) -> None:
    """Put the shipped model's 9 MB into the store, unless they are there. Raises what it raises."""
    prefix = _prefix(load_offline_model().model.for_tracks().fingerprint)
    if store.exists(f"{prefix}{_LAST}"):
        return
    weights = [WEIGHTS / name for name in (AUDIO_FILE, TEXT_FILE, VOCABULARY_FILE)]
    for path in (*weights, WORDS_FILE):
        store.put(f"{prefix}{path.name}", path.read_bytes())
    store.put(f"{prefix}{_LAST}", REVISION.encode())


def load_kept_model(
    store: ObjectStore, fingerprint: str, folder: Path, *, threads: int | None
) -> OfflineModel:
    """The model whose vectors of tracks have `fingerprint`, from files in `folder`, which are
    fetched where they are not there. Raises what the store raises, `BackendError` where it was not
    kept, and `ConfigurationError` for a folder that cannot be written to."""
    own, prefix = folder / fingerprint[:16], _prefix(fingerprint)
    if not (own / _LAST).exists():
        if not store.exists(f"{prefix}{_LAST}"):
            raise BackendError(
                f"the model of the index ({fingerprint[:8]}) cannot be loaded: it shipped with"
                " another release; moodsearch models build makes an index of this one's"
            )
        try:
            _fetch(store, prefix, own)
        except OSError as error:
            raise ConfigurationError(
                f"cannot write {own}: {error.strerror}; set MOODSEARCH_HOME to a writable folder"
            ) from None
    return load_offline_model(threads, own)


def _fetch(store: ObjectStore, prefix: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (AUDIO_FILE, TEXT_FILE, VOCABULARY_FILE, WORDS_FILE.name, _LAST):
        draft = folder / f"{name}.{uuid.uuid4().hex}"
        draft.write_bytes(store.get(f"{prefix}{name}"))
        draft.replace(folder / name)


def _prefix(fingerprint: str) -> str:
    return f"moodsearch/models/{fingerprint[:16]}/"
