"""Another model is a new generation of the index, built beside the live one, which answers until
the new one is complete."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.block_run import NoProgress
from pipelines.backfill import backfill, plan
from pipelines.definitions import defs
from pipelines.models import begin, kept_equal
from pipelines.reconcile import drop_generation, drop_replaced_generations
from pipelines.sensors import look_for_changes, look_for_missing_genres
from resources.backends import Backends
from resources.errors import BackendError, UserError
from resources.settings import load_settings
from resources.vectors.protocol import LARGEST_ID
from serving.search.semantic import SemanticSearch
from tests.pipelines.conftest import BLOCK, Run, Upload

pytestmark = pytest.mark.slow

FIXTURE = Path(__file__).parents[1] / "embedding" / "clap_fixture"


@pytest.fixture
def clap(tmp_path: Path) -> Path:
    """A folder with a second model: CLAP's towers, small."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "clap"))


@pytest.fixture
def switched(clap: Path) -> Iterator[Callable[[], Backends]]:
    """Opens the same installation with the second model configured."""
    opened: list[Backends] = []

    def switched() -> Backends:
        opened.append(Backends(load_settings(clap_model=str(clap))))
        return opened[-1]

    yield switched
    for other in opened:
        other.close()


def _backfill(backends: Backends) -> int:
    return backfill(backends, plan(backends), progress=NoProgress()).embedded


def _indexed(backends: Backends) -> list[int]:
    return backends.vectors.ids(0, LARGEST_ID)


def _live_model(backends: Backends) -> str:
    live = backends.generations.live()
    assert live is not None
    return live.model


def _do_what_is_due(backends: Backends, run: Run) -> None:
    """As the daemon would: sensors, and the runs that they ask for, until nothing is due."""
    context = dg.build_sensor_context(dg.DagsterInstance.ephemeral())
    while True:
        backends.database.rows("UPDATE moodsearch.work SET next_attempt_at = now()")
        asked = look_for_changes(context, backends).run_requests or []
        if not asked:
            return
        for request in asked:
            ops = request.run_config.get("ops", {})
            config = ops["search_index"]["config"] if ops else None
            assert run(config=config).success


def test_the_old_index_answers_until_the_new_one_is_complete(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    ids = [upload(seed) for seed in range(3)]
    _backfill(backends)
    other = switched()
    assert backfill(other, plan(other, limit=2), progress=NoProgress()).embedded == 2
    assert _live_model(backends) == backends.track_model.fingerprint
    assert _indexed(backends) == ids
    assert SemanticSearch(other).search("white noise").available
    _backfill(other)
    assert _live_model(backends) == other.track_model.fingerprint
    assert other.vectors.namespace != backends.vectors.namespace
    assert _indexed(other) == ids
    assert SemanticSearch(other).search("white noise").available
    assert SemanticSearch(backends).search("white noise").available


def test_a_process_answers_with_the_model_that_is_live_whatever_it_is_configured_for(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    upload(1)
    _backfill(backends)
    other = switched()
    expected = SemanticSearch(backends).search("white noise").results
    assert SemanticSearch(other).search("white noise").results == expected
    _backfill(other)
    new = SemanticSearch(other).search("white noise").results
    assert new != expected
    assert SemanticSearch(backends).search("white noise").results == new


def test_a_changed_setting_alone_begins_no_index_beside_an_app(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    upload(1)
    _backfill(backends)
    other = switched()
    upload(2)
    _do_what_is_due(other, run)
    assert other.generations.find(other.track_model) is None
    assert _live_model(other) == backends.track_model.fingerprint
    assert len(_indexed(backends)) == 2


def test_changes_go_to_every_index_that_is_live_or_being_built(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    first, second = upload(1), upload(2)
    _backfill(backends)
    other = switched()
    begin(other)
    backfill(other, plan(other, limit=1), progress=NoProgress())
    third = upload(3)
    backends.database.rows("UPDATE public.tracks SET title = 'new' WHERE id = 1")
    for configured in (backends, other):
        _do_what_is_due(configured, run)
        for each in (backends, other):
            assert _indexed(each) == [first, second, third]
            assert [track for track in each.work.pending(BLOCK) if track.step] == []


def test_what_is_removed_is_removed_from_every_index(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    hidden, deleted, kept = upload(1), upload(2), upload(3)
    _backfill(backends)
    other = switched()
    _backfill(other)
    (live,) = kept_equal(backends)
    assert live.track_model.fingerprint == other.track_model.fingerprint
    for statement in (
        "UPDATE public.tracks SET visibility = 'private' WHERE id = %(id)s",
        "DELETE FROM public.tracks WHERE id = %(id)s",
    ):
        track = hidden if "UPDATE" in statement else deleted
        backends.database.rows(statement, {"id": track})
    _do_what_is_due(other, run)
    assert _indexed(other) == _indexed(backends) == [kept]


def test_an_upload_is_not_kept_waiting_by_an_index_that_is_being_built(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    upload(1)
    _backfill(backends)
    begin(switched())
    new = upload(2)
    context = dg.build_sensor_context(dg.DagsterInstance.ephemeral())
    (asked,) = look_for_changes(context, backends).run_requests or []
    assert asked.run_config == {}
    assert asked.tags["moodsearch/tracks"] == "1"
    # The rest of the block is for the other index, and its turn comes then.
    assert run().success
    assert new in _indexed(backends)
    (asked,) = look_for_changes(context, backends).run_requests or []
    assert asked.run_config["ops"]["search_index"]["config"]["track_ids"] == [1]


def test_an_outage_makes_no_index_complete(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    for seed in range(4):
        upload(seed)
    _backfill(backends)
    other = switched()
    begin(other)
    ids = [track.track_id for track in plan(other)]
    assert len(ids) == 4
    other.attempts.note_errors("index", dict.fromkeys(ids, "the model does not answer"))
    own = other.generations.find(other.track_model)
    assert own is not None
    assert not other.generations.promote_when_complete(own)
    # Nor when it holds half, and the rest was tried once.
    backfill(other, plan(other, limit=2), progress=NoProgress())
    assert not other.generations.promote_when_complete(own)
    _backfill(other)
    assert _live_model(backends) == other.track_model.fingerprint


def test_at_most_two_runs_at_once_build_an_index(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    track = upload(1)
    _backfill(backends)
    for block in range(1, 6):
        backends.database.rows(
            "INSERT INTO public.tracks (id, title, artist_did, file_id, file_type)"
            " SELECT %(id)s, title, artist_did, file_id, file_type FROM public.tracks"
            " WHERE id = %(track)s",
            {"id": block * 1000, "track": track},
        )
    _backfill(backends)
    begin(switched())
    context = dg.build_sensor_context(dg.DagsterInstance.ephemeral())
    asked = look_for_changes(context, backends).run_requests or []
    assert [request.tags.get("moodsearch/index") is None for request in asked] == [False, False]
    backends.database.rows("UPDATE public.tracks SET title = 'changed' WHERE id >= 3000")
    asked = look_for_changes(context, backends).run_requests or []
    assert len([each for each in asked if "moodsearch/index" not in each.tags]) == 3


def test_an_index_takes_over_although_what_it_lacked_was_hidden(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    hidden = upload(1)
    upload(2)
    _backfill(backends)
    other = switched()
    begin(other)
    (lacking,) = [each for each in plan(other) if each.track_id != hidden]
    config = {"namespace": other.generation.namespace, "track_ids": [lacking.track_id]}
    assert run(config=config).success
    assert _live_model(backends) == backends.track_model.fingerprint
    backends.database.rows(
        "UPDATE public.tracks SET visibility = 'private' WHERE id = %(id)s", {"id": hidden}
    )
    _do_what_is_due(backends, run)
    look_for_changes(dg.build_sensor_context(dg.DagsterInstance.ephemeral()), backends)
    assert _live_model(backends) == other.track_model.fingerprint


def test_an_index_that_is_gone_is_not_promoted(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    upload(1)
    _backfill(backends)
    other = switched()
    _backfill(other)
    (replaced,) = [each for each in backends.generations.all() if not each.is_live]
    # As when the process that drops it is killed half-way: it holds nothing that could come back.
    assert backends.generations.begin_to_drop(replaced)
    assert backends.generations.rollback() is None
    assert drop_generation(backends, replaced)
    with pytest.raises(UserError, match="is gone"):
        backends.generations.promote(replaced)
    assert _live_model(backends) == other.track_model.fingerprint


def test_an_old_process_and_a_new_one_do_not_undo_each_others_work(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    _backfill(backends)
    other = switched()
    assert _backfill(other) == 3
    for _ in range(2):
        for each in (backends, other):
            _do_what_is_due(each, run)
    assert _indexed(other) == ids
    assert _backfill(other) == 0


def test_a_rollback_embeds_nothing_and_what_changed_since_follows(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    first = upload(1)
    _backfill(backends)
    other = switched()
    _backfill(other)
    second = upload(2)
    _do_what_is_due(other, run)
    back = backends.generations.rollback()
    assert back is not None
    assert back.model == backends.track_model.fingerprint
    assert SemanticSearch(other).search("white noise").results[0].id == first
    backends.work.reconcile()
    _do_what_is_due(other, run)
    assert _indexed(backends) == [first, second]
    assert not [each for each in backends.generations.all() if each.is_building]
    again = backends.generations.rollback()
    assert again is not None
    assert again.model == other.track_model.fingerprint


def test_a_run_by_hand_works_on_the_index_that_answers_or_on_the_one_that_it_names(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], run: Run
) -> None:
    upload(1)
    _backfill(backends)
    _backfill(switched())
    (replaced,) = [each for each in backends.generations.all() if not each.is_live]
    upload(2)
    assert run().success
    assert len(_indexed(backends)) == 1
    for namespace, reason in ((replaced.namespace, "was replaced"), ("none", "there is no index")):
        ran = run(config={"namespace": namespace})
        (failure,) = [event for event in ran.outcome.all_events if event.is_step_failure]
        data = failure.step_failure_data.user_failure_data
        assert data is not None
        assert reason in str(data.description)


def test_genres_are_those_of_the_model_that_answers(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    upload(1)
    _backfill(backends)
    begin(switched())
    upload(2)
    backends.work.absorb_changes()
    backends.work.ask_for("genres", [1, 2])
    context = dg.build_sensor_context(dg.DagsterInstance.ephemeral())
    assert look_for_missing_genres(context, backends).skip_reason is not None


def test_an_empty_index_is_replaced_at_once(
    backends: Backends, switched: Callable[[], Backends]
) -> None:
    _backfill(backends)
    other = switched()
    assert other.generations.other_model(other.track_model) is not None
    _backfill(other)
    assert other.generations.other_model(other.track_model) is None
    assert SemanticSearch(other).search("white noise").available


def test_the_nightly_job_compares_every_index_and_begins_none(
    backends: Backends,
    upload: Upload,
    switched: Callable[[], Backends],
    instance: dg.DagsterInstance,
) -> None:
    track = upload(1)
    _backfill(backends)
    other = switched()
    nightly = defs.resolve_job_def("housekeeping")
    assert nightly.execute_in_process(instance=instance, resources={"backends": other}).success
    assert other.generations.find(other.track_model) is None
    backends.vectors.delete([track])
    assert nightly.execute_in_process(instance=instance, resources={"backends": other}).success
    assert [due.track_ids for due in other.work.due_blocks("index", limit=1)] == [[track]]


def test_an_index_that_was_replaced_is_dropped_after_a_while_and_comes_back_without_embedding(
    backends: Backends, upload: Upload, switched: Callable[[], Backends]
) -> None:
    ids = [upload(seed) for seed in range(2)]
    _backfill(backends)
    other = switched()
    _backfill(other)
    assert drop_replaced_generations(other) == 0
    assert drop_replaced_generations(other, timedelta(0)) == 1
    assert drop_replaced_generations(other, timedelta(0)) == 0
    assert _indexed(other) == ids
    live = other.generations.live()
    assert live is not None
    assert not drop_generation(other, live)
    with Backends(load_settings()) as back_again:
        assert _indexed(back_again) == []
        assert _backfill(back_again) == 0
        assert _indexed(back_again) == ids
        assert _live_model(back_again) == back_again.track_model.fingerprint


def test_an_index_whose_model_cannot_be_loaded_any_more_still_forgets_what_is_hidden(
    backends: Backends, upload: Upload, switched: Callable[[], Backends], clap: Path, run: Run
) -> None:
    kept, hidden = upload(1), upload(2)
    _backfill(backends)
    _backfill(switched())
    shutil.copy(clap / "onnx" / "text_model.onnx", clap / "onnx" / "text_model_quantized.onnx")
    with Backends(load_settings()) as old:
        answer = SemanticSearch(old).search("white noise")
        assert not answer.available
        assert "has other files now" in str(answer.reason)
        live = old.live
        assert live is not None
        with pytest.raises(BackendError, match="cannot be loaded"):
            live.text_model.embed_text(["white noise"])
        old.database.rows(
            "UPDATE public.tracks SET visibility = 'private' WHERE id = %(id)s", {"id": hidden}
        )
        _do_what_is_due(old, run)
        assert _indexed(live) == [kept]
