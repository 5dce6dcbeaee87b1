"""A run holds its block from its first asset to its last: what others want to do to it comes before
or after, and nothing of either is lost."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.held_block import HeldBlock
from assets.tables import BlockTable, Embeddings, TrackAudio
from pipelines.backfill import plan
from pipelines.definitions import defs
from resources.backends import Backends
from resources.errors import BackendError
from resources.settings import load_settings
from tests.pipelines.conftest import BLOCK, Run, Upload, write_noise
from tests.pipelines.tables import embeddings_table

pytestmark = pytest.mark.slow


@pytest.fixture
def others(backends: Backends) -> Iterator[Backends]:
    """The same installation, as another process opens it."""
    with Backends(load_settings()) as others:
        yield others


class Meanwhile:
    """Progress of a run; once its first asset is done, a backfill begins in a process beside it.

    Not in a thread: Dagster configures logging for each run, which another run's thread in the same
    process may meet in the middle of a message, and then both wait for each other's locks.
    """

    def __init__(self, others: Backends, file: Path) -> None:
        self.waited: list[bool] = []
        self._others = others
        self._file = file
        self._backfill: subprocess.Popen[bytes] | None = None

    def advance(self, asset: str, tracks: int) -> None:
        assert tracks == 1
        if asset == "track_audio":
            self._others.uploads.add(self._file)
            self._backfill = subprocess.Popen([sys.executable, "-m", "serving.cli", "backfill"])
            self._await_its_turn(self._backfill)
        assert self._backfill is not None
        self.waited.append(self._backfill.poll() is None and self._others.locks.is_held(BLOCK))

    def _await_its_turn(self, backfill: subprocess.Popen[bytes]) -> None:
        """Until the backfill waits for the block."""
        waiting = (
            "SELECT count(*) AS n FROM pg_locks"
            " WHERE locktype = 'advisory' AND NOT granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        while not self._others.database.rows(waiting)[0]["n"]:
            assert backfill.poll() is None
            time.sleep(0.05)

    def exit_code(self) -> int:
        """Of the backfill, once it has ended."""
        assert self._backfill is not None
        return self._backfill.wait()


def test_a_backfill_that_begins_in_the_middle_of_a_run_waits_and_loses_nothing(
    backends: Backends,
    others: Backends,
    upload: Upload,
    instance: dg.DagsterInstance,
    tmp_path: Path,
) -> None:
    first = upload(1)
    meanwhile = Meanwhile(others, write_noise(tmp_path / "second.wav", 2))
    outcome = defs.resolve_job_def("index_tracks").execute_in_process(
        instance=instance,
        partition_key=BLOCK.key,
        resources={"backends": backends, "progress": meanwhile},
    )
    assert meanwhile.exit_code() == 0
    assert outcome.success
    assert meanwhile.waited == [True, True, True]
    both = [first, first + 1]
    for table in (BlockTable(backends, TrackAudio, BLOCK), embeddings_table(backends, BLOCK)):
        assert table.read()["track_id"].to_list() == both
    assert backends.vectors.ids(BLOCK.first, BLOCK.last) == both
    assert plan(backends) == []


def test_an_asset_that_fails_lets_go_of_its_block(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    backends.store.put(embeddings_table(backends, BLOCK).key + "/blocks the table", b"")
    assert not run().success
    assert not backends.locks.is_held(BLOCK)


def test_who_holds_a_block_next_reads_what_was_written_meanwhile(
    backends: Backends, others: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    model = backends.track_model.fingerprint
    held = HeldBlock(backends, BLOCK)
    assert held.table(Embeddings, model).track_ids() == {1}
    held.close()
    other = HeldBlock(others, BLOCK)
    other.table(Embeddings, model).remove([1])
    other.close()
    again = HeldBlock(backends, BLOCK)
    assert again.table(Embeddings, model).track_ids() == set()
    again.close()


def test_a_block_that_was_lost_is_not_written_to(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    held = HeldBlock(backends, BLOCK)
    table = held.table(Embeddings, backends.track_model.fingerprint)
    windows = held.windows(backends.track_model.fingerprint)
    before = set(backends.store.keys("moodsearch/"))
    backends.database.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with pytest.raises(BackendError, match="lost"):
        table.remove([1])
    with pytest.raises(BackendError, match="lost"):
        windows.drop([1])
    assert set(backends.store.keys("moodsearch/")) == before
    held.close()
