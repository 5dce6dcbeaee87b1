"""An index that lost documents, or gained some, behind our back is made right again."""

import numpy as np
import pytest

from pipelines.backfill import plan
from pipelines.reconcile import index_differs, reconcile_index
from resources.backends import Backends
from resources.vectors.protocol import LARGEST_ID, VectorDocument
from tests.pipelines.conftest import BLOCK, Run, Upload

pytestmark = pytest.mark.slow


def _stranger(track_id: int) -> VectorDocument:
    vector = np.zeros(512, dtype=np.float32)
    vector[0] = 1.0
    return VectorDocument(track_id, vector, "nobody's", "nobody", "did:plc:nobody")


def test_an_index_as_recorded_is_left_alone(backends: Backends, upload: Upload, run: Run) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    assert not index_differs(backends)
    assert reconcile_index(backends) == 0
    assert backends.vectors.ids(0, LARGEST_ID) == ids


def test_documents_that_were_lost_are_pending_again(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    backends.vectors.delete(ids[:2])
    assert index_differs(backends)
    assert reconcile_index(backends) == 2
    assert [(t.track_id, t.step) for t in plan(backends) if t.step] == [
        (ids[0], "index"),
        (ids[1], "index"),
    ]
    assert run().counts("clap_embeddings")["new"] == 0
    assert backends.vectors.ids(0, LARGEST_ID) == ids
    assert not index_differs(backends)


def test_documents_that_nobody_recorded_are_deleted(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.vectors.upsert([_stranger(500), _stranger(77_000)])
    assert reconcile_index(backends) == 2
    assert backends.vectors.ids(0, LARGEST_ID) == ids


def test_an_index_that_was_dropped_is_filled_again_without_embedding(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.vectors.drop()
    reconcile_index(backends)
    assert run().counts("clap_embeddings")["new"] == 0
    assert backends.vectors.ids(0, LARGEST_ID) == ids


def test_strangers_between_blocks_that_are_known_are_found(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(1)]
    run()
    backends.database.rows("INSERT INTO moodsearch.track_genres (track_id) VALUES (9500)")
    backends.vectors.upsert([_stranger(4_000), _stranger(4_001), _stranger(2**62)])
    assert reconcile_index(backends) == 3
    assert backends.vectors.ids(0, LARGEST_ID) == ids


def test_a_block_that_is_being_worked_on_is_left_for_the_next_time(
    backends: Backends, upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [upload(1)]
    run()
    backends.vectors.delete(ids)
    monkeypatch.setattr("pipelines.reconcile.PATIENCE_SECONDS", 1)
    with backends.locks.hold(BLOCK):
        assert reconcile_index(backends) == 0
    assert reconcile_index(backends) == 1


def test_an_index_that_is_taken_up_again_goes_on_answering_until_it_is_refilled(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.database.rows("UPDATE moodsearch.track_documents SET generation = 'another index'")
    assert reconcile_index(backends) == 0
    assert backends.vectors.ids(0, LARGEST_ID) == ids
    run()
    assert not index_differs(backends)
