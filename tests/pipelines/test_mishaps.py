"""What goes wrong for one track, or behind our back, does not hold up anything else."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from assets.block_run import PROCESS_TAG, NoProgress
from pipelines import housekeeping
from pipelines.backfill import backfill, plan
from pipelines.runs import fail_dead_runs
from resources.backends import Backends
from resources.catalogue.tracks.audio_files import AudioFile
from resources.errors import BackendError
from resources.machine.processes import this_process
from resources.vectors.protocol import LARGEST_ID, VectorDocument, VectorStore
from tests.catalogue.rows import add_track
from tests.pipelines.conftest import BLOCK, Run, Upload, write_noise
from tests.pipelines.tables import lose_embeddings

pytestmark = pytest.mark.slow


def _indexed(backends: Backends) -> list[int]:
    return backends.vectors.ids(0, LARGEST_ID)


def _lose_audio(backends: Backends, track_id: int) -> None:
    """The track points at audio that is nowhere."""
    backends.database.rows(
        "UPDATE public.tracks SET file_id = 'gone-' || id WHERE id = %(id)s", {"id": track_id}
    )


def test_missing_audio_keeps_neither_deletions_nor_hides_from_the_index(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(4)]
    run()
    for track_id in ids[:2]:
        _lose_audio(backends, track_id)
    backends.database.rows(
        "UPDATE public.tracks SET visibility = 'private' WHERE id = %(id)s", {"id": ids[2]}
    )
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[3]})
    ran = run()
    assert ran.success
    assert _indexed(backends) == ids[:2]  # As they were, until their new audio is there.
    assert "no_track_is_waiting" in ran.failed_checks()


def test_an_outage_of_the_object_store_does_not_keep_deletions_from_the_index(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[0]})
    for track_id in ids[1:]:
        _lose_audio(backends, track_id)
    run()
    assert _indexed(backends) == ids[1:]


def test_a_switch_of_models_completes_although_some_audio_is_missing(
    backends: Backends, upload: Upload
) -> None:
    ids = [upload(seed) for seed in range(3)]
    backfill(backends, plan(backends), progress=NoProgress())
    (row,) = backends.database.rows(
        "SELECT file_id, file_type FROM public.tracks WHERE id = %(id)s", {"id": ids[0]}
    )
    backends.store.delete(AudioFile(row["file_id"], row["file_type"]).key())
    lose_embeddings(backends, BLOCK)
    backends.database.rows(
        "UPDATE moodsearch.generations SET id = 'old', model = 'old', namespace = 'old'"
    )
    backends.database.rows("UPDATE moodsearch.track_documents SET generation = 'old'")
    backends.database.rows("UPDATE moodsearch.track_embeddings SET model = 'old'")
    for name in ("generation", "vectors"):
        backends.__dict__.pop(name, None)
    backfill(backends, plan(backends), progress=NoProgress())
    live = backends.generations.live()
    assert live is not None
    assert live.id == backends.generation.id
    assert _indexed(backends) == ids[1:]


@pytest.mark.parametrize(
    "oddity",
    [
        "UPDATE public.tracks SET file_type = NULL WHERE id = 1",
        "UPDATE public.tracks SET file_id = NULL WHERE id = 1",
        "UPDATE public.tracks SET artist_did = 'did:plc:nobody' WHERE id = 1",
        "UPDATE public.tracks SET visibility = NULL WHERE id = 1",
    ],
)
def test_a_row_that_lacks_something_is_hidden_and_its_neighbours_are_not(
    backends: Backends, upload: Upload, run: Run, oddity: str
) -> None:
    """As an app's tables, which are laxer than ours, may have them."""
    for column in ("file_type", "file_id", "visibility"):
        backends.database.rows(f"ALTER TABLE public.tracks ALTER COLUMN {column} DROP NOT NULL")
    backends.database.rows("ALTER TABLE public.tracks DROP CONSTRAINT tracks_artist_did_fkey")
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.database.rows(oddity)
    ran = run()
    assert ran.success
    assert ran.failed_checks() == set()
    assert _indexed(backends) == ids[1:]
    assert [track for track in backends.work.pending(BLOCK) if track.step] == []


def test_an_artist_that_arrives_after_its_track_makes_it_pending(backends: Backends) -> None:
    backends.database.rows("ALTER TABLE public.tracks DROP CONSTRAINT tracks_artist_did_fkey")
    backends.database.rows(
        "INSERT INTO public.tracks (title, artist_did, file_id, file_type)"
        " VALUES ('early', 'did:plc:late', 'f', 'mp3')"
    )
    backends.work.absorb_changes()
    assert backends.work.due_blocks("index", limit=5) == []
    backends.database.rows("INSERT INTO public.artists VALUES ('did:plc:late', 'late', 'Late')")
    backends.work.absorb_changes()
    assert [due.track_ids for due in backends.work.due_blocks("index", limit=5)] == [[1]]


def test_lost_vectors_and_lost_audio_together_do_not_stop_the_block(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    lose_embeddings(backends, BLOCK)
    (row,) = backends.database.rows("SELECT file_id FROM public.tracks WHERE id = 1")
    backends.store.delete(AudioFile(row["file_id"], "wav").key())
    backends.database.rows("UPDATE public.tracks SET title = title || '!' WHERE id = 1")
    backends.database.rows("UPDATE public.tracks SET visibility = 'private' WHERE id = 2")
    assert run().success
    assert _indexed(backends) == [ids[0], ids[2]]
    assert [track.track_id for track in backends.work.pending(BLOCK) if track.step] == [ids[0]]


def test_genres_of_tracks_whose_vectors_were_lost_are_made_after_embedding_again(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    lose_embeddings(backends, BLOCK)
    run("classify_genres")
    run()
    run("classify_genres")
    assert backends.work.pending(BLOCK) == []


def test_a_kill_between_storing_and_recording_does_not_lose_the_genres(
    backends: Backends, upload: Upload, run: Run
) -> None:
    track_id = upload(1)
    run()
    backends.database.rows("DELETE FROM moodsearch.work")
    backends.database.rows("TRUNCATE moodsearch.track_embeddings")
    run()
    assert [due.track_ids for due in backends.work.due_blocks("genres", 5)] == [[track_id]]


def test_nothing_is_written_after_the_block_was_lost(backends: Backends) -> None:
    with backends.locks.hold(BLOCK) as check_that_it_is_held:
        check_that_it_is_held()
        with psycopg.connect(backends.database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            )
        with pytest.raises(BackendError, match="lost"):
            check_that_it_is_held()


def test_blocks_of_very_large_ids_work_too(backends: Backends, run: Run, tmp_path: Path) -> None:
    track_id = 2**62
    data = write_noise(tmp_path / "big.wav", 1).read_bytes()
    backends.store.put("audio/big.mp3", data)
    add_track(backends.database, file_id="big", track_id=track_id)
    result = backfill(backends, plan(backends), progress=NoProgress())
    assert result.errors == {}
    assert _indexed(backends) == [track_id]


def test_a_run_says_which_process_works_on_it_and_fails_when_that_is_gone(
    instance: dg.DagsterInstance, upload: Upload, run: Run
) -> None:
    upload(1)
    finished = run().outcome.dagster_run
    recorded = instance.get_run_by_id(finished.run_id)
    assert recorded is not None
    assert recorded.tags[PROCESS_TAG] == this_process()
    host = this_process().split("/")[0]
    killed = instance.create_run_for_job(
        dg.JobDefinition(name="killed", graph_def=dg.GraphDefinition(name="killed")),
        status=dg.DagsterRunStatus.STARTED,
        tags={PROCESS_TAG: f"{host}/{os.getpid()}/1"},
    )
    assert fail_dead_runs(instance) == 1
    failed = instance.get_run_by_id(killed.run_id)
    assert failed is not None
    assert failed.status == dg.DagsterRunStatus.FAILURE


def test_all_old_runs_are_deleted_however_many_pages_they_fill(
    instance: dg.DagsterInstance, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_RUNS_AT_ONCE", 2)
    for _ in range(6):
        run()
    later = datetime.now(UTC) + timedelta(days=1)
    assert housekeeping.delete_old_runs(instance, before=later) == 5
    assert len(instance.get_runs()) == 1


def test_what_was_begun_when_a_run_died_is_decoded_apart_in_the_next_one(
    backends: Backends, upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [upload(seed) for seed in range(2)]
    backends.attempts.begin("index", ids)  # And then FFmpeg crashed, and the process with it.
    probed_here: list[object] = []
    monkeypatch.setattr("assets.decoding.probe_object", lambda *_: probed_here.append(1))
    assert run().success
    assert probed_here == []
    assert _indexed(backends) == ids


def test_a_document_that_the_store_does_not_take_waits_alone(
    backends: Backends, upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [upload(seed) for seed in range(5)]
    upsert = type(backends.vectors).upsert

    def picky(store: VectorStore, documents: Sequence[VectorDocument]) -> None:
        if any(document.id == ids[3] for document in documents):
            raise RuntimeError("turbopuffer refuses a request (400): attribute too long")
        upsert(store, documents)

    monkeypatch.setattr(type(backends.vectors), "upsert", picky)
    ran = run()
    assert ran.success
    assert _indexed(backends) == [*ids[:3], ids[4]]
    assert backends.attempts.tried_in_vain("index", BLOCK) == {
        ids[3]: "RuntimeError: turbopuffer refuses a request (400): attribute too long"
    }
    assert "no_track_is_waiting" in ran.failed_checks()


def test_a_store_that_takes_no_document_blames_none(
    backends: Backends, upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(5):
        upload(seed)
    asked: list[int] = []

    def refuse(_store: VectorStore, documents: Sequence[VectorDocument]) -> None:
        asked.append(len(documents))
        raise RuntimeError("our mistake")

    monkeypatch.setattr(type(backends.vectors), "upsert", refuse)
    assert not run().success
    assert [failed.reason for failed in backends.failed_runs.all()] == ["RuntimeError: our mistake"]
    # For each attempt of the run.
    assert asked.count(1) > 0
    assert asked.count(1) % 3 == 0


def test_a_run_that_fails_is_remembered_with_its_cause_until_one_succeeds(
    backends: Backends, upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(1)
    with monkeypatch.context() as patch:
        patch.setattr(backends.records, "audio", lambda _: 1 / 0)
        assert not run().success
    (failed,) = backends.failed_runs.all()
    assert (failed.job, failed.block, failed.reason) == (
        "index",
        BLOCK,
        "ZeroDivisionError: division by zero",
    )
    assert run().success
    assert backends.failed_runs.all() == []


def test_a_run_that_cannot_be_remembered_fails_for_its_own_reason(
    backends: Backends, upload: Upload, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise BackendError("the database is down")

    upload(1)
    monkeypatch.setattr(backends.failed_runs, "note", down)
    monkeypatch.setattr(backends.records, "audio", lambda _: 1 / 0)
    (failure,) = [event for event in run().outcome.all_events if event.is_step_failure]
    assert "ZeroDivisionError" in str(failure.step_failure_data.error)


def test_attempts_that_all_ended_without_a_word_are_told(
    backends: Backends, upload: Upload
) -> None:
    ids = [upload(seed) for seed in range(2)]
    backends.work.absorb_changes()
    for _ in range(3):
        backends.work.postpone("index", ids[:1])
    assert backends.attempts.tried_in_vain("index", BLOCK) == {
        ids[0]: "its runs ended without a word"
    }
