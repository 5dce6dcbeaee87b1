"""What an increment reads: how often it asks for each object and for what is pending."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest

from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.catalogue.work.pending import PendingTrack, PendingWork
from resources.object_store.folder import FolderStore
from tests.pipelines.conftest import BLOCK, Run, Upload


class CountingStore(FolderStore):
    """Counts how often each object is read."""

    def __init__(self, backends: Backends) -> None:
        super().__init__(backends.settings.moodsearch_home / "objects")
        self.reads: Counter[str] = Counter()

    def get(self, key: str) -> bytes:
        self.reads[key] += 1
        return super().get(key)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        self.reads[key] += 1
        with super().open(key) as file:
            yield file


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    """The blocks of which was asked what is pending."""
    blocks: list[Block] = []
    original = PendingWork.pending

    def pending(self: PendingWork, block: Block) -> list[PendingTrack]:
        blocks.append(block)
        return original(self, block)

    monkeypatch.setattr(PendingWork, "pending", pending)
    return blocks


def test_a_new_track_in_a_filled_block_reads_each_object_at_most_twice(
    backends: Backends, upload: Upload, run: Run, asked: list[Block]
) -> None:
    for seed in range(3):
        upload(seed)
    run()
    run("classify_genres")
    upload(4)
    asked.clear()
    store = backends.store = CountingStore(backends)
    ran = run()
    assert ran.counts("search_index")["new"] == 1
    # The new audio is probed by one asset and heard by the next.
    assert [key.split("/")[0] for key, reads in store.reads.items() if reads == 2] == ["audio"]
    assert max(store.reads.values()) == 2
    assert not any(key.startswith("moodsearch/windows/") for key in store.reads)
    assert asked == [BLOCK, BLOCK]


def test_genres_read_each_object_once(
    backends: Backends, upload: Upload, run: Run, asked: list[Block]
) -> None:
    upload(1)
    run()
    asked.clear()
    store = backends.store = CountingStore(backends)
    assert run("classify_genres").counts("genre_predictions")["new"] == 1
    assert set(store.reads.values()) == {1}
    assert asked == [BLOCK]
