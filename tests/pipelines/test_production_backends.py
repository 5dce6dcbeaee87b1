"""The same jobs with audio in S3, vectors in turbopuffer and genres from Replicate."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.block_run import NoProgress
from assets.blocks import TRACK_BLOCKS
from pipelines.backfill import backfill, plan
from pipelines.definitions import defs
from resources.backends import Backends
from resources.settings import load_settings
from resources.vectors.protocol import LARGEST_ID
from serving.search.semantic import SemanticSearch
from tests.fakes.loopback import Answer, Host
from tests.fakes.replicate import SCORES, TOKEN, prediction
from tests.fakes.turbopuffer.server import TurbopufferServer
from tests.object_store.conftest import (  # noqa: F401  Fixtures of another folder.
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    s3_bucket,
    s3_client,
    s3_endpoint,
)
from tests.pipelines.conftest import BLOCK, write_noise

pytestmark = pytest.mark.slow


@pytest.fixture
def turbopuffer() -> Iterator[TurbopufferServer]:
    with TurbopufferServer() as server:
        yield server


@pytest.fixture
def replicate() -> Iterator[Host]:
    with Host() as host:
        host.on("GET /out.json", Answer(200, SCORES))
        done = prediction("succeeded", output=f"{host.url}/out.json")
        host.on("POST /v1/predictions", Answer(201, done))
        yield host


@pytest.fixture
def backends(
    database_url: str,
    s3_endpoint: str,  # noqa: F811
    s3_bucket: str,  # noqa: F811
    turbopuffer: TurbopufferServer,
    replicate: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Backends]:
    for name, value in {
        "DATABASE_URL": database_url,
        "R2_ENDPOINT_URL": s3_endpoint,
        "R2_BUCKET": s3_bucket,
        "R2_PUBLIC_BUCKET_URL": "https://audio.example",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "TURBOPUFFER_ENABLED": "true",
        "TURBOPUFFER_API_KEY": turbopuffer.api_key,
        "TURBOPUFFER_BASE_URL": turbopuffer.url,
        "REPLICATE_ENABLED": "true",
        "REPLICATE_API_TOKEN": TOKEN,
        "REPLICATE_BASE_URL": replicate.url,
    }.items():
        monkeypatch.setenv(name, value)
    with Backends(load_settings()) as backends:
        yield backends


Upload = Callable[[int], int]


@pytest.fixture
def upload(backends: Backends, tmp_path: Path) -> Upload:
    def upload(seed: int) -> int:
        return backends.uploads.add(write_noise(tmp_path / f"{seed}.wav", seed)).track_id

    return upload


def test_everything_works_the_same(
    backends: Backends, upload: Upload, turbopuffer: TurbopufferServer
) -> None:
    ids = [upload(seed) for seed in range(3)]
    result = backfill(backends, plan(backends), progress=NoProgress())
    assert (result.errors, result.embedded) == ({}, 3)
    assert plan(backends) == []
    assert backends.vectors.ids(0, LARGEST_ID) == ids
    found = SemanticSearch(backends).search("white noise").results
    assert {result.id for result in found} == set(ids)
    (row,) = backends.database.rows("SELECT extra FROM public.tracks WHERE id = 1")
    assert row["extra"]["genre_predictions_file_id"]
    assert row["extra"]["genre_predictions"][0].keys() == {"name", "confidence"}
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[0]})
    backfill(backends, plan(backends), progress=NoProgress())
    assert backends.vectors.ids(0, LARGEST_ID) == ids[1:]


def test_the_audio_is_at_the_key_that_the_apps_url_names(
    backends: Backends, upload: Upload
) -> None:
    track_id = upload(1)
    (row,) = backends.database.rows("SELECT file_id, file_type FROM public.tracks")
    data = backends.store.get(f"audio/{row['file_id']}.{row['file_type']}")
    backends.store.put("by the app/a b.wav", data)
    backends.store.delete(f"audio/{row['file_id']}.{row['file_type']}")
    backends.database.rows(
        "UPDATE public.tracks SET r2_url = 'https://audio.example/by%20the%20app/a%20b.wav'"
    )
    backfill(backends, plan(backends), progress=NoProgress())
    assert backends.vectors.ids(0, LARGEST_ID) == [track_id]


def test_no_secret_reaches_a_runs_metadata_or_its_events(
    backends: Backends, upload: Upload, turbopuffer: TurbopufferServer
) -> None:
    upload(1)
    secrets = [SECRET_ACCESS_KEY, TOKEN, turbopuffer.api_key]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(TRACK_BLOCKS.name), [BLOCK.key])
        for job in ("index_tracks", "classify_genres"):
            outcome = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                partition_key=BLOCK.key,
                resources={"backends": backends, "progress": NoProgress()},
            )
            events = instance.all_logs(outcome.run_id)
            assert events
            text = "\n".join(str(event) for event in events)
            assert [secret for secret in secrets if secret in text] == []


def test_a_vector_store_that_is_down_leaves_the_work_pending_and_search_unavailable(
    backends: Backends, upload: Upload, turbopuffer: TurbopufferServer
) -> None:
    track_id = upload(1)
    backfill(backends, plan(backends), progress=NoProgress())
    search = SemanticSearch(backends, deadline_seconds=8)
    turbopuffer.api_key = "another-key-since"
    answer = search.search("white noise")
    assert not answer.available
    backends.database.rows("UPDATE public.tracks SET title = 'changed'")
    result = backfill(backends, plan(backends), progress=NoProgress())
    assert "TURBOPUFFER_API_KEY" in result.errors[BLOCK.key]
    assert [(track.track_id, track.step) for track in plan(backends)] == [(track_id, "index")]
