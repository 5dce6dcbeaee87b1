"""What runs say that they cost, on loopback services that charge, and where nobody is paid."""

from typing import Any

import dagster as dg
import pytest

from assets.block_run import NoProgress, block_runs_resource
from assets.track_audio import track_audio
from pipelines.backfill import backfill, plan, reclassify
from pipelines.definitions import defs
from resources.backends import Backends
from resources.costs import prices
from resources.costs.measures import Measure
from resources.settings import load_settings
from resources.vectors.turbopuffer import TurbopufferStore
from tests.fakes.loopback import Answer, Host
from tests.fakes.replicate import TOKEN, prediction
from tests.object_store.conftest import (  # noqa: F401  Fixtures.
    s3_bucket,
    s3_client,
    s3_endpoint,
)
from tests.pipelines.conftest import BLOCK, Upload
from tests.pipelines.test_production_backends import (  # noqa: F401  Fixtures.
    backends,
    replicate,
    turbopuffer,
    upload,
)

pytestmark = pytest.mark.slow

CREATE = "POST /v1/predictions"


@pytest.fixture
def timed(replicate: Host) -> Host:  # noqa: F811
    """Each prediction takes two seconds, as far as Replicate says."""
    done = prediction("succeeded", output=f"{replicate.url}/out.json")
    replicate.on(CREATE, Answer(201, done | {"metrics": {"predict_time": 2.0}}))
    return replicate


def run(
    backends: Backends,  # noqa: F811
    job: str,
    instance: dg.DagsterInstance,
    config: dict[str, object] | None = None,
) -> dict[str, dict[str, Any]]:
    """What each asset's materialization says, by the asset's name."""
    definition = defs.resolve_job_def(job)
    assets = [key.to_python_identifier() for key in definition.asset_layer.executable_asset_keys]
    outcome = definition.execute_in_process(
        instance=instance,
        partition_key=BLOCK.key,
        resources={"backends": backends, "progress": NoProgress()},
        run_config={"ops": {name: {"config": config or {}} for name in assets}},
    )
    return {
        name: {
            label: value.value
            for event in outcome.asset_materializations_for_node(name)
            for label, value in event.metadata.items()
        }
        for name in assets
    }


def test_a_run_says_what_it_cost_and_what_is_left(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    timed: Host,
    instance: dg.DagsterInstance,
) -> None:
    ids = [upload(seed) for seed in range(3)]
    indexed = run(backends, "index_tracks", instance)
    assert indexed["clap_embeddings"]["paid_to"] == "none (runs locally)"
    assert indexed["clap_embeddings"]["cost_dollars"] == 0.0
    index = indexed["search_index"]
    assert index["paid_to"] == "turbopuffer"
    assert index["turbopuffer_writes"] == 1
    assert index["turbopuffer_written_bytes"] == prices.TURBOPUFFER_LEAST_WRITTEN_BYTES
    assert index["turbopuffer_queries"] > 0
    assert index["cost_dollars"] > 0.00002
    assert index["storage_dollars_per_month"] > 0
    assert (index["left_tracks"], index["left_cost_dollars"]) == (0, 0.0)

    genres = run(backends, "classify_genres", instance, {"track_ids": ids[:2]})
    said = genres["genre_predictions"]
    assert said["paid_to"] == "Replicate"
    assert said["replicate_predictions"] == 2
    assert said["replicate_seconds"] == 4.0
    assert said["cost_dollars"] == pytest.approx(0.0004)
    assert said["left_tracks"] == 1
    assert said["left_cost_dollars"] == pytest.approx(0.0002)
    assert TOKEN not in str(said)
    with Backends(load_settings()) as another_process:
        used = another_process.usage.totals()
    assert used["replicate"].amounts[Measure.REPLICATE_PREDICTIONS] == 2
    assert used["turbopuffer"].amounts[Measure.TURBOPUFFER_WRITES] == 1


def test_a_run_that_did_nothing_cost_nothing(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    timed: Host,
    instance: dg.DagsterInstance,
) -> None:
    upload(1)
    run(backends, "index_tracks", instance)
    run(backends, "classify_genres", instance)
    again = run(backends, "classify_genres", instance)["genre_predictions"]
    assert (again["replicate_predictions"], again["cost_dollars"]) == (0.0, 0.0)


def test_audio_is_classified_although_it_could_not_be_embedded(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    timed: Host,
    instance: dg.DagsterInstance,
) -> None:
    track = upload(1)
    outcome = dg.materialize(
        [track_audio],
        instance=instance,
        partition_key=BLOCK.key,
        resources={
            "backends": backends,
            "progress": NoProgress(),
            "block_runs": block_runs_resource,
        },
    )
    assert outcome.success
    assert [t.step for t in plan(backends)] == ["embed"]
    (due,) = backends.work.due_blocks("genres", limit=5)
    assert due.track_ids == [track]
    run(backends, "classify_genres", instance)
    (row,) = backends.database.rows("SELECT extra FROM public.tracks")
    assert row["extra"]["genre_predictions"][0]["name"] == "ambient"
    assert backends.work.due_blocks("genres", limit=5) == []


def test_only_who_asks_for_it_pays_for_a_changed_classifier(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    timed: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REPLICATE_ENABLED", "false")
    ids = [upload(seed) for seed in range(3)]
    with Backends(load_settings()) as zero_shot:
        backfill(zero_shot, plan(zero_shot), progress=NoProgress())
        old = zero_shot.classifier.name
    assert backends.classified_by.counts() == {old: 3}
    backfill(backends, plan(backends), progress=NoProgress())
    assert timed.sent(CREATE) == []
    ids.append(upload(4))
    backfill(backends, plan(backends), progress=NoProgress())
    new = backends.classifier.name
    assert backends.classified_by.counts() == {old: 3, new: 1}

    assert reclassify(backends, dry_run=True) == 3
    assert plan(backends) == []
    assert reclassify(backends, limit=2) == 2
    asked_for = plan(backends)
    assert [track.track_id for track in asked_for] == ids[:2]
    backfill(backends, asked_for, progress=NoProgress())
    assert backends.classified_by.counts() == {new: 3, old: 1}
    assert len(timed.sent(CREATE)) == 3
    assert plan(backends) == []


def test_documents_are_counted_once_in_a_run(
    backends: Backends,  # noqa: F811
    upload: Upload,  # noqa: F811
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each count is billed as a query."""
    counted: list[str] = []
    original = TurbopufferStore.count

    def count(store: TurbopufferStore) -> int:
        counted.append(store.namespace)
        return original(store)

    monkeypatch.setattr(TurbopufferStore, "count", count)
    upload(1)
    assert run(backends, "index_tracks", instance)["search_index"]["documents_in_namespace"] == 1
    assert len(counted) == 1
