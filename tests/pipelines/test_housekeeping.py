"""Housekeeping: old runs go, and each block's latest run stays with its materializations."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from pipelines.definitions import defs
from pipelines.housekeeping import delete_old_runs
from resources.backends import Backends
from tests.pipelines.conftest import Run, Upload


@pytest.mark.slow
def test_old_runs_are_deleted_except_the_latest_of_each_block(
    instance: dg.DagsterInstance, upload: Upload, run: Run
) -> None:
    upload(1)
    for _ in range(3):
        run()
    run("classify_genres")
    (newest, *_) = instance.get_runs(dg.RunsFilter(job_name="index_tracks"))
    assert delete_old_runs(instance, before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert delete_old_runs(instance, before=datetime.now(UTC) + timedelta(days=1)) == 2
    left = {item.job_name: item.run_id for item in instance.get_runs()}
    assert left["index_tracks"] == newest.run_id
    assert set(left) == {"index_tracks", "classify_genres"}
    assert instance.get_latest_materialization_event(dg.AssetKey("search_index")) is not None


def test_the_nightly_job_finds_changes_that_no_trigger_saw(
    backends: Backends, instance: dg.DagsterInstance, upload: Upload
) -> None:
    upload(1)
    backends.database.rows("DELETE FROM moodsearch.outbox")
    job = defs.resolve_job_def("housekeeping")
    assert job.execute_in_process(instance=instance, resources={"backends": backends}).success
    assert [len(due.track_ids) for due in backends.work.due_blocks("index", limit=5)] == [1]


def test_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)
