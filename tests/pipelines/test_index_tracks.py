"""From an upload to the index, and after each thing that can happen to a track."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.tables import BlockTable, TrackAudio
from assets.windows import WindowParts
from resources.audio.windows import pool
from resources.backends import Backends
from resources.catalogue.tracks.audio_files import AudioFile
from tests.pipelines.conftest import BLOCK, Run, Upload, write_noise
from tests.pipelines.tables import embeddings_table


def _indexed(backends: Backends) -> list[int]:
    return backends.vectors.ids(BLOCK.first, BLOCK.last)


def _file_ids(backends: Backends) -> dict[int, str]:
    rows = backends.database.rows("SELECT id, file_id FROM public.tracks")
    return {row["id"]: row["file_id"] for row in rows}


def _windows(backends: Backends, file_ids: dict[int, str]) -> pl.DataFrame:
    model = backends.track_model.fingerprint
    return WindowParts(backends.store, BLOCK, model).read(file_ids)


def _parts(backends: Backends) -> dict[str, bytes]:
    """The stored windows, by key."""
    return {key: backends.store.get(key) for key in backends.store.keys("moodsearch/windows/")}


def _replace_audio(backends: Backends, track_id: int, data: bytes, file_id: str) -> None:
    """As an app does: a new object, and the track points at it."""
    backends.store.put(AudioFile(file_id, "wav").key(), data)
    backends.database.rows(
        "UPDATE public.tracks SET file_id = %(file)s, file_type = 'wav' WHERE id = %(id)s",
        {"file": file_id, "id": track_id},
    )


def test_uploads_become_searchable(backends: Backends, upload: Upload, run: Run) -> None:
    ids = [upload(seed) for seed in range(3)]
    ran = run()
    assert ran.success
    assert ran.failed_checks() == set()
    assert _indexed(backends) == ids
    assert backends.work.pending(BLOCK) != []  # Their genres, which are another job's.
    for asset in ("track_audio", "clap_embeddings", "search_index"):
        assert ran.counts(asset)["new"] == 3
    assert run("classify_genres").success
    assert backends.work.pending(BLOCK) == []


def test_a_query_finds_the_track_with_its_own_vector(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    table = embeddings_table(backends, BLOCK).read()
    for track_id in ids:
        vector = table.filter(pl.col("track_id") == track_id)["vector"].to_numpy()[0]
        (best,) = backends.vectors.query(vector, limit=1)
        assert best.track_id == track_id
        assert best.similarity == pytest.approx(1.0, abs=1e-5)


def test_a_second_run_does_nothing(backends: Backends, upload: Upload, run: Run) -> None:
    upload(1)
    run()
    keys = [BlockTable(backends, TrackAudio, BLOCK).key]
    keys.append(embeddings_table(backends, BLOCK).key)
    folder = backends.settings.moodsearch_home / "objects"
    written = [(folder / key).stat().st_mtime_ns for key in keys]
    ran = run()
    for asset in ("track_audio", "clap_embeddings"):
        counts = ran.counts(asset)
        assert (counts["new"], counts["changed"], counts["unchanged"]) == (0, 0, 1)
    assert [(folder / key).stat().st_mtime_ns for key in keys] == written


def test_a_replaced_audio_file_is_embedded_again_and_nothing_else_is(
    backends: Backends, upload: Upload, run: Run, tmp_path: Path
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    before = embeddings_table(backends, BLOCK).read()
    other = write_noise(tmp_path / "other.wav", 99).read_bytes()
    _replace_audio(backends, ids[1], other, "another-file")
    ran = run()
    assert ran.failed_checks() == set()
    counts = ran.counts("clap_embeddings")
    assert (counts["new"], counts["changed"], counts["unchanged"]) == (0, 1, 2)
    after = embeddings_table(backends, BLOCK).read()
    same = (before["vector"] == after["vector"]).to_list()
    assert same == [True, False, True]


def test_a_changed_title_is_indexed_without_embedding(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    backends.database.rows("UPDATE public.tracks SET title = 'a new title'")
    ran = run()
    assert ran.counts("clap_embeddings")["changed"] == 0
    assert ran.counts("search_index")["changed"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM public.tracks WHERE id = 1",
        "UPDATE public.tracks SET visibility = 'private' WHERE id = 1",
    ],
)
def test_deleted_and_hidden_tracks_leave_the_index(
    backends: Backends, upload: Upload, run: Run, change: str
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.database.rows(change)
    ran = run()
    assert _indexed(backends) == ids[1:]
    assert ran.counts("search_index")["removed"] == 1
    assert ran.failed_checks() == set()


def test_a_deleted_tracks_vector_is_not_kept(backends: Backends, upload: Upload, run: Run) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[0]})
    run()
    assert embeddings_table(backends, BLOCK).read()["track_id"].to_list() == ids[1:]
    assert BlockTable(backends, TrackAudio, BLOCK).read()["track_id"].to_list() == ids[1:]


def test_a_broken_file_is_recorded_with_the_reason_and_does_not_block_the_others(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    _replace_audio(backends, ids[1], b"%PDF-1.4 not audio at all" * 100, "a-pdf")
    ran = run()
    assert ran.success
    assert _indexed(backends) == [ids[0], ids[2]]
    assert ran.counts("track_audio")["failed"] == 1
    (failed,) = backends.records.failed(limit=5)
    assert failed.track_id == ids[1]
    assert failed.reason
    assert run().counts("track_audio")["failed"] == 0  # It is not tried again.


def test_a_missing_object_leaves_its_track_pending_and_the_others_done(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    backends.database.rows(
        "UPDATE public.tracks SET file_id = 'not-there' WHERE id = %(id)s", {"id": ids[0]}
    )
    assert run().success
    assert _indexed(backends) == ids[1:]
    (waiting,) = [track for track in backends.work.pending(BLOCK) if track.step]
    assert (waiting.track_id, waiting.step) == (ids[0], "probe")
    (row,) = backends.database.rows(
        "SELECT last_error FROM moodsearch.work WHERE job = 'index' AND track_id = %(id)s",
        {"id": ids[0]},
    )
    assert "not in the object store" in row["last_error"]


def test_vectors_stored_by_a_run_that_was_killed_before_it_said_so_are_not_made_again(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    backends.database.rows("TRUNCATE moodsearch.track_embeddings, moodsearch.track_documents")
    backends.vectors.drop()
    ran = run()
    counts = ran.counts("clap_embeddings")
    assert (counts["new"], counts["changed"], counts["unchanged"]) == (0, 0, 1)
    assert ran.failed_checks() == set()


def test_lost_rows_are_made_again(backends: Backends, upload: Upload, run: Run) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    embeddings_table(backends, BLOCK).remove(ids)
    backends.database.rows("UPDATE public.tracks SET title = title || '!'")
    ran = run()
    assert ran.counts("clap_embeddings")["new"] == 2
    assert _indexed(backends) == ids
    assert ran.failed_checks() == set()


def test_only_the_tracks_that_a_run_is_given_are_worked_on(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run(config={"track_ids": ids[:1]})
    assert _indexed(backends) == ids[:1]


def test_a_tracks_vector_is_the_pooled_mean_of_its_windows(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1, seconds=42.0)
    run()
    (row,) = embeddings_table(backends, BLOCK).read().to_dicts()
    (heard,) = _windows(backends, {row["track_id"]: row["file_id"]}).to_dicts()
    windows = np.array(heard["windows"], dtype=np.float32)
    assert windows.shape == (3, 512)
    assert heard["starts_seconds"] == pytest.approx([2.0, 16.0, 30.0])
    assert row["vector"] == pytest.approx(pool(windows), abs=1e-6)


def test_a_new_track_leaves_the_windows_of_the_others_where_they_are(
    backends: Backends, upload: Upload, run: Run
) -> None:
    for seed in range(2):
        upload(seed)
    run()
    before = _parts(backends)
    upload(2)
    run()
    after = _parts(backends)
    assert len(before) == 1
    assert len(after) == 2
    assert before.items() <= after.items()
    assert _windows(backends, _file_ids(backends)).height == 3


def test_windows_of_replaced_audio_and_of_deleted_tracks_are_dropped(
    backends: Backends, upload: Upload, run: Run, tmp_path: Path
) -> None:
    ids = [upload(seed) for seed in range(3)]
    run()
    before = _file_ids(backends)
    other = write_noise(tmp_path / "other.wav", 99).read_bytes()
    _replace_audio(backends, ids[1], other, "another-file")
    backends.database.rows("DELETE FROM public.tracks WHERE id = %(id)s", {"id": ids[0]})
    run()
    assert _windows(backends, before)["track_id"].to_list() == [ids[2]]
    assert _windows(backends, _file_ids(backends))["track_id"].to_list() == ids[1:]


def test_a_kill_between_windows_and_vectors_leaves_nothing_out(
    backends: Backends, upload: Upload, run: Run
) -> None:
    """The table is written after the windows; what is in neither is embedded again."""
    ids = [upload(seed) for seed in range(2)]
    run()
    embeddings_table(backends, BLOCK).remove(ids)
    backends.database.rows("UPDATE public.tracks SET title = title || '!'")
    assert run().success
    assert _windows(backends, _file_ids(backends))["track_id"].to_list() == ids
    assert _indexed(backends) == ids


def test_a_document_that_is_missing_from_the_index_fails_its_check(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    backends.vectors.delete(ids[:1])
    assert run().failed_checks() == {"index_equals_catalogue"}


def test_a_stored_table_that_does_not_fit_its_schema_fails_the_check(
    backends: Backends, upload: Upload, run: Run
) -> None:
    upload(1)
    run()
    table = BlockTable(backends, TrackAudio, BLOCK)
    parquet = io.BytesIO()
    table.read().with_columns(sample_rate=pl.lit(-1, pl.Int32)).write_parquet(parquet)
    backends.store.put(table.key, parquet.getvalue())
    ran = run()
    assert not ran.success
    assert ran.failed_checks() == {"track_audio_schema"}


@pytest.mark.slow
def test_a_vector_that_is_not_of_length_1_fails_its_check_and_stops_the_index(
    backends: Backends, upload: Upload, run: Run
) -> None:
    ids = [upload(seed) for seed in range(2)]
    run()
    table = embeddings_table(backends, BLOCK)
    rows = table.read()
    doubled = rows["vector"].to_numpy() * np.array([[2.0], [1.0]], dtype=np.float32)
    table.write(rows.with_columns(pl.Series("vector", doubled, dtype=rows["vector"].dtype)))
    backends.database.rows("UPDATE public.tracks SET title = 'changed'")
    ran = run()
    assert not ran.success
    assert "embeddings_unit_length" in ran.failed_checks()
    stored = backends.vectors.query(rows["vector"].to_numpy()[0], limit=1)
    assert stored[0].track_id == ids[0]
