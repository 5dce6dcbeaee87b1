"""Backfills in this process, on the instance that Dagster's own processes use."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from pipelines.backfill import backfill, plan
from pipelines.instance import dagster_instance
from resources.backends import Backends
from resources.catalogue.work.blocks import Block
from resources.embedding.modal import ModalEmbedder
from resources.machine.core_locks import taken_cores
from tests.catalogue.rows import add_track
from tests.fakes.wire import WireHost, answering
from tests.pipelines.conftest import Upload, write_noise
from tests.pipelines.noting_backends import NotingBackends

pytestmark = pytest.mark.slow

DRIVER = "tests.pipelines.counting_backfill"


@dataclass
class _Heard:
    """Keeps what a backfill said of its progress."""

    steps: Counter[str] = field(default_factory=Counter)

    def advance(self, asset: str, tracks: int) -> None:
        self.steps[asset] += tracks


def test_a_backfill_does_everything_that_is_pending(backends: Backends, upload: Upload) -> None:
    ids = [upload(seed) for seed in range(3)]
    progress = _Heard()
    result = backfill(backends, plan(backends), progress=progress)
    assert (result.planned, result.embedded, result.errors) == (3, 3, {})
    assert backends.vectors.ids(0, 10**6) == ids
    assert plan(backends) == []
    assert progress.steps == {
        "track_audio": 3,
        "clap_embeddings": 3,
        "search_index": 3,
        "genre_predictions": 3,
    }


def test_planning_changes_nothing(backends: Backends, upload: Upload) -> None:
    upload(1)
    before = _everything_stored(backends)
    assert [track.step for track in plan(backends)] == ["probe"]
    assert _everything_stored(backends) == before


def _add_twenty_tracks(backends: Backends, folder: Path) -> Path:
    """Enough for worker processes. Returns where those will note what they embed."""
    data = write_noise(folder / "noise.wav", 1, seconds=0.2).read_bytes()
    for number in range(20):
        backends.store.put(f"audio/f{number}.mp3", data)
        add_track(backends.database, file_id=f"f{number}")
    embedded = folder / "embedded"
    backends.__dict__["embedding_backends"] = NotingBackends(backends.settings, embedded)
    return embedded


def test_many_tracks_are_embedded_by_other_processes(backends: Backends, tmp_path: Path) -> None:
    embedded = _add_twenty_tracks(backends, tmp_path)
    children = psutil.Process().children()
    result = backfill(backends, plan(backends), progress=_Heard(), concurrency=2)
    assert (result.embedded, result.errors) == (20, {})
    assert embedded.read_text().split() == ["1"] * 20
    assert backends.vectors.count() == 20
    assert set(psutil.Process().children()) <= set(children)


def test_no_process_is_started_for_cores_that_another_run_has(
    backends: Backends, tmp_path: Path
) -> None:
    embedded = _add_twenty_tracks(backends, tmp_path)
    with taken_cores(backends.settings.moodsearch_home, 1_000):
        result = backfill(backends, plan(backends), progress=_Heard())
    assert (result.embedded, result.errors) == (20, {})
    assert not embedded.exists()


def test_tracks_that_the_model_did_not_answer_for_do_not_count_as_embedded(
    backends: Backends, upload: Upload
) -> None:
    ids = [upload(seed) for seed in range(2)]
    with (
        WireHost(answering({"error": "out of order"}, 500)) as host,
        closing(ModalEmbedder(host.url, None, 0.5, backends.local_model.model)) as model,
    ):
        backends.__dict__.update(audio_model=model, text_model=backends.local_model)
        result = backfill(backends, plan(backends), progress=_Heard())
    assert (result.planned, result.embedded) == (2, 0)
    assert [track.track_id for track in plan(backends)] == ids
    assert backends.vectors.count() == 0


def test_a_limit_is_kept(backends: Backends, upload: Upload) -> None:
    ids = [upload(seed) for seed in range(4)]
    backfill(backends, plan(backends, limit=2), progress=_Heard())
    assert backends.vectors.ids(0, 10**6) == ids[:2]


def test_nothing_outside_a_changed_tracks_block_is_read_or_written(
    backends: Backends, tmp_path: Path
) -> None:
    for track_id in (1, 5_000):
        data = write_noise(tmp_path / f"{track_id}.wav", track_id).read_bytes()
        backends.store.put(f"audio/f{track_id}.mp3", data)
        add_track(backends.database, file_id=f"f{track_id}", track_id=track_id)
    backfill(backends, plan(backends), progress=_Heard())
    folder = backends.settings.moodsearch_home / "objects" / "moodsearch"
    first_block = Block(0, 999).key
    others = [path for path in folder.rglob("*.parquet") if first_block not in path.name]
    assert others
    for path in others:
        path.rename(path.with_suffix(".away"))
    backends.database.rows("UPDATE public.tracks SET title = 'new' WHERE id = 1")
    result = backfill(backends, plan(backends), progress=_Heard())
    assert result.errors == {}
    assert [path for path in others if path.exists()] == []


def test_a_backfill_is_seen_in_dagster_with_its_partition(
    backends: Backends, upload: Upload
) -> None:
    upload(1)
    backfill(backends, plan(backends), progress=_Heard())
    with dagster_instance(backends) as instance:
        runs = {run.job_name: run.tags["dagster/partition"] for run in instance.get_runs()}
    assert runs == {
        "index_tracks": "0-999",
        "classify_genres": "0-999",
    }


def test_the_runs_of_a_backfill_say_that_it_launched_them(
    backends: Backends, upload: Upload
) -> None:
    upload(1)
    backfill(backends, plan(backends), progress=_Heard())
    with dagster_instance(backends) as instance:
        assert {run.tags["user"] for run in instance.get_runs()} == {"moodsearch backfill"}


def test_dagsters_tables_are_in_a_schema_of_their_own(backends: Backends, upload: Upload) -> None:
    backfill(backends, plan(backends), progress=_Heard())
    with psycopg.connect(backends.database_url) as connection:
        schemas = connection.execute(
            "SELECT DISTINCT table_schema FROM information_schema.tables"
            " WHERE table_name IN ('runs', 'event_logs')"
        ).fetchall()
    assert schemas == [("moodsearch_dagster",)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_ten_times_a_backfill_loses_at_most_a_chunk_each_time(
    backends: Backends, tmp_path: Path
) -> None:
    tracks = 2_500
    for number in range(1, tracks + 1):
        data = write_noise(tmp_path / "noise.wav", number, seconds=0.5).read_bytes()
        backends.store.put(f"audio/f{number}.mp3", data)
        add_track(backends.database, file_id=f"f{number}")
    embedded = tmp_path / "embedded"
    embedded.touch()
    chance = random.Random(4)
    command = [sys.executable, "-W", "ignore", "-m", DRIVER, str(embedded)]
    environment = {**os.environ, "DATABASE_URL": backends.database_url}
    kills = 0
    for _ in range(10):
        size = embedded.stat().st_size
        with subprocess.Popen(command, env=environment, start_new_session=True) as process:
            while embedded.stat().st_size == size and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.8))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
    assert kills >= 5
    subprocess.run(command, env=environment, check=True)
    assert backends.vectors.ids(0, 10**6) == list(range(1, tracks + 1))
    assert backends.vectors.count() == tracks
    assert [track for track in plan(backends) if track.step] == []
    total = sum(int(line) for line in embedded.read_text().split())
    assert total - tracks <= 64 * kills
    with dagster_instance(backends) as instance:
        unfinished = [run for run in instance.get_runs() if not run.is_finished]
    assert unfinished == []


def _everything_stored(backends: Backends) -> list[object]:
    return [
        backends.database.rows("SELECT * FROM moodsearch.track_audio"),
        backends.database.rows("SELECT * FROM moodsearch.track_genres"),
        backends.database.rows("SELECT * FROM moodsearch.track_embeddings"),
        backends.database.rows("SELECT * FROM moodsearch.track_documents"),
        backends.database.rows("SELECT * FROM moodsearch.work"),
        backends.database.rows("SELECT * FROM moodsearch.outbox"),
        list(backends.store.keys("")),
    ]
