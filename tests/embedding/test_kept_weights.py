"""An offline model that an earlier release shipped still answers queries from kept weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from resources.embedding.offline import load_offline_model
from resources.embedding.offline.kept import keep_shipped_model, load_kept_model
from resources.embedding.offline.model import REVISION_FILE, WEIGHTS, OfflineModel
from resources.embedding.pinned import PinnedModel
from resources.embedding.protocol import EmbeddingModel
from resources.errors import BackendError
from resources.object_store.folder import FolderStore
from resources.object_store.protocol import ObjectStore

TEXTS = ["dark ambient techno", "a solo piano"]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def fingerprint(model: EmbeddingModel) -> str:
    return model.model.for_tracks().fingerprint


def earlier_model(folder: Path) -> OfflineModel:
    """As another release shipped it: other words, another revision."""
    shutil.copytree(WEIGHTS, folder)
    shutil.copy(WEIGHTS.parent / "words.txt", folder)
    (folder / "words.txt").write_text("techno\npiano\n", encoding="ascii")
    (folder / REVISION_FILE).write_text("1", encoding="ascii")
    return load_offline_model(1, folder)


def keep(store: ObjectStore, model: OfflineModel) -> None:
    for path in model.weights.iterdir():
        store.put(f"moodsearch/models/{fingerprint(model)[:16]}/{path.name}", path.read_bytes())


def test_the_shipped_model_is_kept_once_and_is_the_same_model(
    store: FolderStore, tmp_path: Path
) -> None:
    shipped = load_offline_model(1)
    keep_shipped_model(store)
    kept = list(store.keys("moodsearch/models/"))
    keep_shipped_model(store)
    assert list(store.keys("moodsearch/models/")) == kept
    assert len(kept) == 5
    loaded = load_kept_model(store, fingerprint(shipped), tmp_path / "models", threads=1)
    assert loaded.model == shipped.model
    np.testing.assert_array_equal(loaded.embed_text(TEXTS), shipped.embed_text(TEXTS))


def test_an_earlier_model_embeds_as_it_did(store: FolderStore, tmp_path: Path) -> None:
    earlier = earlier_model(tmp_path / "earlier")
    assert fingerprint(earlier) != fingerprint(load_offline_model())
    keep(store, earlier)
    loaded = load_kept_model(store, fingerprint(earlier), tmp_path / "models", threads=1)
    assert loaded.model == earlier.model
    np.testing.assert_array_equal(loaded.embed_text(TEXTS), earlier.embed_text(TEXTS))


def test_a_model_that_was_not_kept_says_so(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="it shipped with another release"):
        load_kept_model(store, "0" * 64, tmp_path / "models", threads=1)


def test_files_that_were_damaged_are_another_model(store: FolderStore, tmp_path: Path) -> None:
    earlier = earlier_model(tmp_path / "earlier")
    wanted = fingerprint(earlier)
    keep(store, earlier)
    store.put(f"moodsearch/models/{wanted[:16]}/words.txt", b"other\n")
    model = PinnedModel(
        wanted, lambda: load_kept_model(store, wanted, tmp_path / "models", threads=1)
    )
    with pytest.raises(BackendError, match="has other files now"):
        model.embed_text(TEXTS)


def test_a_pinned_model_is_loaded_once_and_when_it_is_needed() -> None:
    shipped, loaded = load_offline_model(1), []

    def load() -> EmbeddingModel:
        loaded.append(1)
        return shipped

    model = PinnedModel(fingerprint(shipped), load)
    assert not model.is_remote
    assert loaded == []
    np.testing.assert_array_equal(model.embed_text(TEXTS), shipped.embed_text(TEXTS))
    assert model.model == shipped.model
    assert loaded == [1]
