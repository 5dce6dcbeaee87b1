"""Sensors: each change asks for one run of its block, and failed work is asked for again later."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.blocks import TRACK_BLOCKS
from pipelines.changes_cursor import ChangesCursor
from pipelines.runs import process_tags
from pipelines.sensors import (
    changed_tracks,
    look_for_changes,
    look_for_missing_genres,
    tracks_without_genres,
)
from resources.backends import Backends
from tests.catalogue.rows import add_track
from tests.pipelines.conftest import BLOCK, Run, Upload

pytestmark = pytest.mark.slow

Tick = Callable[[dg.SensorEvaluationContext, Backends], dg.SensorResult]


@pytest.fixture
def empty_instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def _tick(tick: Tick, instance: dg.DagsterInstance, backends: Backends) -> list[str]:
    """Blocks that a tick asks runs for; adds the partitions as the daemon would."""
    result = tick(dg.build_sensor_context(instance=instance), backends)
    for request in result.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return [str(request.partition_key) for request in result.run_requests or []]


def _due_again(backends: Backends) -> None:
    """Let the delay pass."""
    backends.database.rows("UPDATE moodsearch.work SET next_attempt_at = now()")


def test_nothing_is_asked_for_while_nothing_changes(
    backends: Backends, empty_instance: dg.DagsterInstance
) -> None:
    assert _tick(look_for_changes, empty_instance, backends) == []


def test_a_tick_that_finds_nothing_asks_dagster_nothing(backends: Backends) -> None:
    """Dagster opens its instance for each tick of a sensor that asks it for resources."""
    for sensor in (changed_tracks, tracks_without_genres):
        assert sensor.required_resource_keys == set()
    for tick in (look_for_changes, look_for_missing_genres):
        without_instance = dg.build_sensor_context()
        assert tick(without_instance, backends).skip_reason is not None


def test_new_uploads_ask_for_one_run_of_each_block_in_order(
    backends: Backends, empty_instance: dg.DagsterInstance
) -> None:
    for track_id in (2_500, 3, 4):
        add_track(backends.database, file_id=f"f{track_id}", track_id=track_id)
    assert _tick(look_for_changes, empty_instance, backends) == [
        "0-999",
        "2000-2999",
    ]
    assert empty_instance.get_dynamic_partitions(str(TRACK_BLOCKS.name)) == [
        "0-999",
        "2000-2999",
    ]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE public.tracks SET file_id = 'new' WHERE id = 1",
        "UPDATE public.tracks SET title = 'new' WHERE id = 1",
        "UPDATE public.artists SET handle = 'new'",
        "UPDATE public.tracks SET visibility = 'private' WHERE id = 1",
        "DELETE FROM public.tracks WHERE id = 1",
    ],
)
def test_each_kind_of_change_asks_for_a_run(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload, run: Run, change: str
) -> None:
    upload(1)
    run()
    _tick(look_for_changes, instance, backends)
    backends.database.rows(change)
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]


def test_a_change_that_a_trigger_missed_is_compared(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    _tick(look_for_changes, instance, backends)
    backends.database.rows("ALTER TABLE moodsearch.outbox RENAME TO hidden")
    backends.database.rows("UPDATE public.tracks SET title = 'new'")
    backends.database.rows("ALTER TABLE moodsearch.hidden RENAME TO outbox")
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]
    assert backends.contents.missed_changes() == []


def test_a_change_that_was_undone_asks_for_nothing(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    _tick(look_for_changes, instance, backends)
    backends.database.rows("UPDATE public.tracks SET title = title || '!'")
    backends.database.rows("UPDATE public.tracks SET title = rtrim(title, '!')")
    assert _tick(look_for_changes, instance, backends) == []


def test_a_block_with_an_unfinished_run_is_not_asked_for_again(
    backends: Backends, instance: dg.DagsterInstance
) -> None:
    add_track(backends.database)
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]
    unfinished = instance.create_run_for_job(
        _any_job(),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": BLOCK.key, **process_tags()},
    )
    _due_again(backends)
    assert _tick(look_for_changes, instance, backends) == []
    instance.report_run_failed(unfinished)
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]


def test_a_run_whose_process_was_killed_does_not_hold_its_block(
    backends: Backends, instance: dg.DagsterInstance
) -> None:
    add_track(backends.database)
    (tag,) = process_tags()
    host = process_tags()[tag].split("/")[0]
    dead = instance.create_run_for_job(
        _any_job(),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": BLOCK.key, tag: f"{host}/999999999/1"},
    )
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]
    found = instance.get_run_by_id(dead.run_id)
    assert found is not None
    assert found.status == dg.DagsterRunStatus.FAILURE


def test_failed_work_is_asked_for_again_with_growing_delays(
    backends: Backends, empty_instance: dg.DagsterInstance
) -> None:
    add_track(backends.database)
    delays = []
    for _ in range(3):
        assert _tick(look_for_changes, empty_instance, backends) == [BLOCK.key]
        assert _tick(look_for_changes, empty_instance, backends) == []
        (row,) = backends.database.rows(
            "SELECT extract(epoch FROM next_attempt_at - now())::float AS delay"
            " FROM moodsearch.work"
        )
        delays.append(row["delay"])
        _due_again(backends)
    assert delays == pytest.approx([30, 60, 120], abs=2)


def test_work_that_is_done_is_not_asked_for_again(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload, run: Run
) -> None:
    upload(1)
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]
    assert run().success
    _due_again(backends)
    assert _tick(look_for_changes, instance, backends) == []


def test_a_broken_file_is_not_asked_for_again(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload, run: Run, tmp_path: Path
) -> None:
    track_id = upload(1)
    backends.store.put("audio/broken.wav", b"nothing that is audio")
    backends.database.rows(
        "UPDATE public.tracks SET file_id = 'broken', file_type = 'wav' WHERE id = %(id)s",
        {"id": track_id},
    )
    assert _tick(look_for_changes, instance, backends) == [BLOCK.key]
    run()
    _due_again(backends)
    assert _tick(look_for_changes, instance, backends) == []


def test_newly_embedded_tracks_get_their_genres(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload, run: Run
) -> None:
    track_id = upload(1)
    assert _tick(look_for_missing_genres, instance, backends) == []
    run()
    assert _tick(look_for_missing_genres, instance, backends) == [BLOCK.key]
    run("classify_genres")
    _due_again(backends)
    assert _tick(look_for_missing_genres, instance, backends) == []
    (row,) = backends.database.rows(
        "SELECT extra FROM public.tracks WHERE id = %(id)s", {"id": track_id}
    )
    predictions = row["extra"]["genre_predictions"]
    confidences = [prediction["confidence"] for prediction in predictions]
    assert predictions
    assert confidences == sorted(confidences, reverse=True)


def _observed(
    instance: dg.DagsterInstance, backends: Backends, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """What a tick says of the catalogue, and the cursor for the next tick."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = look_for_changes(context, backends)
    events = [event for event in result.asset_events if isinstance(event, dg.AssetObservation)]
    assert {event.asset_key for event in events} <= {dg.AssetKey("tracks")}
    said: list[dict[str, object]] = [
        {name: value.value for name, value in event.metadata.items()} for event in events
    ]
    return said, result.cursor


def test_changes_are_observed_once_and_a_quiet_catalogue_is_not(
    backends: Backends, empty_instance: dg.DagsterInstance
) -> None:
    assert _observed(empty_instance, backends, None)[0] == []
    add_track(backends.database)
    add_track(backends.database, file_id="another")
    said, cursor = _observed(empty_instance, backends, None)
    assert said == [{"changes": 2, "pending": 2, "pending_genres": 0}]
    assert _observed(empty_instance, backends, cursor)[0] == []


def test_changes_that_go_on_are_observed_once_a_minute_and_none_is_lost(
    backends: Backends, empty_instance: dg.DagsterInstance
) -> None:
    add_track(backends.database)
    _, cursor = _observed(empty_instance, backends, None)
    for name in ("second", "third"):
        add_track(backends.database, file_id=name)
        said, cursor = _observed(empty_instance, backends, cursor)
        assert said == []
    a_minute_ago = replace(ChangesCursor.read(cursor), observed_at=time.time() - 60)
    said, _ = _observed(empty_instance, backends, a_minute_ago.write())
    assert [observation["changes"] for observation in said] == [2]


def _any_job() -> dg.JobDefinition:
    @dg.job
    def any_job() -> None:
        pass

    return any_job
