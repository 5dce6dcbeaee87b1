"""Another model is a new generation of the index, built beside the live one."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import dagster as dg
import numpy as np
import pytest
from numpy.typing import NDArray

from assets.block_run import NoProgress
from assets.blocks import TRACK_BLOCKS
from assets.forgetting.finding import subject_of
from assets.forgetting.scan import scan
from pipelines.backfill import backfill, plan
from pipelines.definitions import defs
from pipelines.reconcile import drop_retired_generations
from pipelines.sensors import look_for_changes, look_for_missing_genres
from resources.backends import Backends
from resources.embedding.protocol import EmbeddingModel, ModelDescription
from resources.settings import load_settings
from resources.vectors.protocol import LARGEST_ID
from serving.search.semantic import SemanticSearch
from tests.catalogue.rows import update_track
from tests.pipelines.conftest import BLOCK, Upload

pytestmark = pytest.mark.slow


class TurnedModel:
    """A second model: the shipped one with its axes in another order, which is another space."""

    def __init__(self, model: EmbeddingModel) -> None:
        self._model = model
        self.model: ModelDescription = dataclasses.replace(
            model.model, id="turned", fingerprint="0" * 64
        )
        self.is_remote = model.is_remote
        self.charges_for = model.charges_for

    def embed_audio(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._model.embed_audio(windows)[:, ::-1]

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._model.embed_text(texts)[:, ::-1]


@pytest.fixture
def switch(backends: Backends) -> Iterator[Callable[[], Backends]]:
    """Opens the same installation with the second model configured."""
    opened: list[Backends] = []

    def switch() -> Backends:
        other = Backends(load_settings())
        other.__dict__["audio_model"] = TurnedModel(other.local_model)
        opened.append(other)
        return other

    yield switch
    for other in opened:
        other.close()


def _backfill(backends: Backends) -> int:
    return backfill(backends, plan(backends), progress=NoProgress()).embedded


def test_search_says_that_the_index_is_another_models_and_how_to_rebuild_it(
    backends: Backends, upload: Upload, switch: Callable[[], Backends]
) -> None:
    upload(1)
    _backfill(backends)
    answer = SemanticSearch(switch()).search("white noise")
    assert not answer.available
    assert answer.reason is not None
    assert "turned" in answer.reason
    assert "moodsearch backfill" in answer.reason.replace("\n", " ")
    assert SemanticSearch(backends).search("white noise").available


def test_the_old_index_answers_until_the_new_one_is_complete(
    backends: Backends, upload: Upload, switch: Callable[[], Backends]
) -> None:
    ids = [upload(seed) for seed in range(3)]
    _backfill(backends)
    other = switch()
    assert backfill(other, plan(other, limit=2), progress=NoProgress()).embedded == 2
    live = other.generations.live()
    assert live is not None
    assert live.model == backends.track_model.fingerprint
    assert backends.vectors.ids(0, LARGEST_ID) == ids
    _backfill(other)
    live = other.generations.live()
    assert live is not None
    assert live.model == other.track_model.fingerprint
    assert live.namespace != backends.vectors.namespace
    assert other.vectors.ids(0, LARGEST_ID) == ids
    assert SemanticSearch(other).search("white noise").available
    assert not SemanticSearch(backends).search("white noise").available


def test_sensors_wait_for_a_backfill_and_then_go_on_with_it(
    backends: Backends, upload: Upload, switch: Callable[[], Backends]
) -> None:
    upload(1)
    upload(2)
    _backfill(backends)
    other = switch()
    upload(3)
    context = dg.build_sensor_context(dg.DagsterInstance.ephemeral())
    for tick in (look_for_changes, look_for_missing_genres):
        waiting = tick(context, other).skip_reason
        assert waiting is not None
        assert "turned" in str(waiting.skip_message)
        assert "run moodsearch backfill" in str(waiting.skip_message)
    assert other.generations.find(other.track_model) is None
    backfill(other, plan(other, limit=1), progress=NoProgress())
    going_on = look_for_changes(context, other)
    assert len(going_on.run_requests or []) == 1
    reason = SemanticSearch(other).search("white noise").reason
    assert "is being built" in str(reason)


def test_what_is_deleted_or_hidden_goes_while_everything_else_waits_for_a_backfill(
    backends: Backends, upload: Upload, switch: Callable[[], Backends]
) -> None:
    ids = [upload(seed) for seed in range(3)]
    _backfill(backends)
    other = switch()
    subject = subject_of(backends.database, [ids[0]], frozenset())
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[0]})
    update_track(backends.database, ids[1], visibility="private")
    update_track(backends.database, ids[2], title="waits")
    instance = dg.DagsterInstance.ephemeral()
    context = dg.build_sensor_context(instance)
    (request,) = look_for_changes(context, other).run_requests or []
    assert request.job_name == "forget_gone_tracks"
    instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), [BLOCK.key])
    outcome = defs.resolve_job_def("forget_gone_tracks").execute_in_process(
        instance=instance, partition_key=request.partition_key, resources={"backends": other}
    )
    assert outcome.success
    assert list(scan(other, subject)) == []
    assert backends.vectors.ids(0, LARGEST_ID) == ids[2:]
    assert look_for_changes(context, other).run_requests == []
    assert other.generations.find(other.track_model) is None
    assert [track.track_id for track in other.work.pending(BLOCK)] == ids[2:]


def test_a_run_by_hand_does_not_begin_another_models_index(
    backends: Backends,
    upload: Upload,
    switch: Callable[[], Backends],
    instance: dg.DagsterInstance,
) -> None:
    upload(1)
    _backfill(backends)
    other = switch()
    outcome = defs.resolve_job_def("index_tracks").execute_in_process(
        instance=instance,
        partition_key=BLOCK.key,
        resources={"backends": other, "progress": NoProgress()},
        raise_on_error=False,
    )
    assert not outcome.success
    (failure,) = [event for event in outcome.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert "run moodsearch backfill" in str(data.description)
    assert other.generations.find(other.track_model) is None


def test_the_nightly_job_does_not_begin_another_models_index(
    backends: Backends,
    upload: Upload,
    switch: Callable[[], Backends],
    instance: dg.DagsterInstance,
) -> None:
    upload(1)
    _backfill(backends)
    other = switch()
    nightly = defs.resolve_job_def("housekeeping")
    assert nightly.execute_in_process(instance=instance, resources={"backends": other}).success
    assert other.generations.find(other.track_model) is None
    assert not other.work.anything_due("index")


def test_an_index_that_was_replaced_comes_back_by_a_backfill_alone(
    backends: Backends, upload: Upload, switch: Callable[[], Backends]
) -> None:
    upload(1)
    _backfill(backends)
    _backfill(switch())
    upload(2)
    assert look_for_changes(dg.build_sensor_context(), backends).skip_reason is not None
    _backfill(backends)
    assert backends.generations.other_model(backends.track_model) is None


def test_an_empty_index_is_replaced_at_once(
    backends: Backends, switch: Callable[[], Backends]
) -> None:
    _backfill(backends)
    other = switch()
    assert other.generations.waits_for_backfill(other.track_model) is not None
    _backfill(other)
    assert other.generations.other_model(other.track_model) is None
    assert SemanticSearch(other).search("white noise").available


def test_an_index_that_is_no_longer_used_is_dropped_and_can_come_back_without_embedding(
    backends: Backends, upload: Upload, switch: Callable[[], Backends]
) -> None:
    ids = [upload(seed) for seed in range(2)]
    _backfill(backends)
    other = switch()
    _backfill(other)
    assert drop_retired_generations(other) == 1
    assert drop_retired_generations(other) == 0
    assert other.vectors.ids(0, LARGEST_ID) == ids
    with Backends(load_settings()) as back_again:
        assert back_again.vectors.ids(0, LARGEST_ID) == []
        assert _backfill(back_again) == 0
        assert back_again.vectors.ids(0, LARGEST_ID) == ids
        live = back_again.generations.live()
        assert live is not None
        assert live.model == back_again.track_model.fingerprint
