"""What is stored is not replaced by what could not be read: a table that was written and is missing
or damaged stops its block, is looked for again, and is made again beside what is left of it."""

from collections.abc import Callable

import pytest

from assets.tables import BlockTable, Embeddings, GenrePredictions, TrackAudio
from resources.backends import Backends
from resources.catalogue.work import stored_tables
from resources.errors import BackendError
from resources.object_store.folder import FolderStore
from tests.pipelines.conftest import BLOCK, Run, Upload

pytestmark = pytest.mark.slow

HTML = b"<html>Log in to this network</html>"

Loss = Callable[[Backends, str], None]


def _missing(backends: Backends, key: str) -> None:
    backends.store.delete(key)


def _damaged(backends: Backends, key: str) -> None:
    backends.store.put(key, backends.store.get(key)[:-10])


def _something_else(backends: Backends, key: str) -> None:
    backends.store.put(key, HTML)


losses = pytest.mark.parametrize("lose", [_missing, _damaged, _something_else])


def _tables(backends: Backends) -> dict[str, BlockTable]:
    return {
        "audio": BlockTable(backends, TrackAudio, BLOCK),
        "embeddings": BlockTable(backends, Embeddings, BLOCK, backends.track_model.fingerprint),
        "genres": BlockTable(backends, GenrePredictions, BLOCK),
    }


def _rows(backends: Backends) -> dict[str, list[int]]:
    return {name: table.read()["track_id"].to_list() for name, table in _tables(backends).items()}


@pytest.fixture
def three(backends: Backends, upload: Upload, run: Run) -> list[int]:
    """Tracks for which everything is done."""
    ids = [upload(seed) for seed in range(3)]
    assert run().success
    assert run("classify_genres").success
    return ids


@losses
@pytest.mark.parametrize("table", ["audio", "embeddings", "genres"])
def test_a_table_that_cannot_be_read_stops_its_block_and_is_left_as_it_is(
    backends: Backends, three: list[int], upload: Upload, run: Run, table: str, lose: Loss
) -> None:
    upload(9)
    if table == "genres":
        assert run().success
    key = _tables(backends)[table].key
    lose(backends, key)
    left = list(backends.store.keys(key)), [backends.store.get(key) for key in _keys(backends, key)]
    assert not run("classify_genres" if table == "genres" else "index_tracks").success
    assert (
        list(backends.store.keys(key)),
        [backends.store.get(k) for k in _keys(backends, key)],
    ) == left
    (failed,) = backends.failed_runs.all()
    assert key in failed.reason
    assert ("missing" if lose is _missing else "damaged") in failed.reason


def _keys(backends: Backends, prefix: str) -> list[str]:
    return list(backends.store.keys(prefix))


def test_a_table_that_was_out_of_reach_for_a_while_is_as_it_was(
    backends: Backends, three: list[int], upload: Upload, run: Run
) -> None:
    key = _tables(backends)["embeddings"].key
    content = backends.store.get(key)
    backends.store.put(key, HTML)
    new = upload(9)
    assert not run().success
    backends.store.put(key, content)
    assert run().success
    assert _rows(backends)["embeddings"] == [*three, new]
    assert _tables(backends)["embeddings"].key == key


@losses
def test_a_lost_table_is_made_again_beside_what_is_left_of_it(
    backends: Backends,
    three: list[int],
    upload: Upload,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    lose: Loss,
) -> None:
    monkeypatch.setattr(stored_tables, "LOOK_AGAIN_SECONDS", 0)
    before = {name: table.read() for name, table in _tables(backends).items()}
    keys = {name: table.key for name, table in _tables(backends).items()}
    for key in keys.values():
        lose(backends, key)
    left = [backends.store.get(key) for key in keys.values() if backends.store.exists(key)]
    new = upload(9)
    for _ in range(2):  # Audio is looked at again first.
        assert run().success
    assert run("classify_genres").success
    after = _tables(backends)
    for name, table in after.items():
        assert table.read()["track_id"].to_list() == [*three, new], name
        assert table.key != keys[name]
    assert [backends.store.get(key) for key in keys.values() if backends.store.exists(key)] == left
    genres = after["genres"].read().head(3)
    assert genres["names"].to_list() == before["genres"]["names"].to_list()
    assert backends.work.pending(BLOCK) == []


def test_a_table_that_was_not_made_again_to_the_end_is_made_again(
    backends: Backends, three: list[int], upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_tables, "LOOK_AGAIN_SECONDS", 0)
    backends.store.delete(_tables(backends)["embeddings"].key)
    new = upload(9)

    def down(*_: object) -> None:
        raise BackendError("the vector store is down")

    with monkeypatch.context() as patch:
        patch.setattr(type(backends.vectors), "vector", down)
        assert not run().success
    assert run().success
    assert _rows(backends)["embeddings"] == [*three, new]


def test_editions_are_found_where_the_records_of_them_were_lost(
    backends: Backends, three: list[int], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_tables, "LOOK_AGAIN_SECONDS", 0)
    _something_else(backends, _tables(backends)["embeddings"].key)
    backends.work.ask_for("index", three)
    assert run().success
    second = _tables(backends)["embeddings"].key
    backends.database.rows("DELETE FROM moodsearch.stored_tables")
    assert _tables(backends)["embeddings"].key == second
    assert _rows(backends)["embeddings"] == three


def test_vectors_and_genres_are_taken_from_where_they_are_not_made_again(
    backends: Backends, three: list[int], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audio is gone, so nothing could be: they come from the index and from the app's table."""
    monkeypatch.setattr(stored_tables, "LOOK_AGAIN_SECONDS", 0)
    store = backends.store
    assert isinstance(store, FolderStore)
    for key in list(store.keys("audio/")):
        store.delete(key)
    for name in ("embeddings", "genres"):
        store.delete(_tables(backends)[name].key)
    backends.work.ask_for("index", three)
    assert run().success
    assert run("classify_genres").success
    assert _rows(backends)["embeddings"] == three
    assert _rows(backends)["genres"] == three
    assert backends.work.pending(BLOCK) == []


def test_a_block_without_tables_is_new_and_no_loss(
    backends: Backends, upload: Upload, run: Run
) -> None:
    track = upload(1)
    assert run().success
    assert _rows(backends)["audio"] == [track]
